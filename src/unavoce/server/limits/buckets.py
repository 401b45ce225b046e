"""Token buckets: so many a second on average, and a few seconds' worth at once. As many buckets as callers, and no more
than a fixed number."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

BURST_S: Final = 10.0
"""So many seconds' worth may come at once."""
MOST: Final = 10_000
"""Callers remembered at a time; the one that came longest ago is forgotten first: its bucket is the fullest."""


class Buckets:
    """One bucket for each caller, full at first."""

    def __init__(self, rate_hz: float, *, most: int = MOST, now: Callable[[], float] = time.monotonic) -> None:
        self._rate_hz = rate_hz
        self._size = rate_hz * BURST_S
        self._most = most
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, caller: str) -> float:
        """Take one; 0, or the seconds until there is one to be taken."""
        level = self._level(caller)
        if level < 1:
            return (1 - level) / self._rate_hz
        self._note(caller, level - 1)
        return 0.0

    def owe(self, caller: str) -> float:
        """Take one whether or not it is there; the seconds to wait until it is paid for."""
        level = self._level(caller) - 1
        self._note(caller, level)
        return max(0.0, -level / self._rate_hz)

    def _level(self, caller: str) -> float:
        level, at_s = self._levels.get(caller, (self._size, 0.0))
        return min(self._size, level + (self._now() - at_s) * self._rate_hz)

    def _note(self, caller: str, level: float) -> None:
        self._levels[caller] = (level, self._now())
        self._levels.move_to_end(caller)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
