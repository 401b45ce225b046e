"""A clip as the cache keeps it: its sound, whose it is, and what it took to make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Voice


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


DAY_S: Final = 86_400.0
RELEASED: Final = 1_790_000_000.0
"""A clock before September 2026 is one that has not been set yet: by it nothing is too old."""


@dataclass(frozen=True, slots=True)
class MaxAge:
    """How old a clip may become."""

    age_s: float

    def oldest(self, now: float) -> float:
        """What was made before is too old. Unix time, as `now` is."""
        return now - self.age_s if now > RELEASED else float("-inf")

    def latest(self, now: float) -> float:
        """What claims to be made later was dated by a wrong clock: it is not kept, since it might never grow old."""
        return now + DAY_S if now > RELEASED else float("inf")

    def passed(self, made_at: float, now: float) -> bool:
        return not self.oldest(now) <= made_at <= self.latest(now)


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
