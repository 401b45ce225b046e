"""A clip as the cache keeps it: its sound, whose it is, and what it took to make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Voice
from unavoce.storage.ages import MaxAge


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Never holds the text."""

    clip: Pcm
    """As the engine made it: before gain, edges and pause."""
    voice: Voice
    made_at: float
    """Unix time, seconds."""
    synthesis_s: float = 0.0
    """What its synthesis took."""
    cost: float = 0.0
    """What its engine charges for it."""


RESERVE_BYTES: Final = 256 << 20
"""Free space that is left to others: below it the cache takes up nothing more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the disk tier."""

    max_bytes: int = 1 << 30
    max_entries: int = 10_000
    max_age: MaxAge | None = None
    phrases_only: bool = False
    """Only what is kept warm reaches the disk."""
    reserve_bytes: int = RESERVE_BYTES


@dataclass(frozen=True, slots=True)
class Which:
    """The clips that something is to be done to: all that fit every field that is given."""

    engine: str | None = None
    voice: str | None = None
    made_before: float | None = None
    """Unix time, seconds."""

    def fits(self, engine: str, voice: str, made_at: float) -> bool:
        return (
            self.engine in (None, engine)
            and self.voice in (None, voice)
            and (self.made_before is None or made_at < self.made_before)
        )
