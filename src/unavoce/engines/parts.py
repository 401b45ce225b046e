"""A text before it goes to a server: whether it can be spoken at all, and its parts where it is too long. Pure."""

from __future__ import annotations

import re

from unavoce.errors import EngineRefused

_PLACES = (
    re.compile(r"""[.!?…;:]["'”’)]*(?=\s)|[。！？；：…]"""),  # noqa: RUF001
    re.compile(r"[,—–](?=\s)|[，、—]"),  # noqa: RUF001
    re.compile(r"\S(?=\s)"),
)
"""After what a text may be cut, the best kind first. "3.50" and "10:30" hold no such place."""


def check_speakable(spoken: str, limit: int) -> None:
    """Raises EngineRefused for what a server would answer with a fault of its own: no words, or too many."""
    if not any(char.isalnum() for char in spoken):
        raise EngineRefused("nothing in this text can be spoken")
    if len(spoken) > limit:
        raise EngineRefused(f"{len(spoken)} characters; {limit} are taken at a time")


def in_parts(spoken: str, limit: int) -> list[str]:
    """`spoken` in parts of at most `limit` code points, cut at the best place in the latter half of each."""
    parts, rest = [], spoken.strip()
    while len(rest) > limit:
        at = _cut(rest, limit)
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [part for part in [*parts, rest] if part]


def _cut(text: str, limit: int) -> int:
    for place in _PLACES:
        # One character beyond the limit is looked at, to see whether a space follows.
        ends = [found.end() for found in place.finditer(text, limit // 2, limit + 1) if found.end() <= limit]
        if ends:
            return ends[-1]
    return limit
