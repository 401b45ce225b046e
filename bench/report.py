"""What a part of the benchmark hands back: tables for people, the same figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its first column names the rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """`figures` must be fit for JSON."""

    figures: Mapping[str, Any]
    grids: Sequence[Grid] = field(default_factory=tuple)
    failed: bool = False
    """It found what must not be; the program ends with exit code 1 then."""


def mark(met: bool) -> str:
    """Of a target, for the reader."""
    return "✓" if met else "✗"


def show(console: Console, grid: Grid) -> None:
    table = Table(*grid.columns, title=grid.title, caption=grid.note, box=box.SIMPLE_HEAD)
    table.title_justify = table.caption_justify = "left"
    for column in table.columns[1:]:
        column.justify = "right"
    for row in grid.rows:
        table.add_row(*row)
    console.print(table)


def markdown(grid: Grid) -> str:
    """The table as a page holds it."""
    lines = [grid.columns, ["---"] * len(grid.columns), *grid.rows]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return "\n\n".join(filter(None, (f"**{grid.title}**", table, grid.note)))


def save(date: str, results: Mapping[str, Any]) -> Path:
    """Writes `results/<date>.json`; parts of an earlier run of that date are kept unless they were run again."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{date}.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**earlier, **results}, indent=2, ensure_ascii=False) + "\n")
    return path
