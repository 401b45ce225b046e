"""What a client asks for: an event's data as one of the package's own records, and the voice that is meant."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError
from wyoming.event import Event, Eventable
from wyoming.tts import SynthesizeVoice

from unavoce.chain.chain import Chain
from unavoce.chain.finding import full_name, named, speaking
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
        return full_name(named(wanted.name, wanted.speaker, chain))
    if wanted.language:
        return full_name(speaking(wanted.language, chain))
    return None
