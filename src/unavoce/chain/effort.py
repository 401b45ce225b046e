"""What a second of an engine's sound costs: the measure of how many listeners it can serve. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

MEMORY_S = 60.0
"""Of sound: what was measured that long before the newest clip counts a third of it."""
ENOUGH_CLIPS, ENOUGH_S = 8, 15.0
"""Clips and seconds of sound until the cost counts as known: nobody is refused for a guess."""


class Cost(NamedTuple):
    """Of one second of sound, in seconds."""

    slot_s: float
    """That a slot of the engine is held."""
    work_s: float
    """The same times the threads that worked in it."""


class Effort:
    """A running average over whole clips, weighed by how long they sound."""

    def __init__(self) -> None:
        self._clips = 0
        self._heard_s = 0.0
        self._sound_s = self._slot_s = self._work_s = 0.0

    def add(self, sound_s: float, slot_s: float, work_s: float) -> None:
        """A clip of `sound_s` took so long. The first is not counted: a process's first inference is many times slower
        than any other."""
        self._clips += 1
        if self._clips == 1:
            return
        kept = math.exp(-sound_s / MEMORY_S)
        self._heard_s += sound_s
        self._sound_s = kept * self._sound_s + sound_s
        self._slot_s = kept * self._slot_s + slot_s
        self._work_s = kept * self._work_s + work_s

    @property
    def cost(self) -> Cost | None:
        """None until enough was measured."""
        if self._clips <= ENOUGH_CLIPS or self._heard_s < ENOUGH_S:
            return None
        return Cost(self._slot_s / self._sound_s, self._work_s / self._sound_s)
