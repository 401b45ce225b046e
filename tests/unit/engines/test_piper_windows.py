"""How much of a Piper sentence is computed at a time."""

from __future__ import annotations

from itertools import accumulate
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.engines.piper_windows import ALONE_S, KEPT_BACK_S, LARGEST_S, LEAST, Costs, next_window

FRAME_S = 256 / 22_050
WORK = st.floats(0.0001, 0.0045)
"""Seconds per frame, up to two fifths of its sound."""


def plan(frames: int, in_hand_s: float, costs: Costs) -> list[int]:
    """All windows of a sentence whose listener has so much in hand at its beginning, gains what is decoded, and spends
    what that takes, from the first window on."""
    windows: list[int] = []
    while (made := sum(windows)) < frames:
        window = next_window(frames - made, made, in_hand_s + made * costs.sound_s, costs)
        in_hand_s -= (window + costs.overhead) * costs.work_s + ALONE_S if windows else 0.0
        windows.append(window)
    return windows


@given(
    frames=st.integers(1, 5_000), in_hand_s=st.floats(-100, 100), work_s=st.floats(1e-6, 1.0), overhead=st.floats(0, 64)
)
def test_windows_cover_a_sentence(frames: int, in_hand_s: float, work_s: float, overhead: float) -> None:
    """Whatever it costs: no frame is left out or made twice, no window is tiny but a whole sentence's, or overlong."""
    windows = plan(frames, in_hand_s, Costs(FRAME_S, work_s, overhead))
    assert sum(windows) == frames
    assert all(LEAST <= window <= LARGEST_S / FRAME_S for window in windows) or windows == [frames]


@given(frames=st.integers(1, 2_000), work_s=WORK, overhead=st.floats(0, 24))
def test_a_listener_who_waits_does_not_run_dry(frames: int, work_s: float, overhead: float) -> None:
    """Heard from its first window on, less what shaping keeps back, a sentence never waits for the next window."""
    windows = plan(frames, 0.0, Costs(FRAME_S, work_s, overhead))
    spent_s = accumulate((window + overhead) * work_s + ALONE_S for window in windows[1:])
    for made, until_s in zip(accumulate(windows), spent_s, strict=False):
        assert until_s <= made * FRAME_S - KEPT_BACK_S + 1e-9


@pytest.mark.parametrize("in_hand_s", [8.0, 100.0, inf])
def test_where_nobody_waits_windows_are_as_large_as_may_be(in_hand_s: float) -> None:
    """With enough in hand, or nobody listening: a short sentence is one window, what is little more is halved."""
    largest = int(LARGEST_S / FRAME_S)
    costs = Costs(FRAME_S, 0.001, 5)
    assert plan(largest, in_hand_s, costs) == [largest]
    assert plan(largest + 1, in_hand_s, costs) == [(largest + 1) // 2] * 2
    assert plan(3 * largest, in_hand_s, costs) == [largest] * 3
