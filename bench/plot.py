"""`python -m bench.plot [RESULTS.json [PICTURE.svg]]`: first sound and gaps against the number of listeners.

Draws what `python -m bench listeners` measured: of the newest results, into docs/picture/listeners.svg, where nothing
else is named. The picture brings its own ground and colours, for light and for dark, and needs no font of its own.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

from bench.figures import percentile
from bench.listeners_report import FIFO, US
from bench.report import RESULTS

PICTURE = Path(__file__).parents[1] / "docs" / "picture" / "listeners.svg"
WIDTH, HEIGHT = 760, 560
LEFT, RIGHT = 70, 735
UPPER, LOWER = (78, 318), (372, 500)
"""Top and bottom of the two fields, in the picture's units."""
SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
PERCENT = (0, 25, 50, 75, 100)
STYLE = """
.ground{fill:#fff;stroke:#d0d7de} .grid{stroke:#d0d7de;stroke-width:1}
text{fill:#1f2328;font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}
.title{font-size:15px;font-weight:600} .small{font-size:12px;fill:#59636e}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round} .dashed{stroke-dasharray:6 4}
.limit{stroke:#59636e;stroke-dasharray:2 3;stroke-width:1.6}
.us{stroke:#0969da} .us.dot{fill:#0969da} .fifo{stroke:#bc4c00} .fifo.dot{fill:#bc4c00}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117;stroke:#3d444d} .grid{stroke:#3d444d} text{fill:#f0f6fc} .small{fill:#9198a1}
.limit{stroke:#9198a1} .us{stroke:#4493f8} .us.dot{fill:#4493f8} .fifo{stroke:#f0883e} .fifo.dot{fill:#f0883e}
}
"""
SIZE = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
CLASSES = {US: "us", FIFO: "fifo"}


@dataclass(frozen=True, slots=True)
class Point:
    """Of all runs with one number of listeners."""

    listeners: int
    median_s: float
    """First sound, from the cut of the first sentence."""
    p99_s: float
    with_gaps: float
    """The share of the listeners who heard one, 0 to 1."""


Curves = Mapping[str, Sequence[Point]]
"""By who served."""


