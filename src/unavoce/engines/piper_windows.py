"""How much of a sentence's sound is computed at a time: soon for a listener who waits, cheaply for one who does not.

Each window costs its surroundings as well, so a few large ones are cheaper than many small ones. Measurements behind
the constants: docs/performance.md. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

WAITS_S = 1.0
"""A listener with less in hand is served in windows that grow; one with more may wait for a large one."""
SHARE = 0.5
"""Of what a listener has in hand, for the window that is computed meanwhile."""
KEPT_BACK_S = 0.26
"""Of a first window's sound: what shaping keeps back until more comes, and the silence a voice begins with."""
OVERHEAD_S = 0.02
"""From a window's end to the next one's begin, on a busy event loop."""
GROWTH = 2
"""A window by all before it together, at most, while the listener waits."""
LEAST, LARGEST_S = 24, 3.0
"""Frames of the smallest window; seconds of sound of the largest, which is when someone more urgent gets a turn."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a decoder's window costs."""

    sound_s: float
    """Seconds that a frame sounds."""
    work_s: float
    """Seconds that it is computed."""
    overhead: float
    """Frames whose work each window costs beside its own."""


def next_window(left: int, made: int, in_hand_s: float, costs: Costs) -> int:
    """Frames to decode next, of `left` (at least 1) that come after `made`, for a listener with `in_hand_s`."""
    if in_hand_s >= WAITS_S:
        frames = (in_hand_s * SHARE - OVERHEAD_S) / costs.work_s - costs.overhead
    else:
        frames = GROWTH * made if made else _first(costs, left)
    frames = int(max(LEAST, min(frames, LARGEST_S / costs.sound_s)))
    # A short rest would cost as much around it as in itself.
    return left if left <= frames + LEAST else frames


def _first(costs: Costs, left: int) -> float:
    """The fewest frames whose sound lasts until the window after them is there."""
    gained_s = costs.sound_s - GROWTH * costs.work_s
    needed_s = KEPT_BACK_S + (LEAST + costs.overhead) * costs.work_s + OVERHEAD_S
    return ceil(needed_s / gained_s) if gained_s > 0 else left
