"""From one sample rate to another: whole, or piece by piece with state."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr  # type: ignore[import-untyped]
from numpy.typing import NDArray

from unavoce.audio.pcm import Samples

Floats = NDArray[np.float32]
"""Shape (n,), mono, on the scale of int16 (full scale is 32768)."""


class Resampler:
    """soxr, high quality. Gives n · out / in samples ±1 with no delay, the same for any split.

    Floats all the way: soxr dithers int16, and a dither would differ with the split of the pieces.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._soxr = None if from_hz == to_hz else _soxr_stream(from_hz, to_hz)

    def feed(self, samples: Samples) -> Floats:
        """What can leave now; soxr keeps up to 50 ms back."""
        return self._through(samples, last=False)

    def end(self) -> Floats:
        """The rest."""
        return self._through(np.empty(0, np.int16), last=True)

    def _through(self, samples: Samples, *, last: bool) -> Floats:
        floats = samples.astype(np.float32)
        return floats if self._soxr is None else np.asarray(self._soxr.resample_chunk(floats, last=last), np.float32)


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """All of `samples` at another rate."""
    if from_hz == to_hz:
        return samples
    resampler = Resampler(from_hz, to_hz)
    return to_int16(np.concatenate([resampler.feed(samples), resampler.end()]))


def to_int16(values: NDArray[np.floating[Any]]) -> Samples:
    """Rounded to the nearest sample, kept within int16."""
    return np.asarray(np.clip(np.rint(values), -32768, 32767).astype(np.int16))


def _soxr_stream(from_hz: int, to_hz: int) -> Any:
    return soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