def curves(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Curves:
    """From the figures of the part `listeners`. Raises ValueError where nothing was heard."""
    found: dict[str, list[Point]] = {who: [] for who in CLASSES}
    for name, of in runs.items():
        count, who = re.fullmatch(r"(\d+) listeners, (.*)", name).groups()  # type: ignore[union-attr]
        if who in found:
            found[who].append(_point(int(count), of))
    return {who: sorted(points, key=lambda point: point.listeners) for who, points in found.items() if points}


def _point(count: int, runs: Sequence[Mapping[str, Any]]) -> Point:
    first_s = [value for run in runs for value in run["from_cut_s"]]
    gaps = [bool(of_one) for run in runs for of_one in run["gaps_s"]]
    if not first_s:
        raise ValueError(f"nothing was heard by {count} listeners")
    return Point(count, median(first_s), percentile(first_s, 0.99), sum(gaps) / len(gaps))


def picture(curves: Curves, limit: float) -> str:
    """The SVG. `limit`: the physical one, in listeners."""
    points = [point for of in curves.values() for point in of]
    most = max(limit, *(point.listeners for point in points)) * 1.04
    across = _scale((0, most), (LEFT, RIGHT))
    shown_s = _shown_seconds(points)
    seconds = _scale((math.log(shown_s[0]), math.log(shown_s[-1])), (UPPER[1], UPPER[0]))
    percent = _scale((0, 100), (LOWER[1], LOWER[0]))
    parts = [
        f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        *_legend(curves),
        *_field(
            UPPER,
            "First sound after the cut of the first sentence, s",
            [(seconds(math.log(s)), f"{s:g}") for s in shown_s],
        ),
        *_field(LOWER, "Listeners who heard a gap, %", [(percent(share), str(share)) for share in PERCENT]),
        *_listeners_axis(across, most),
        *_limit_line(across(limit), limit),
    ]
    for who, of in curves.items():
        xs = [across(point.listeners) for point in of]
        parts += _curve(xs, [seconds(math.log(point.median_s)) for point in of], CLASSES[who])
        parts += _curve(xs, [seconds(math.log(point.p99_s)) for point in of], CLASSES[who], dashed=True)
        parts += _curve(xs, [percent(100 * point.with_gaps) for point in of], CLASSES[who])
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {SIZE} role="img">'
    title = f"<title>First sound and gaps against the number of listeners: {US}, and {FIFO}, first served</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *parts, "</svg>\n"])


def _scale(values: tuple[float, float], places: tuple[float, float]) -> Callable[[float], float]:
    """Places along an axis, linear; what lies beyond its ends is drawn at them."""
    (low, high), (start, end) = values, places
    return lambda value: start + (min(max(value, low), high) - low) / (high - low) * (end - start)


def _shown_seconds(points: Iterable[Point]) -> Sequence[float]:
    """The marks of the axis: from one below the smallest value to one above the greatest, at least 0.5 to 1 s."""
    values = [value for point in points for value in (point.median_s, point.p99_s)]
    below = max((mark for mark in SECONDS if mark <= min(0.5, *values)), default=SECONDS[0])
    above = min((mark for mark in SECONDS if mark >= max(1, *values)), default=SECONDS[-1])
    return [mark for mark in SECONDS if below <= mark <= above]


def _field(place: tuple[int, int], title: str, marks: Iterable[tuple[float, str]]) -> Iterable[str]:
    yield f'<text class="title" x="{LEFT}" y="{place[0] - 14}">{escape(title)}</text>'
    for y, label in marks:
        yield f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _listeners_axis(across: Callable[[float], float], most: float) -> Iterable[str]:
    for count in range(0, int(most) + 1, 4):
        yield f'<text class="small" x="{across(count):.1f}" y="{LOWER[1] + 20}" text-anchor="middle">{count}</text>'
    title = "listeners at once, each with a reply of its own"
    yield f'<text x="{(LEFT + RIGHT) / 2}" y="{LOWER[1] + 42}" text-anchor="middle">{title}</text>'


def _limit_line(x: float, limit: float) -> Iterable[str]:
    for top, bottom in (UPPER, LOWER):
        yield f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
    label = f"physical limit, {limit:.1f}"
    yield f'<text class="small" x="{x - 6:.1f}" y="{UPPER[0] + 14}" text-anchor="end">{label}</text>'


def _curve(xs: Sequence[float], ys: Sequence[float], name: str, *, dashed: bool = False) -> Iterable[str]:
    places = [f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True)]
    yield f'<polyline class="line {name}{" dashed" * dashed}" points="{" ".join(places)}"/>'
    for place in places:
        x, y = place.split(",")
        yield f'<circle class="dot {name}" cx="{x}" cy="{y}" r="{2.4 if dashed else 3.4}"/>'


def _legend(curves: Curves) -> Iterable[str]:
    x = LEFT
    for who in curves:
        yield f'<line class="line {CLASSES[who]}" x1="{x}" x2="{x + 26}" y1="28" y2="28"/>'
        yield f'<text x="{x + 33}" y="32">{escape(who)}{", first served" * (who == FIFO)}</text>'
        x += 130 if who == US else 215
    yield f'<text class="small" x="{x}" y="32">solid: median, dashed: 99th percentile</text>'


def main(arguments: Sequence[str]) -> None:
    results = Path(arguments[0]) if arguments else max(RESULTS.glob("*.json"), default=None)
    if results is None:
        raise SystemExit("bench: there are no results; remedy: python -m bench listeners")
    told = json.loads(results.read_text()).get("listeners")
    if told is None:
        raise SystemExit(f"bench: {results.name} has no figures of listeners; remedy: python -m bench listeners")
    path = Path(arguments[1]) if len(arguments) > 1 else PICTURE
    path.write_text(picture(curves(told["runs"]), told["limit"]))
    print(f"Drawn from {results.name} to {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
