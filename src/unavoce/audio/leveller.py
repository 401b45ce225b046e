"""Evens out the loudness of a voice from sentence to sentence, for sound that cannot wait for its own end.

One gain per voice is not enough: the sentences of a Piper voice at its natural level lie 4 LU apart. A sentence's
integrated loudness is the mean over its syllables, so syllables are brought nearer to the voice's level, each by a
gain seen from the sound around it. Twenty sentences of the packaged voice: 4.1 LU apart before, 1.2 after.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unavoce.audio.gain import GainStage, PerStep
from unavoce.audio.loudness import TARGET_LUFS
from unavoce.audio.resample import Floats

BEHIND, AHEAD = 6, 9
"""Steps of 10 ms that a gain looks at. What lies ahead costs as much lag (of sound, not of time to first sound where an
engine's first piece is longer); without it the loud start of a syllable gets through, and the spread is 2.1 LU."""
_MAX_CHANGE = 2.0
"""Linear, up or down: 6 dB."""
_PRE_EMPHASIS = 0.4
"""A first difference in place of BS.1770's K-weighting, whose filters look back without end."""
_AS_K_WEIGHTED = 2.75
"""Power of K-weighted speech over that of pre-emphasised speech."""
_TARGET = 32768 * 10 ** ((TARGET_LUFS + 0.691) / 20)
"""Root mean square of K-weighted sound at the target loudness, on the scale of int16."""
_GATE = 10 ** (-28 / 20)
"""Steps this far below the target are pauses and breath: they decide nothing, and are not drawn up."""
_TRUST = 0.1
"""Weight of the voice's own level against what is seen, so that a lone quiet step changes little."""
_MAKE_UP = 10 ** (1.0 / 20)
"""The mean of levelled speech lies 1 LU under the target, since the gated mean of powers weighs loud syllables most."""


class Leveller(GainStage):
    """Takes and gives floats on the scale of int16,  near TARGET_LUFS already. Gain moves within ±6 dB."""

    def __init__(self, rate_hz: int) -> None:
        super().__init__(step=max(1, rate_hz // 100), ahead=AHEAD)
        self._last_sample = 0.0
        self._behind: PerStep = np.zeros(BEHIND - 1)
        self._weights = _window(BEHIND + AHEAD)

    def measure(self, steps: Floats) -> PerStep:
        """Each step's level over the target; 0 for what the gate leaves out."""
        flat = steps.reshape(-1).astype(np.float64)
        before = np.concatenate([[self._last_sample], flat[:-1]])
        self._last_sample = float(flat[-1]) if len(flat) else self._last_sample
        power = np.square(flat - _PRE_EMPHASIS * before).reshape(steps.shape).mean(axis=1)
        levels = np.sqrt(power * _AS_K_WEIGHTED) / _TARGET
        return np.where(levels > _GATE, levels, 0.0)

    def gains(self, measured: PerStep) -> PerStep:
        """The inverse of the mean level around each step's end."""
        levels = np.concatenate([self._behind, measured])
        count = len(measured) - AHEAD
        self._behind = levels[count : count + BEHIND - 1]
        total, weight = np.full(count, _TRUST), np.full(count, _TRUST)
        # Tap by tap and not as a convolution, whose order of sums may depend on the length.
        for tap, share in enumerate(self._weights):
            seen = levels[tap : tap + count]
            total += share * seen
            weight += share * (seen > 0)
        return np.asarray(np.clip(weight / total, 1 / _MAX_CHANGE, _MAX_CHANGE) * _MAKE_UP)


def _window(size: int) -> NDArray[np.float64]:
    """A Hann window that sums to 1."""
    window = np.hanning(size + 2)[1:-1]
    return np.asarray(window / window.sum())
