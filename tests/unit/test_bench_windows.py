"""Which constants of the windows the benchmark puts to the test."""

from __future__ import annotations

import pytest
from bench.choices_windows import WAYS, WHOLE_LEAST
from bench.tables import Table, add, grid, plain

from unavoce.engines import piper_windows
from unavoce.engines.piper_windows import Costs, next_window

COSTS = Costs(sound_s=0.0116, work_s=0.004, overhead=5)


@pytest.mark.parametrize("name", WAYS)
def test_every_constant_that_is_tried_is_one_that_decides(name: str) -> None:
    """It stands in the module; a renamed one would be tried in vain."""
    assert set(WAYS[name]) <= set(vars(piper_windows))


@pytest.mark.parametrize("name", list(WAYS)[1:])
def test_every_way_changes_the_windows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long sentence, for one who waits or for one with enough in hand, some window is another one."""

    def plan() -> list[int]:
        lengths = [next_window(3000 - made, made, hand_s, COSTS) for made in (0, 24, 60) for hand_s in (0.0, 1.0, 10.0)]
        assert all(0 < length <= 3000 for length in lengths)
        return lengths

    usual = plan()
    for constant, value in WAYS[name].items():
        monkeypatch.setattr(piper_windows, constant, value)
    assert plan() != usual


def test_whole_sentences_are_spoken_in_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long they are, and whoever listens."""
    monkeypatch.setattr(piper_windows, "LEAST", WHOLE_LEAST)
    assert [next_window(5000, 0, hand_s, COSTS) for hand_s in (0.0, 20.0)] == [5000, 5000]


def test_a_table_tells_medians_and_ratios_to_its_first_row() -> None:
    """Turn by turn; a column of nothing has no ratio."""
    table: Table = {}
    for row, values in {"one": (1.0, 2.0, 4.0), "two": (2.0, 4.0, 9.0)}.items():
        for value in values:
            add(table, row, "s", value)
    assert grid("Speed", table).rows == [
        ["one", "2.00 (1.00-4.00)", "1.00 (1.00-1.00)"],
        ["two", "4.00 (2.00-9.00)", "2.00 (2.00-2.25)"],
    ]
    assert grid("Gaps", {"one": {"s": [0.0]}}).rows == [["one", "0.00 (0.00-0.00)", "-"]]
    assert plain(table) == {"one": {"s": [1.0, 2.0, 4.0]}, "two": {"s": [2.0, 4.0, 9.0]}}
