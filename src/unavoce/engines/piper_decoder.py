"""A Piper sentence window by window: frames of its latent to exactly the samples that the whole would have there.

Imports ONNX Runtime, so it is imported late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unavoce.engines.onnx_runs import Run, Sound, outputs
from unavoce.engines.piper_spans import Span, cut_names, spans
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
        levels, per_frame = self._halves.levels, self._halves.samples_per_frame
        (first, last), *cuts, (begin, end) = spans(latent.frames, (start, stop), levels, per_frame)
        given = {self._halves.latent: latent.columns[:, :, first:last], **latent.extra, **_told(cuts)}
        sound = outputs(self._onnx, None, given, run)[0].reshape(-1)[begin:end]
        if len(sound) != (stop - start) * per_frame:
            raise EngineError(f"the model made {len(sound)} samples of {stop - start} frames")
        return sound


def _told(cuts: Sequence[Span]) -> dict[str, NDArray[np.int64]]:
    """The decoder's inputs that say where it is to cut."""
    told = {}
    for number, span in enumerate(cuts, 1):
        for name, place in zip(cut_names(number), span, strict=True):
            told[name] = np.array([place], dtype=np.int64)
    return told
