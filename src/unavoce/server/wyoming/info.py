"""The answer to `describe`: what can speak here now.

One program holds the voices of every engine: Home Assistant looks at the first installed program and at no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice, TtsVoiceSpeaker

from unavoce.chain.chain import Chain
from unavoce.chain.finding import shortest_names
from unavoce.chain.member import Member

PROGRAM = "unavoce"
VERSION = version("unavoce")
PIPER = Attribution(
    "Piper voices; each one's MODEL_CARD has its licence", "https://huggingface.co/rhasspy/piper-voices"
)
ATTRIBUTIONS = {
    "piper": PIPER,
    "piper-http": PIPER,
    "kokoro": Attribution("Kokoro-82M by hexgrad, Apache-2.0", "https://huggingface.co/hexgrad/Kokoro-82M"),
    "xtts": Attribution("the XTTS server's model; Coqui's has the Coqui Public Model Licence", "https://coqui.ai/cpml"),
    "openai": Attribution("the server's operator: its terms hold", ""),
    "elevenlabs": Attribution("ElevenLabs: its terms hold", "https://elevenlabs.io/terms-of-use"),
}
"""Who made an engine's voices, and where their licence stands."""


def describe(chain: Chain) -> Info:
    """The voices that can be asked for, the default one first. Those of an engine that could not start since the
    server did are there, and not installed."""
    names = shortest_names(chain)
    voices = [voice for member in chain.members for voice in _voices_of(member, names)]
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


def _voices_of(member: Member, names: Mapping[Any, str]) -> list[TtsVoice]:
    name = member.engine.name
    return [
        TtsVoice(
            name=names[voice],
            description=f"{voice.name} ({name})",
            attribution=ATTRIBUTIONS.get(name, Attribution(name, "")),
            installed=not member.never_started,
            version=None,
            languages=[voice.language],
            speakers=[TtsVoiceSpeaker(voice.speaker)] if voice.speaker else None,
        )
        for voice in member.voices
    ]
