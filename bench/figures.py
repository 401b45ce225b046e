"""Figures from events. Pure: every time is given, in seconds of one steady clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

A_GAP_S = 0.02
"""A shorter silence is not counted as a gap: no listener tells it from the pause after a sentence."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A chunk as it reached the listener: when, and how long it plays."""

    at_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply as a listener got it."""

    first_token_s: float
    arrivals: Sequence[Arrival]
    cpu_s: float
    """Of the whole process, all threads, from the first token to the last chunk."""

    @property
    def first_sound_s(self) -> float:
        """From the first token to the first chunk. Raises ValueError for a reply without sound."""
        if not self.arrivals:
            raise ValueError("no sound came")
        return self.arrivals[0].at_s - self.first_token_s

    @property
    def sound_s(self) -> float:
        return sum(arrival.duration_s for arrival in self.arrivals)

    @property
    def real_time_factor(self) -> float:
        """From the first token to the last chunk, by the seconds of sound; tells of synthesis if text came at once."""
        if not self.arrivals:
            raise ValueError("no sound came")
        return (self.arrivals[-1].at_s - self.first_token_s) / self.sound_s

    @property
    def cpu_per_sound(self) -> float:
        """CPU seconds per second of sound."""
        return self.cpu_s / self.sound_s

    @property
    def underrun_s(self) -> float:
        return underrun_s(self.arrivals)


def underrun_s(arrivals: Iterable[Arrival]) -> float:
    """Silence between chunks, all of it together."""
    return sum(silences_s(arrivals))


def silences_s(arrivals: Iterable[Arrival]) -> list[float]:
    """Each silence between chunks for a listener who plays the first one at once and each next one as it can."""
    found: list[float] = []
    dry_at_s: float | None = None
    for arrival in arrivals:
        if dry_at_s is not None and arrival.at_s > dry_at_s:
            found.append(arrival.at_s - dry_at_s)
        starts_s = arrival.at_s if dry_at_s is None else max(arrival.at_s, dry_at_s)
        dry_at_s = starts_s + arrival.duration_s
    return found


def gaps_s(arrivals: Iterable[Arrival]) -> list[float]:
    """The silences that a listener notices."""
    return [silent_s for silent_s in silences_s(arrivals) if silent_s > A_GAP_S]


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Raises ValueError when there are none."""
        known = sorted(values)
        if not known:
            raise ValueError("nothing was measured")
        return cls(median(known), known[0], known[-1])

    def shown(self, digits: int = 2) -> str:
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def paired_ratio(measured: Sequence[float], against: Sequence[float]) -> Spread:
    """Ratios of measurements made in turns: each to the one of its own turn, so that a busy minute hits both."""
    return Spread.of(one / other for one, other in zip(measured, against, strict=True))


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all do not exceed: the nearest rank, nothing in between.

    Of fewer than a hundred values the 99th percentile is the greatest. Raises ValueError when there are none.
    """
    known = sorted(values)
    if not known:
        raise ValueError("nothing was measured")
    return known[max(0, math.ceil(share * len(known)) - 1)]


def token_completing(tokens: Sequence[str], end: int) -> int:
    """Index of the token that brings the text to `end` code points, counted without what follows the sentence.

    Raises ValueError when the tokens are shorter than that.
    """
    length = 0
    for index, token in enumerate(tokens):
        length += len(token)
        if length >= end:
            return index
    raise ValueError(f"the tokens hold {length} code points, not {end}")


def tokens_per_second(count: int, first_s: float, last_s: float) -> float:
    """Of a stream of `count` tokens; the first one only starts the clock. Raises ValueError where there is no rate."""
    if count < 2 or last_s <= first_s:
        raise ValueError("a rate needs two tokens and the time between them")
    return (count - 1) / (last_s - first_s)
