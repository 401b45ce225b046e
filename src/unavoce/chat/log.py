"""A reply's events as they left, kept for a client that comes back: bounded, numbers unchanged."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 8 * 1024 * 1024
"""About two and a half minutes of WAV at 24 kHz: more than is ever sent ahead of a listener (30 s) together with what
is sent before a dead connection is noticed (its ping interval and time-out)."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    name: str
    payload: dict[str, Any]
    index: int | None
    """The chunk's, for sound."""
    size: int


class EventLog:
    """The newest events of one reply, oldest dropped first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._bytes = 0

    def add(self, name: str, payload: dict[str, Any], index: int | None = None) -> None:
        size = 200 + sum(len(value) for value in payload.values() if isinstance(value, str | bytes))
        self._entries.append(Entry(name, payload, index, size))
        self._bytes += size
        while self._bytes > MAX_BYTES:
            self._bytes -= self._entries.popleft().size

    def after(self, index: int) -> list[Entry]:
        """What followed chunk `index` (-1: everything), text and sound, as far back as it is kept."""
        for place, entry in enumerate(self._entries):
            if entry.index == index:
                return list(self._entries)[place + 1 :]
        return [entry for entry in self._entries if entry.index is None or entry.index > index]

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._bytes

    def keep_only(self, names: Collection[str]) -> None:
        """Drop every event of another name."""
        self._entries = deque(entry for entry in self._entries if entry.name in names)
        self._bytes = sum(entry.size for entry in self._entries)
