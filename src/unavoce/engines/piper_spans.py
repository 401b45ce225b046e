"""Of which frames, and which elements behind each upsampling, a window of a Piper sentence is made. Pure arithmetic.

Around a window the decoder needs some frames more. The last kernels cost most, and look much less far than the first
ones; so what is held is cut again behind each upsampling, to what the rest of the way needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FLOW_GROWTH = 4
"""Columns after a step of the flow by those before it, at least."""
Span = tuple[int, int]
"""From an element to the one behind the last."""


@dataclass(frozen=True, slots=True)
class Level:
    """A tensor of the decoder that can be cut to a window: the latent, or one that is upsampled."""

    per_frame: int
    """Its elements; 1 of the latent."""
    context: int
    """Its elements on either side of a window's own that the window's samples depend on."""


def cut_names(number: int) -> tuple[str, str]:
    """Inputs of the decoder, int64 of shape (1,): from where to where the level of this number (from 1) is cut."""
    return f"cut_{number}_start", f"cut_{number}_stop"


def spans(frames: int, window: Span, levels: Sequence[Level], samples_per_frame: int) -> list[Span]:
    """Where each level is cut, and at last the sound, each counted from the first element of what is there then.

    At the sentence's own ends nothing lies beyond the window, so that the padding there is the one of the whole.
    """
    found, held, per_frame = [], (0, frames), 1
    for level in [*levels, Level(samples_per_frame, 0)]:
        first, end = (place * level.per_frame // per_frame for place in held)
        start, stop = (place * level.per_frame for place in window)
        held, per_frame = (max(first, start - level.context), min(end, stop + level.context)), level.per_frame
        found.append((held[0] - first, held[1] - first))
    return found


def flow_stop(known: int, wanted: int, frames: int, context: int) -> int:
    """Up to which frame a flow is computed next, where columns up to `known` are there and up to `wanted` are needed.

    The first time not a frame more than a listener waits for; then in growing steps, since each costs its context.
    """
    stop = max(wanted, FLOW_GROWTH * known)
    rest = (4 if known else 2) * context  # which costs about as much later as now
    return frames if frames - stop <= rest else stop
