"""The answer to `describe`: what can speak here now.

One program holds the voices of every engine: Home Assistant looks at the first installed program and at no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice, TtsVoiceSpeaker

from unavoce.chain.chain import Chain
from unavoce.chain.member import Member
from unavoce.engines.base import Voice
from unavoce.errors import RequestError

PROGRAM = "unavoce"
VERSION = version("unavoce")
ATTRIBUTIONS = {
    "piper": Attribution("Piper voices: each one's MODEL_CARD has its licence", "https://github.com/rhasspy/piper"),
    "piper-http": Attribution(
        "Piper voices: each one's MODEL_CARD has its licence", "https://github.com/rhasspy/piper"
    ),
    "kokoro": Attribution("Kokoro-82M by hexgrad, Apache-2.0", "https://huggingface.co/hexgrad/Kokoro-82M"),
    "xtts": Attribution("the XTTS server's model; Coqui's has the Coqui Public Model Licence", "https://coqui.ai/cpml"),
    "openai": Attribution("the server's operator: its terms hold", ""),
    "elevenlabs": Attribution("ElevenLabs: its terms hold", "https://elevenlabs.io/terms-of-use"),
}
"""Who made an engine's voices, and where their licence stands."""


def describe(chain: Chain) -> Info:
    """The voices that can be asked for, the default one first."""
    voices = [_described(voice, member, chain) for member in chain.members for voice in member.voices]
    program = TtsProgram(
        name=PROGRAM,
        description="One steady voice: engines with fallback, and a cache",
        attribution=Attribution("unavoce, Apache-2.0; each voice names its own maker", ""),
        installed=any(voice.installed for voice in voices),
        version=VERSION,
        voices=voices,
        supports_synthesize_streaming=True,
    )
    return Info(tts=[program])


def _described(voice: Voice, member: Member, chain: Chain) -> TtsVoice:
    return TtsVoice(
        name=_name(voice, chain),
        description=", ".join(_words(voice)),
        attribution=ATTRIBUTIONS.get(voice.engine, Attribution(voice.engine, "")),
        installed=not member.never_started,
        version=None,
        languages=[voice.language],
        speakers=[TtsVoiceSpeaker(voice.speaker)] if voice.speaker else None,
    )


def _name(voice: Voice, chain: Chain) -> str:
    """The short name, unless another voice is found by it."""
    try:
        found = chain.find_voice(voice.name)
    except RequestError:
        found = None
    return voice.name if found == voice else f"{voice.engine}/{voice.name}"


def _words(voice: Voice) -> Iterator[str]:
    yield f"{voice.name} ({voice.engine})"
    if voice.speaker and voice.speaker != voice.name:
        yield f"speaker {voice.speaker}"
