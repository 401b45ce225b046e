"""What the leveller and the limiter share: a gain decided step by step, and straight lines drawn between the steps."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from unavoce.audio.resample import Floats

PerStep = NDArray[np.float64]
"""One number for each step."""


class GainStage(ABC):
    """Multiplies a stream by a gain that looks ahead. Any split of the input gives the same output, bit for bit:
    all arithmetic is done on whole steps, counted from the stream's first sample.
    """

    def __init__(self, step: int, ahead: int) -> None:
        """`step` in samples; `ahead` in steps: the output lags by this much until `end`."""
        self._step = step
        self._ahead = ahead
        self._waiting: Floats = np.empty(0, np.float32)
        self._measured: PerStep = np.empty(0)
        """Of the whole steps in `_waiting`."""
        self._gain: float | None = None
        """Where the last line ended; None before the first."""

    @abstractmethod
    def measure(self, steps: Floats) -> PerStep:
        """What matters of each step; `steps` has shape (n, step) and follows the steps measured before."""

    @abstractmethod
    def gains(self, measured: PerStep) -> PerStep:
        """The gain at the end of each step but the last `ahead`; follows the steps decided before."""

    def feed(self, samples: Floats) -> Floats:
        """What can leave now: all but the look-ahead and a step begun."""
        self._waiting = np.concatenate([self._waiting, samples])
        return self._apply(len(self._waiting) // self._step - self._ahead)

    def end(self) -> Floats:
        """The rest: as many samples have come out as went in."""
        left = len(self._waiting)
        steps = -(-left // self._step)
        self._waiting = np.pad(self._waiting, (0, (steps + self._ahead) * self._step - left))
        return self._apply(steps)[:left]

    def _apply(self, count: int) -> Floats:
        """The first `count` waiting steps, times their gain."""
        if count <= 0:
            return np.empty(0, np.float32)
        rows = self._waiting[: (count + self._ahead) * self._step].reshape(-1, self._step)
        self._measured = np.concatenate([self._measured, self.measure(rows[len(self._measured) :])])
        ends = self.gains(self._measured)
        starts = np.concatenate([ends[:1] if self._gain is None else [self._gain], ends[:-1]])
        self._measured, self._gain = self._measured[count:], float(ends[-1])
        self._waiting = self._waiting[count * self._step :]
        return _ramped(rows[:count], starts, ends)


def _ramped(rows: Floats, starts: PerStep, ends: PerStep) -> Floats:
    """Each row's gain runs straight from its start's to its end's."""
    out = rows.copy()
    # Most of the limiter's rows pass as they are, and arithmetic on every sample is what this costs.
    changed = np.flatnonzero((starts != 1.0) | (ends != 1.0))
    if len(changed):
        some = slice(changed[0], changed[-1] + 1)
        way = np.arange(1, rows.shape[1] + 1, dtype=np.float32) / np.float32(rows.shape[1])
        gains = (ends - starts)[some, None].astype(np.float32) * way
        gains += starts[some, None].astype(np.float32)
        out[some] *= gains
    return out.reshape(-1)
