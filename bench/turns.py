"""Times of short things that take turns, so that a busy moment hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TypeVar

from bench.figures import paired_ratio

T = TypeVar("T")
Timed = dict[str, list[float]]
"""Microseconds by the name of what was timed, one for each turn."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Of many times of one thing, microseconds."""

    median_us: float
    p95_us: float
    most_us: float

    @classmethod
    def of(cls, times_us: Sequence[float]) -> Taken:
        """Raises ValueError when there are none."""
        if not times_us:
            raise ValueError("nothing was measured")
        known = sorted(times_us)
        return cls(round(median(known), 1), round(known[(len(known) - 1) * 95 // 100], 1), round(known[-1], 1))

    def shown(self) -> str:
        return f"{self.median_us:,.0f} ({self.p95_us:,.0f})"


def in_turns(things: Mapping[str, Callable[[int], object]], turns: int) -> Timed:
    """Call each thing once a turn, with the turn's number, another one first each time."""
    timed: Timed = {name: [] for name in things}
    for turn in range(turns):
        for name in rotated(list(things), turn):
            began_s = perf_counter()
            things[name](turn)
            timed[name].append((perf_counter() - began_s) * 1e6)
    return timed


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The names, another one first each turn."""
    first = turn % len(names)
    return [*names[first:], *names[:first]]


def sure(found: T | None) -> T:
    """Raises RuntimeError for a miss: it must not be counted as a fast hit."""
    if found is None:
        raise RuntimeError("a clip that was kept was not found")
    return found


def ratio(timed: Timed, one: str, other: str) -> str:
    """The median of the ratios of one turn each."""
    return f"{paired_ratio(timed[one], timed[other]).median:.2f}"
