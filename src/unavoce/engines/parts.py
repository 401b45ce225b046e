"""A text that is longer than one call of an engine takes, in parts that are not. Pure."""

from __future__ import annotations

import re

_PLACES = (re.compile(r"(?<=[.!?…;:。！？；：])\s*"), re.compile(r"(?<=[,—–，、])\s*"), re.compile(r"\s+"))  # noqa: RUF001
"""Where a text may be cut, the best kind first."""


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
        ends = [found.start() for found in place.finditer(text, limit // 2, limit + 1) if 0 < found.start() <= limit]
        if ends:
            return ends[-1]
    return limit
