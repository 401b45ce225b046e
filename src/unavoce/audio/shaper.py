"""From an engine's sound to what leaves the server: rate, level, peaks, edges, pause."""

from __future__ import annotations

import numpy as np

from unavoce.audio.edges import Edges
from unavoce.audio.leveller import Leveller
from unavoce.audio.limiter import Limiter
from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.resample import Floats, Resampler, to_int16
from unavoce.errors import AudioError

SLICE = 28_000
"""Samples worked on at a time. Arrays of a whole clip are fetched from the system afresh for every sum, which takes
longer than the sums: measured, slices halve the time of a clip of 5 s."""
LEAST_PAUSE_S = 0.005
"""So that even a silent clip ends in a chunk that can be encoded."""


class SoundShaper:
    """One sentence's sound on its way out, piece by piece. Any split of the sound into pieces gives the same samples.

    Resampled statefully to `rate_hz`, brought to level by the voice's one `gain` (linear) and evened out around it,
    limited, leading and trailing silence trimmed, edges faded, then the pause. About 0.15 s of sound is kept back
    until `end`.
    """

    def __init__(self, rate_hz: int, gain: float = 1.0) -> None:
        self._rate_hz = rate_hz
        self._gain = np.float32(gain)
        self._from_hz = 0
        self._resampler: Resampler | None = None
        self._leveller = Leveller(rate_hz)
        self._limiter = Limiter(rate_hz)
        self._edges = Edges(rate_hz)

    def feed(self, pcm: Pcm) -> Samples:
        """What can leave now, perhaps nothing. Raises AudioError when the rate changes in mid-sentence."""
        resampler = self._resampler_from(pcm.rate_hz)
        slices = (pcm.samples[start : start + SLICE] for start in range(0, len(pcm.samples), SLICE))
        parts = [self._edges.feed(to_int16(self._even(resampler.feed(part)))) for part in slices]
        return np.concatenate([np.empty(0, np.int16), *parts])

    def end(self, pause_s: float) -> Samples:
        """The rest, then `pause_s` of silence (never none at all). Nothing may be fed after it."""
        rest = self._resampler.end() if self._resampler else np.empty(0, np.float32)
        levelled = np.concatenate([self._leveller.feed(rest * self._gain), self._leveller.end()])
        limited = np.concatenate([self._limiter.feed(levelled), self._limiter.end()])
        pause = np.zeros(round(max(pause_s, LEAST_PAUSE_S) * self._rate_hz), np.int16)
        return np.concatenate([self._edges.feed(to_int16(limited)), self._edges.end(), pause])

    def _resampler_from(self, rate_hz: int) -> Resampler:
        if self._resampler is None:
            self._from_hz = rate_hz
            self._resampler = Resampler(rate_hz, self._rate_hz)
        if rate_hz != self._from_hz:
            raise AudioError(f"the sample rate changed from {self._from_hz} to {rate_hz} Hz in mid-sentence")
        return self._resampler

    def _even(self, sound: Floats) -> Floats:
        return self._limiter.feed(self._leveller.feed(sound * self._gain))
