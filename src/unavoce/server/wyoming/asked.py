"""What a client asks for: an event's data as one of the package's own records, and the voice that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError
from wyoming.event import Event, Eventable
from wyoming.tts import SynthesizeVoice

from unavoce.chain.chain import Chain
from unavoce.engines.base import Voice
from unavoce.errors import RequestError

LONGEST_NAME = 200
"""Characters of a name that is looked for at all."""

A = TypeVar("A", bound=Eventable)


class Written(Protocol):
    """An event that brings a text or announces one."""

    voice: SynthesizeVoice | None
    text_format: Any


def parse(kind: type[A], event: Event) -> A:
    """The event's data as a `kind`, which does not check them itself. Raises RequestError `invalid`."""
    try:
        found: A = _adapter(kind).validate_python(event.data)
        return found
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "data"
        raise RequestError("invalid", f"{event.type[:60]}: {place[:100]}: {first['msg']}") from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def voice_for(written: Written, chain: Chain) -> str | None:
    """Which voice is meant, as the chain calls it; None for the default one.

    A name comes before a language. Raises RequestError `unknown_voice`, or `invalid` where the text is not plain.
    """
    if written.text_format not in (None, "text"):
        raise RequestError("invalid", "text_format: only text is read here; send it without marks")
    wanted = written.voice or SynthesizeVoice()
    if any(len(one or "") > LONGEST_NAME for one in (wanted.name, wanted.language, wanted.speaker)):
        raise RequestError("unknown_voice", f"no voice has a name of more than {LONGEST_NAME} characters")
    if wanted.name:
        return _full_name(_named(wanted.name, wanted.speaker, chain))
    if wanted.language:
        return _full_name(_speaking(wanted.language, chain.voices()))
    return None


def _named(name: str, speaker: str | None, chain: Chain) -> Voice:
    voice = chain.find_voice(name)
    if not speaker:
        return voice
    for one in chain.voices():
        if name in (one.name, one.engine, _full_name(one)) and speaker in (one.speaker, one.name):
            return one
    raise RequestError("unknown_voice", f"voice {name!r} has no speaker {speaker!r}")


def _speaking(language: str, voices: Sequence[Voice]) -> Voice:
    """The first of exactly that language, else of that language spoken elsewhere."""
    tag = _tag(language)
    near = [voice for voice in voices if _tag(voice.language)[0] == tag[0]]
    for voice in (*(voice for voice in near if _tag(voice.language) == tag), *near):
        return voice
    known = ", ".join(sorted({voice.language for voice in voices})[:20])
    raise RequestError("unknown_voice", f"no voice speaks {language!r}; languages here: {known}")


def _tag(language: str) -> list[str]:
    """`en_GB` and `en-gb` are the same language."""
    return language.lower().replace("_", "-").split("-")


def _full_name(voice: Voice) -> str:
    return f"{voice.engine}/{voice.name}"
