"""Figures by row and column, turn by turn, as parts that compare ways of doing one thing collect them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.figures import Spread, paired_ratio
from bench.report import Grid

Table = dict[str, dict[str, list[float]]]
"""By row, then by column; one value a turn."""


def add(table: Table, row: str, column: str, value: float) -> None:
    table.setdefault(row, {}).setdefault(column, []).append(value)


def grid(title: str, table: Table) -> Grid:
    """The columns' medians, and the first column as a ratio to its first row, turn by turn."""
    columns = list(next(iter(table.values())))
    base = next(iter(table.values()))[columns[0]]
    rows = [
        [name, *(Spread.of(values[column]).shown() for column in columns), _ratio(values[columns[0]], base)]
        for name, values in table.items()
    ]
    return Grid(f"{title}: median (lowest-highest)", ["", *columns, "first column ÷ first row"], rows)


def _ratio(values: Sequence[float], base: Sequence[float]) -> str:
    return paired_ratio(values, base).shown() if all(base) else "-"


def plain(table: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Any]:
    """As JSON takes it."""
    return {row: {column: list(values) for column, values in columns.items()} for row, columns in table.items()}
