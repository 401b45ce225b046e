"""What a server says when it refuses: the shapes of error bodies, and what of them may be passed on. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

_LONGEST: Final = 65_536
"""Bytes of a body that are looked at."""
_SHOWN: Final = 600
"""Characters of a message that are looked through for the spoken text; fewer are shown."""
_ECHO: Final = 12
"""Characters in a row that a message shares with the spoken text: no accident."""
_TAG: Final = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code`: the server's name for the error; `param`: what of the request it is about; each empty where not said."""

    message: str
    code: str = ""
    param: str = ""


def read_refusal(body: bytes) -> Refusal:
    """What an error's body says: OpenAI's `error`, FastAPI's and ElevenLabs' `detail`, a message alone, or a page."""
    text = body[:_LONGEST].decode("utf-8", "replace")
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return Refusal(_TAG.sub(" ", text))
    for name in ("error", "detail"):
        if isinstance(value, dict) and value.get(name):
            value = value[name]
    if isinstance(value, str):
        return Refusal(value)
    if isinstance(value, list):
        return _invalid([item for item in value if isinstance(item, dict)])
    return _described(value) if isinstance(value, dict) else Refusal("")


def _invalid(items: list[dict[str, Any]]) -> Refusal:
    """FastAPI's list of what is wrong with a request. Its `input` is left out: it repeats what was to be spoken."""
    if not items:
        return Refusal("")
    places = [[str(part) for part in item["loc"]] if isinstance(item.get("loc"), list) else [] for item in items]
    said = [f"{'.'.join(place)}: {item.get('msg', '')}" for place, item in zip(places, items, strict=True)]
    return Refusal("; ".join(said), "invalid", places[0][-1] if places[0] else "")


def _described(value: Mapping[str, Any]) -> Refusal:
    def first(*names: str) -> str:
        return next((str(value[name]) for name in names if isinstance(value.get(name), str | int)), "")

    code = first("code", "status", "error", "type")
    return Refusal(first("message", "msg", "detail") or code, code, first("param"))


def without_echo(message: str, spoken: str) -> str:
    """`message` with every passage blotted out that repeats `spoken`, whole or in part, in upper or lower case."""
    message = message[:_SHOWN]
    if not spoken:
        return message
    message = message.replace(spoken, "…")
    runs = groupby(zip(message, _echoed(_lower(message), _lower(spoken)), strict=True), key=lambda pair: pair[1])
    return "".join("…" if echoed else "".join(char for char, _ in run) for echoed, run in runs)


def _echoed(message: str, spoken: str) -> list[bool]:
    """For each character of `message`, whether it belongs to a run that stands in `spoken` as well."""
    runs = {spoken[at : at + _ECHO] for at in range(len(spoken) - _ECHO + 1)}
    echoed = [False] * len(message)
    for at in range(len(message) - _ECHO + 1):
        if message[at : at + _ECHO] in runs:
            echoed[at : at + _ECHO] = [True] * _ECHO
    return echoed


def _lower(text: str) -> str:
    """Character by character, so that places stay what they are."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
