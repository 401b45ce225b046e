"""How far a chain of convolutions looks: on which latent frames each sample of a Piper decoder depends.

Of a tensor with n elements per frame the reach says, for each of the n, the first and the last frame on which that
element depends, counted from the frame it lies in: the same for every frame. A convolution without stride keeps n, a
transposed one multiplies it. Sizes as the ONNX operators Conv and ConvTranspose define them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_SAMPLES_PER_FRAME: Final = 8192
MAX_TAPS: Final = 1024
MAX_CONTEXT: Final = 1024


class Uncuttable(Exception):
    """A model cannot be cut exactly, and is spoken whole; says why. Does not leave the engine."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Its own frame always counts as one that an element depends on, even where no kernel reaches it.

    For beyond the ends of a window there is padding instead of elements: nothing may depend on one that lies there.
    """

    low: NDArray[np.int64]
    """At most 0."""
    high: NDArray[np.int64]
    """At least 0."""
    is_flat: bool = False
    """Of another shape than (1, channels, length), with the elements in the same order."""

    @property
    def per_frame(self) -> int:
        return len(self.low)

    @property
    def context(self) -> int:
        """Frames on either side of some on which their elements depend."""
        return int(max(-self.low.min(), self.high.max()))


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a convolution or a transposed one is made with."""

    size: int
    dilation: int = 1
    stride: int = 1
    before: int = 0
    """Padding."""
    after: int = 0
    output_padding: int = 0

    def check(self) -> None:
        sound = 0 < self.size <= MAX_TAPS and self.dilation > 0 and self.stride > 0
        if not sound or min(self.before, self.after, self.output_padding) < 0:
            raise Uncuttable(f"its decoder has a convolution that cannot be followed ({self})")

    @property
    def span(self) -> int:
        """Elements from the first to the last that it covers."""
        return self.dilation * (self.size - 1) + 1


def latent() -> Reach:
    """Of what the decoder reads: each frame is itself."""
    return Reach(np.zeros(1, np.int64), np.zeros(1, np.int64))


def joined(reaches: Iterable[Reach]) -> Reach:
    """Of what is made element by element of several."""
    first, *others = reaches
    for other in others:
        if (other.per_frame, other.is_flat) != (first.per_frame, first.is_flat):
            raise Uncuttable("its decoder joins sounds of different lengths")
        first = Reach(np.minimum(first.low, other.low), np.maximum(first.high, other.high), first.is_flat)
    return first


def convolved(reach: Reach, kernel: Kernel) -> Reach:
    """Behind a convolution that keeps the length."""
    kernel.check()
    if kernel.stride != 1 or kernel.before + kernel.after != kernel.span - 1:
        raise Uncuttable(f"its decoder has a convolution that changes the length ({kernel})")
    places = np.arange(reach.per_frame)
    taps = [places + tap * kernel.dilation - kernel.before for tap in range(kernel.size)]
    return _reached(reach, taps, [np.ones(reach.per_frame, bool)] * kernel.size)


def upsampled(reach: Reach, kernel: Kernel) -> Reach:
    """Behind a transposed convolution that makes `stride` elements of each."""
    kernel.check()
    per_frame = reach.per_frame * kernel.stride
    if kernel.span + kernel.output_padding - kernel.stride != kernel.before + kernel.after:
        raise Uncuttable(f"its decoder has a transposed convolution of an uneven length ({kernel})")
    if per_frame > MAX_SAMPLES_PER_FRAME:
        raise Uncuttable(f"its decoder makes {per_frame} samples and more of a frame")
    # Element j of the output has a part of element i of the input where j = i * stride + tap * dilation - before.
    origins = [np.arange(per_frame) + kernel.before - tap * kernel.dilation for tap in range(kernel.size)]
    return _reached(reach, [o // kernel.stride for o in origins], [o % kernel.stride == 0 for o in origins])


def _reached(reach: Reach, taps: list[NDArray[np.int64]], used: list[NDArray[np.bool_]]) -> Reach:
    """`taps`: for each output of a frame, the place of an input, counted from that frame's first."""
    low = np.zeros(len(taps[0]), np.int64)
    high = low.copy()
    for places, where in zip(taps, used, strict=True):
        frames, within = places // reach.per_frame, places % reach.per_frame
        low = np.where(where, np.minimum(low, frames + reach.low[within]), low)
        high = np.where(where, np.maximum(high, frames + reach.high[within]), high)
    return Reach(low, high)
