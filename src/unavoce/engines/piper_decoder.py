"""A Piper sentence window by window: frames of its latent to exactly the samples that the whole would have there.

Imports ONNX Runtime, so it is imported late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unavoce.engines.onnx_runs import Run, Sound, outputs
from unavoce.errors import EngineError

if TYPE_CHECKING:
    from unavoce.engines.piper_halves import Halves


@dataclass(frozen=True, slots=True)
class Latent:
    """A sentence between encoder and decoder."""

    columns: NDArray[np.float32]
    """Shape (1, channels, frames)."""
    extra: Mapping[str, NDArray[Any]]
    """What else the decoder is given, by name."""

    @property
    def frames(self) -> int:
        return int(self.columns.shape[2])


def encode(onnx: Any, halves: Halves, inputs: Mapping[str, NDArray[Any]], run: Run) -> Latent:
    """A text's latent, by a session of the encoder. Raises `Stopped` after `run.stop()`, and `EngineError`."""
    names = [halves.latent, *halves.extra_inputs]
    columns, *extra = outputs(onnx, names, inputs, run)
    if columns.ndim != 3 or columns.shape[0] != 1:
        raise EngineError(f"the model's latent has the shape {columns.shape}")
    return Latent(columns, dict(zip(halves.extra_inputs, extra, strict=True)))


class Decoder:
    """A session of the decoder. Several threads may use it at once."""

    def __init__(self, onnx: Any, halves: Halves) -> None:
        self._onnx = onnx
        self._halves = halves

    def decode(self, latent: Latent, start: int, stop: int, run: Run) -> Sound:
        """The samples of frames `start` to `stop`, of which there must be at least one.

        Raises `Stopped` after `run.stop()`, and `EngineError`.
        """
        if not 0 <= start < stop <= latent.frames:
            raise ValueError(f"no window of {latent.frames} frames: {start} to {stop}")
        # At the sentence's own ends the window ends too, so that the padding there is the one of the whole.
        first, last = max(0, start - self._halves.context), min(latent.frames, stop + self._halves.context)
        given = {self._halves.latent: latent.columns[:, :, first:last], **latent.extra}
        sound = outputs(self._onnx, None, given, run)[0].reshape(-1)
        per_frame = self._halves.samples_per_frame
        if len(sound) != (last - first) * per_frame:
            raise EngineError(f"the model made {len(sound)} samples of {last - first} frames")
        return sound[(start - first) * per_frame : (stop - first) * per_frame]


def windows(frames: int, first: int, largest: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """Windows that cover frames `start` to `frames`: `first` frames, then twice as many each time, up to `largest`.

    The last one takes in what would be left over if that is less than half a window.
    """
    size = first
    while start < frames:
        stop = frames if frames - start < size * 3 / 2 else start + size
        yield start, stop
        start, size = stop, min(2 * size, largest)
