"""How much of a sentence's sound is computed at a time: soon for a listener who waits, cheaply for one who does not.

Each window costs its surroundings as well, so a few large ones are cheaper than many small ones. Measurements behind
the constants: docs/performance.md. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

SHARE = 0.5
"""Of what a listener has in hand, for the window that is computed meanwhile."""
KEPT_BACK_S = 0.26
"""Of a first window's sound: what shaping keeps back until more comes, and the silence a voice begins with."""
ALONE_S, AMONG_OTHERS_S = 0.02, 0.15
"""From a window's end to the next one's begin: on a busy event loop, and where other sentences want the cores too."""
GROWTH = 2
"""A window by all before it together, at most, where the listener has not enough in hand for more."""
LEAST, LARGEST_S = 24, 1.5
"""Frames of the smallest window; seconds of sound of the largest, after which someone more urgent gets a turn. Twice as
large ones take twice the memory and cost no less CPU."""
FLOW_STEP = 300
"""Frames of the flow that are computed between the first window and the second, at most."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a decoder's window costs."""

    sound_s: float
    """Seconds that a frame sounds."""
    work_s: float
    """Seconds that it is computed."""
    overhead: float
    """Frames whose work each window costs beside its own."""
    flow: float = 0.0
    """Work of a frame in the flow, by the work of one in the decoder, where it is computed between windows."""


def next_window(left: int, made: int, in_hand_s: float, costs: Costs, wait_s: float = ALONE_S) -> int:
    """Frames to decode next, of `left` (at least 1) that come after `made`, for a listener with `in_hand_s`.

    `wait_s`: from this window's end to the next one's begin, about.
    """
    # What was made of this sentence counts as in hand, but for what shaping keeps back of it.
    spare_s = in_hand_s - (KEPT_BACK_S if made else 0.0)
    affordable = (spare_s * SHARE - wait_s) / costs.work_s - costs.overhead
    frames = max(affordable, GROWTH * made if made else _first(costs, left, wait_s))
    largest = max(2 * LEAST, int(LARGEST_S / costs.sound_s))
    frames = int(max(LEAST, min(frames, largest)))
    # A short rest would cost as much around it as in itself; yet a window that is larger than all others would take
    # memory that none of them fits into again.
    if left <= frames + LEAST:
        return left if left <= largest else left // 2
    return frames


def _first(costs: Costs, left: int, wait_s: float) -> float:
    """The fewest frames whose sound lasts until the window after them is there."""
    gained_s = costs.sound_s - GROWTH * costs.work_s
    flow = costs.flow * min(left, FLOW_STEP)
    needed_s = KEPT_BACK_S + (LEAST + costs.overhead + flow) * costs.work_s + wait_s
    return ceil(needed_s / gained_s) if gained_s > 0 else left
