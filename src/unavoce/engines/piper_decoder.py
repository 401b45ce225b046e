"""A Piper sentence window by window: frames of its latent to exactly the samples that the whole would have there.

Imports ONNX Runtime, so it is imported late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from unavoce.engines.onnx_runs import Run, Sound, outputs
from unavoce.engines.piper_spans import Span, cut_names, flow_step, spans
from unavoce.errors import EngineError

if TYPE_CHECKING:
    from unavoce.engines.piper_parts import Flow, Halves

Tensors = Mapping[str, NDArray[Any]]
COLUMNS: Final = 3
"""Dimensions of what has a column per frame."""


@dataclass(slots=True)
class Latent:
    """A sentence between encoder and decoder. For one thread at a time."""

    frames: int
    extra: Tensors
    """What else the decoder is given, by name."""
    columns: NDArray[np.float32]
    """Those there are, from the first on: shape (1, channels, at most frames). The flow makes the others."""
    by_frame: Tensors
    """What the flow is given, with a column per frame each."""
    still: Tensors
    """What else it is given."""


def encode(onnx: Any, halves: Halves, inputs: Tensors, run: Run) -> Latent:
    """A text's latent, by a session of the encoder. Raises `Stopped` after `run.stop()`, and `EngineError`."""
    first = [halves.flow.source, *halves.flow.extra] if halves.flow else [halves.latent]
    names = [*first, *(name for name in halves.extra_inputs if name not in first)]
    made = dict(zip(names, outputs(onnx, names, inputs, run), strict=True))
    source = made[first[0]]
    if source.ndim != COLUMNS or source.shape[0] != 1 or not source.shape[2]:
        raise EngineError(f"the model's latent has the shape {source.shape}")
    frames = source.shape[2]
    extra = {name: made[name] for name in halves.extra_inputs}
    if halves.flow is None:
        return Latent(frames, extra, source, {}, {})
    # What is joined with a tensor of so many columns element by element has as many of them, or one.
    by_frame = {name for name in first if made[name].ndim == COLUMNS and made[name].shape[2] == frames}
    moving = {name: made[name] for name in first if name in by_frame}
    still = {name: made[name] for name in first if name not in by_frame}
    return Latent(frames, extra, source[:, :, :0], moving, still)


class Decoder:
    """Sessions of the decoder, and of the flow where that stands apart. Several threads may use them at once."""

    def __init__(self, onnx: Any, halves: Halves, flow: Any = None) -> None:
        self._onnx = onnx
        self._halves = halves
        self._flow = flow

    def decode(self, latent: Latent, start: int, stop: int, run: Run) -> Sound:
        """The samples of frames `start` to `stop`, of which there must be at least one.

        Raises `Stopped` after `run.stop()`, and `EngineError`; the latent is as good as before then.
        """
        if not 0 <= start < stop <= latent.frames:
            raise ValueError(f"no window of {latent.frames} frames: {start} to {stop}")
        levels, per_frame = self._halves.levels, self._halves.samples_per_frame
        (first, last), *cuts, (begin, end) = spans(latent.frames, (start, stop), levels, per_frame)
        if self._halves.flow:
            self._flow_to(last, latent, self._halves.flow, run)
        given = {self._halves.latent: latent.columns[:, :, first:last], **latent.extra, **_told(cuts)}
        sound = outputs(self._onnx, None, given, run)[0].reshape(-1)[begin:end]
        if len(sound) != (stop - start) * per_frame:
            raise EngineError(f"the model made {len(sound)} samples of {stop - start} frames")
        return sound

    def work(self, latent: Latent, start: int, stop: int) -> float:
        """What `decode` will cost, in frames of the decoder's work: of the window, around it, and in the flow."""
        work = stop - start + self._halves.overhead
        if flow := self._halves.flow:
            wanted = min(latent.frames, stop + self._halves.context)
            _, (first, last) = flow_step(latent.columns.shape[2], wanted, latent.frames, flow.context)
            work += flow.weight * (last - first)
        return work

    def _flow_to(self, wanted: int, latent: Latent, flow: Flow, run: Run) -> None:
        """Let there be at least as many columns as are wanted."""
        known = latent.columns.shape[2]
        stop, (first, last) = flow_step(known, wanted, latent.frames, flow.context)
        if stop == known:
            return
        given = {name: value[:, :, first:last] for name, value in latent.by_frame.items()}
        made = outputs(self._flow, None, {**given, **latent.still}, run)[0]
        if made.shape[::2] != (1, last - first):
            raise EngineError(f"the model's flow made {made.shape} of {last - first} frames")
        latent.columns = np.concatenate([latent.columns, made[:, :, known - first : stop - first]], axis=2)


def _told(cuts: Sequence[Span]) -> dict[str, NDArray[np.int64]]:
    """The decoder's inputs that say where it is to cut."""
    told = {}
    for number, span in enumerate(cuts, 1):
        for name, place in zip(cut_names(number), span, strict=True):
            told[name] = np.array([place], dtype=np.int64)
    return told
