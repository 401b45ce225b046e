"""Evens out the loudness of a voice from sentence to sentence, for sound that cannot wait for its own end.

One gain per voice is not enough: the sentences of a Piper voice at its natural level lie 3 to 6 LU apart. Two things
narrow that. Syllables are brought part of the way to the voice's level, each by a gain seen from the sound around it.
And while a sentence is spoken, its loudness so far is measured as a meter will measure it; what it came out too loud or
too soft, the rest makes up for. Measurements and what else was tried: docs/decisions/004-loudness.md.
"""

from __future__ import annotations

from collections import deque
from math import sqrt

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from unavoce.audio.gain import GainStage, PerStep
from unavoce.audio.loudness import TARGET_LUFS, k_weights
from unavoce.audio.resample import Floats

BEHIND, AHEAD = 11, 10
"""Steps of 10 ms that a gain looks at. What lies ahead costs as much lag (of sound, not of time to first sound where an
engine's first piece is longer); without it the loud start of a syllable gets through."""
GREATEST_GAIN = 10 ** (12 / 20)
LEAST_GAIN = 1 / GREATEST_GAIN
FASTEST = 10 ** (1.5 / 20)
"""A step's gain over the last one's, at most, and its inverse at least: 150 dB a second."""
_TARGET = 32768**2 * 10 ** ((TARGET_LUFS + 0.691) / 10)
"""Mean square of K-weighted sound at the target loudness, on the scale of int16. Powers below are in units of it."""
_LAGS = 3
_GATE = 10 ** (-28 / 10)
"""Steps this far below the target are pauses and breath: they decide nothing, and are not drawn up."""
_TRUST = 0.1
"""Weight of the voice's own level against what is seen, so that a lone quiet step changes little."""
_SPEECH = 0.2
"""Where less than this share of what is seen is speech, the gain stays as it is."""

BLOCK = 40
"""Steps of one block of the meter."""
_PATIENCE = 30
"""Steps in which a departure from the target is to be made up for. Shorter, emphasis is worn down; longer, the last
words of a short sentence come too late."""
_EARLIEST = 15
"""Steps of the first block that must be known before anything is corrected."""
_PRIOR = 5
"""Blocks at the target that every sentence is thought to begin with."""
_MOST_CORRECTION = 10 ** (3 / 10)


class Leveller(GainStage):
    """Takes and gives floats on the scale of int16, near TARGET_LUFS already. Its gain stays within 12 dB of 1,
    moves no faster than 150 dB a second and rests in pauses."""

    def __init__(self, rate_hz: int) -> None:
        super().__init__(step=max(1, rate_hz // 100), ahead=AHEAD)
        self._spacing, self._k_weights = k_weights(rate_hz, _LAGS)
        self._last_samples: Floats = np.zeros(_LAGS * self._spacing, np.float32)
        self._behind: PerStep = np.zeros(BEHIND - 1)
        self._now = 1.0
        self._so_far = _SoFar()

    def measure(self, steps: Floats) -> PerStep:
        """Each step's K-weighted power over the target's."""
        flat = np.concatenate([self._last_samples, steps.reshape(-1)])
        begin = len(self._last_samples)
        self._last_samples = flat[len(flat) - begin :]
        # Lag by lag and not as a convolution, whose order of sums may depend on the length.
        weighted = self._k_weights[0] * flat[begin:]
        for lag, weight in enumerate(self._k_weights[1:], 1):
            start = begin - lag * self._spacing
            weighted += weight * flat[start : start + len(weighted)]
        weighted *= flat[begin:]
        powers = weighted.reshape(steps.shape).mean(axis=1).astype(np.float64)
        return np.asarray(np.maximum(powers, 0.0) / _TARGET)

    def gains(self, measured: PerStep) -> PerStep:
        """Part of the way to the target from what is seen, corrected by what the sentence came to so far."""
        powers = np.concatenate([self._behind, measured])
        count = len(measured) - AHEAD
        self._behind = powers[count : count + BEHIND - 1]
        wanted, speech = _seen(powers, count)
        # One after the other, since a gain depends on what the last ones did; the look-ahead is left over.
        steps = zip(wanted.tolist(), (speech > _SPEECH).tolist(), measured.tolist(), strict=False)
        return np.array([self._next(*step) for step in steps])

    def _next(self, wanted: float, speech: bool, power: float) -> float:
        now = self._now
        if speech:
            wanted *= self._so_far.correction
            wanted = _within(now / FASTEST, wanted, now * FASTEST)
            self._now = now = _within(LEAST_GAIN, wanted, GREATEST_GAIN)
        self._so_far.add(power * now * now)
        return now


def _seen(powers: PerStep, count: int) -> tuple[PerStep, PerStep]:
    """For each of `count` steps: the gain that what is around it asks for, and the share of it that is speech."""
    heard = powers > _GATE
    # Fourth roots, so that one loud step among those seen does not decide alone.
    roots = np.where(heard, np.sqrt(np.sqrt(powers)), 0.0)
    # Row by row and not as a convolution, whose order of sums may depend on the length.
    around = sliding_window_view(np.stack([roots, heard]), len(_WINDOW), axis=1)[:, :count]
    total, speech = (around * _WINDOW).sum(axis=2)
    root = (total + _TRUST) / (speech + _TRUST)
    # 3/4 of the way in dB: the level to the power of -3/4, in operations that round alike everywhere.
    return np.asarray(1 / (root * np.sqrt(root))), speech


class _SoFar:
    """The loudness of a sentence up to now, in the blocks of BS.1770, one every step, gated 10 dB below their mean."""

    __slots__ = ("_block", "_count", "_sum", "_total", "correction")

    def __init__(self) -> None:
        self._block: deque[float] = deque()
        self._sum = 0.0
        """Of `_block`."""
        self._total = float(_PRIOR)
        self._count = _PRIOR
        self.correction = 1.0
        """The gain, within 3 dB, that makes up in _PATIENCE for what is too much or too little."""

    def add(self, power: float) -> None:
        """One more step of what leaves; the first that counts is the first of speech."""
        block = self._block
        if not block and power <= _GATE:
            return
        block.append(power)
        self._sum += power
        if len(block) > BLOCK:
            self._sum -= block.popleft()
            mean = self._sum / BLOCK
            if mean * self._count > 0.1 * self._total:
                self._total += mean
                self._count += 1
        if len(block) >= _EARLIEST:
            self._correct(len(block))

    def _correct(self, known: int) -> None:
        # The block under way weighs as much as those that will overlap with it.
        departure = 1 - (self._total + self._sum / known * BLOCK) / (self._count + BLOCK)
        wanted = 1 + (self._count - _PRIOR + known / 4) / _PATIENCE * departure
        self.correction = sqrt(_within(1 / _MOST_CORRECTION, wanted, _MOST_CORRECTION))


def _within(least: float, value: float, most: float) -> float:
    """Thrice as fast as min and max, for what runs at every step on the event loop."""
    return least if value < least else most if value > most else value


def _hann(size: int) -> NDArray[np.float64]:
    """Without its zeros; sums to 1."""
    window = np.hanning(size + 2)[1:-1]
    return np.asarray(window / window.sum())


_WINDOW = _hann(BEHIND + AHEAD)
