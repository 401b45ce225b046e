"""What a second of sound costs an engine, measured."""

from __future__ import annotations

import pytest

from unavoce.chain.effort import ENOUGH_CLIPS, ENOUGH_S, Cost, Effort


def test_nothing_is_known_until_enough_was_measured() -> None:
    """A few clips, or many that hardly sound, say nothing yet; nor does the first one, however slow it was."""
    effort = Effort()
    effort.add(4.0, 40.0, 40.0)
    for _ in range(ENOUGH_CLIPS - 1):
        effort.add(4.0, 0.4, 0.8)
        assert effort.cost is None
    effort.add(4.0, 0.4, 0.8)
    assert effort.cost == pytest.approx(Cost(0.1, 0.2))
    short = Effort()
    for _ in range(100):
        assert short.cost is None
        short.add(ENOUGH_S / 101, 1.0, 1.0)


def test_the_cost_follows_what_is_measured() -> None:
    """An engine that becomes twice as slow is known to be so after a few minutes of sound, and a long clip says more
    than a short one."""
    effort = Effort()
    for _ in range(20):
        effort.add(5.0, 0.5, 0.5)
    for _ in range(60):
        effort.add(5.0, 1.0, 2.0)
    assert effort.cost is not None
    assert effort.cost == pytest.approx(Cost(0.2, 0.4), rel=0.01)
    before = effort.cost
    effort.add(0.1, 0.1, 0.1)
    assert effort.cost == pytest.approx(before, rel=0.01)
