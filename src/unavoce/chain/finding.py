"""Which voice is meant by a name together with a speaker, or by a language; and by which name a voice is found."""

from __future__ import annotations

from unavoce.chain.chain import Chain
from unavoce.engines.base import Voice
from unavoce.errors import RequestError


def full_name(voice: Voice) -> str:
    """The name that no other voice has."""
    return f"{voice.engine}/{voice.name}"


def shortest_names(chain: Chain) -> dict[Voice, str]:
    """For each voice its own name, or the full one where another voice is found by that."""
    found: dict[str, Voice] = {}
    for voice in chain.voices():
        for name in (voice.name, voice.engine, full_name(voice)):
            found.setdefault(name, voice)
    return {voice: voice.name if found[voice.name] == voice else full_name(voice) for voice in chain.voices()}


def named(name: str, speaker: str | None, chain: Chain) -> Voice:
    """The voice called `name` that speaks as `speaker`, where one is given. Raises RequestError `unknown_voice`."""
    voice = chain.find_voice(name)
    if not speaker:
        return voice
    for one in chain.voices():
        if name in (one.name, one.engine, full_name(one)) and speaker in (one.speaker, one.name):
            return one
    raise RequestError("unknown_voice", f"voice {name!r} has no speaker {speaker!r}")


def speaking(language: str, chain: Chain) -> Voice:
    """The first voice of exactly that language, else of that language as it is spoken elsewhere.

    Raises RequestError `unknown_voice`.
    """
    tag = _tag(language)
    near = [voice for voice in chain.voices() if _tag(voice.language)[0] == tag[0]]
    for voice in (*(voice for voice in near if _tag(voice.language) == tag), *near):
        return voice
    known = ", ".join(sorted({voice.language for voice in chain.voices()})[:20])
    raise RequestError("unknown_voice", f"no voice speaks {language!r}; languages here: {known}")


def _tag(language: str) -> list[str]:
    """`en_GB` and `en-gb` are the same language."""
    return language.lower().replace("_", "-").split("-")
