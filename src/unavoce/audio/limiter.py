"""A look-ahead limiter: turns the sound down before a peak, so that no sample passes the ceiling and nothing clicks.

Gain is decided on steps of 1 ms. A line drawn between the gains at a step's two ends stays below what the step's
loudest sample allows, since both ends do; so the ceiling holds exactly, and the gain never jumps.
"""

from __future__ import annotations

import numpy as np

from unavoce.audio.gain import GainStage, PerStep
from unavoce.audio.resample import Floats

CEILING = 10 ** (-1 / 20) * 32768
"""-1 dBFS: room for what a decoder of lossy sound overshoots."""
LOOK_AHEAD_MS = 4
"""In which the gain falls before a peak; a shorter fall would be heard as distortion."""
_RELEASE = 2.0**-7
"""Gain that comes back each step: from half to full in 64 ms. A power of two, so that sums of it are exact."""
_FINE = 2.0**20
"""Gains are whole multiples of 1/_FINE, so that their sums with the release are exact too, and no split shows."""


class Limiter(GainStage):
    """Takes and gives floats on the scale of int16. Identity, but for the lag, below the ceiling."""

    def __init__(self, rate_hz: int) -> None:
        super().__init__(step=max(1, rate_hz // 1000), ahead=LOOK_AHEAD_MS)
        self._last = 1.0

    def measure(self, steps: Floats) -> PerStep:
        """The gain that each step's loudest sample allows."""
        peaks = np.abs(steps).max(axis=1, initial=0.0).astype(np.float64)
        return np.asarray(np.floor(CEILING / np.maximum(peaks, CEILING) * _FINE) / _FINE)

    def gains(self, measured: PerStep) -> PerStep:
        """Down by an equal share of the look-ahead a step, all of it in time for the peak; up by the release."""
        count = len(measured) - LOOK_AHEAD_MS
        wanted = measured[:count].copy()
        for ahead in range(1, LOOK_AHEAD_MS + 1):
            # A peak `ahead` steps on: what it allows, plus what can still be shed on the way.
            shed = (ahead - 1) / LOOK_AHEAD_MS
            np.minimum(wanted, measured[ahead : ahead + count] + shed, out=wanted)
        climb = _RELEASE * np.arange(1, count + 1)
        gains = np.minimum(np.minimum.accumulate(wanted - climb), self._last) + climb
        self._last = float(gains[-1])
        return np.asarray(gains)
