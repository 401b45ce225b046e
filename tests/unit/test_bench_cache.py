"""The part of the benchmark that measures the clip cache. Nothing here measures time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.cache import Sizes, run
from bench.cache_stores import WITH_DEFAULT, key, noise
from bench.turns import Taken, in_turns, ratio, rotated, sure

TINY = Sizes(clip_bytes=(2_000,), turns=3, entries=5, most_entries=5, bound_clips=3)


async def test_the_part_measures_every_store_and_every_row() -> None:
    """Each row has a figure for each store, figures are fit for JSON, and of all three only plain files grow."""
    report = await run(1, TINY)
    clips, others, loads, looks = report.grids
    assert [row[0] for row in clips.rows] == ["put, 2 KB", "get, 2 KB"]
    assert all(all(row) for row in clips.rows)
    assert [row[0] for row in others.rows if not all(row)] == ["memory hit"]
    assert [row[0] for row in loads.rows] == list(WITH_DEFAULT)
    assert len(looks.rows) == 3
    assert json.loads(json.dumps(report.figures))["us"]["memory hit"].keys() == {"unavoce"}
    evicting = report.figures["evicting"]
    assert evicting["unavoce"]["bytes"] <= 3 * 150_000
    assert evicting["plain files"]["clips"] == 3 + 5 * 3


@pytest.mark.parametrize("make", WITH_DEFAULT.values())
def test_every_store_gives_back_what_it_was_given(tmp_path: Path, make: type) -> None:
    """Put or filled, after it was opened anew, a clip's samples are the same; another key is a miss."""
    store = make(tmp_path / "store")
    store.put(key("a"), noise(2_000))
    store.fill([key("b"), key("c")], noise(4_000))
    store.close()
    again = make(tmp_path / "store")
    assert (again.get(key("a")) == noise(2_000).clip.samples).all()
    assert all((again.get(key(name)) == noise(4_000).clip.samples).all() for name in "bc")
    assert again.get(key("d")) is None
    again.close()


def test_turns_begin_with_another_one_each_time() -> None:
    """Each thing is called once a turn with the turn's number, and none is always first."""
    called: list[tuple[str, int]] = []
    things = {name: lambda turn, n=name: called.append((n, turn)) for name in ("x", "y")}
    timed = in_turns(things, 3)
    assert called == [("x", 0), ("y", 0), ("y", 1), ("x", 1), ("x", 2), ("y", 2)]
    assert {name: len(times) for name, times in timed.items()} == {"x": 3, "y": 3}
    assert rotated(["a", "b", "c"], 4) == ["b", "c", "a"]


def test_times_are_shown_as_median_and_95th_percentile() -> None:
    """The slowest twentieth is left out of the second figure; ratios pair the times of one turn."""
    assert Taken.of([float(number) for number in range(1, 102)]) == Taken(51.0, 96.0, 101.0)
    assert Taken(1234.4, 5678.9, 9999.0).shown() == "1,234 (5,679)"
    assert ratio({"a": [1.0, 4.0, 9.0], "b": [2.0, 4.0, 3.0]}, "a", "b") == "1.00"
    with pytest.raises(ValueError, match="nothing was measured"):
        Taken.of([])


def test_a_miss_is_no_fast_hit() -> None:
    """Where a clip must be found, a miss is an error."""
    assert sure(0) == 0
    with pytest.raises(RuntimeError, match="not found"):
        sure(None)
