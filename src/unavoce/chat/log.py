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
    place: int
    """Events that had been told when this one was queued: a client that has it has those."""
    size: int


class EventLog:
    """The newest events of one reply, oldest dropped first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self.told = 0
        """Events added so far, those no longer kept among them."""

    def add(self, name: str, payload: dict[str, Any], index: int | None = None, place: int | None = None) -> None:
        """An event that was told, or chunk `index` that has left; `place` is what `told` was when it was queued."""
        size = 200 + sum(len(value) for value in payload.values() if isinstance(value, str | bytes))
        self._entries.append(Entry(name, payload, index, self.told if place is None else place, size))
        self.told += 1
        self._bytes += size
        while self._bytes > MAX_BYTES:
            self._bytes -= self._entries.popleft().size

    def after(self, index: int) -> list[Entry]:
        """What was queued after chunk `index` (-1: everything), text and sound, as far back as it is kept.

        A chunk waits its turn before it leaves, and text that is told meanwhile stands before it here and after it on
        the wire: the places tell.
        """
        place = next((entry.place for entry in self._entries if entry.index == index), 0)
        return [
            entry for entry in self._entries if (entry.place >= place if entry.index is None else entry.index > index)
        ]

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._bytes

    def keep_only(self, names: Collection[str]) -> None:
        """Drop every event of another name."""
        self._entries = deque(entry for entry in self._entries if entry.name in names)
        self._bytes = sum(entry.size for entry in self._entries)
