"""Rows in columns, and figures as people read them. Plain text: it goes through `grep` and `awk` as it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import click

from unavoce.cli.terminal import visible


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """All rows have as many cells; the first is the heading, where there is one."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def size(count: float) -> str:
    """Bytes in the largest unit that leaves a whole one."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
