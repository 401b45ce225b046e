"""The picture of first sound and gaps against the number of listeners."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench import plot
from bench.listeners_report import AS_IT_COMES, FIFO, US
from bench.plot import HEIGHT, LEFT, LOWER, RIGHT, UPPER, WIDTH, Point, curves, main, picture
from hypothesis import given
from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"


def figures(first_s: Sequence[float], gaps_s: Sequence[Sequence[float]]) -> Sequence[Mapping[str, Any]]:
    return [{"from_cut_s": list(first_s), "gaps_s": [list(one) for one in gaps_s]}]


def test_points_come_from_all_runs_of_a_number() -> None:
    """The median, the 99th percentile and the share of listeners with a gap, by who served; others are left out."""
    runs = {
        f"12 listeners, {US}": [*figures([0.2, 0.4], [[], []]), *figures([0.3], [[0.5, 0.1]])],
        f"4 listeners, {US}": figures([0.1], [[]]),
        f"4 listeners, {FIFO}": figures([1.0], [[2.0]]),
        f"12 listeners, {AS_IT_COMES}": figures([0.2], [[]]),
    }
    assert curves(runs) == {
        US: [Point(4, 0.1, 0.1, 0.0), Point(12, 0.3, 0.4, pytest.approx(1 / 3))],
        FIFO: [Point(4, 1.0, 1.0, 1.0)],
    }


def test_nothing_heard_draws_nothing() -> None:
    """A number of listeners of whom none heard anything is an error, and not a point at zero."""
    with pytest.raises(ValueError, match="nothing was heard by 4 listeners"):
        curves({f"4 listeners, {US}": figures([], [])})


POINTS = st.builds(Point, st.integers(1, 48), st.floats(0.001, 500), st.floats(0.001, 500), st.floats(0, 1))


@given(
    st.dictionaries(st.sampled_from([US, FIFO]), st.lists(POINTS, min_size=1, max_size=9), min_size=1), st.floats(5, 60)
)
def test_every_point_stands_within_its_field(lines: dict[str, list[Point]], limit: float) -> None:
    """The picture is well-formed, and each dot is in it three times: median, 99th percentile, gaps."""
    svg = ElementTree.fromstring(picture(lines, limit))  # noqa: S314 - our own
    dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in svg.iter(f"{SVG}circle")]
    assert len(dots) == 3 * sum(map(len, lines.values()))
    fields = (UPPER, LOWER)
    assert all(LEFT <= x <= RIGHT and any(top <= y <= bottom for top, bottom in fields) for x, y in dots)
    assert svg.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"


def test_axes_and_limit_are_labelled_with_their_units() -> None:
    """Whoever sees only the picture knows what is drawn against what."""
    shown = picture({US: [Point(8, 0.2, 0.5, 0.0)], FIFO: [Point(8, 2.0, 9.0, 0.5)]}, 20.84)
    texts = [text.text for text in ElementTree.fromstring(shown).iter(f"{SVG}text")]  # noqa: S314 - our own
    assert {"First sound after the cut of the first sentence, s", "Listeners who heard a gap, %"} <= set(texts)
    assert {"listeners at once, each with a reply of its own", "physical limit, 20.8", US} <= set(texts)
    assert "prefers-color-scheme:dark" in shown


def test_the_newest_results_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The part's own JSON is what the picture is made from, and where there is none, that is said."""
    monkeypatch.setattr(plot, "RESULTS", tmp_path)
    with pytest.raises(SystemExit, match="there are no results"):
        main([])
    told = {"limit": 20.0, "runs": {f"4 listeners, {US}": figures([0.1], [[]])}}
    (tmp_path / "2026-01-01.json").write_text("{}")
    with pytest.raises(SystemExit, match="no figures of listeners"):
        main([])
    newest = tmp_path / "2026-01-02.json"
    newest.write_text(json.dumps({"listeners": told}))
    monkeypatch.setattr(plot, "PICTURE", tmp_path / "listeners.svg")
    main([])
    assert (tmp_path / "listeners.svg").read_text() == picture(curves(told["runs"]), 20.0)
