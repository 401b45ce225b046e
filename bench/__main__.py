"""`python -m bench [PART …]`: run parts of the benchmark, print their tables, save the figures."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from rich.console import Console

from bench.machine import describe, watched
from bench.report import Grid, Report, markdown, save, show

PARTS: Mapping[str, str] = {
    "sentences": "where sentences are cut, and how many tokens that takes",
    "first-sound": "the library and a plain loop on six scripted replies, beside Piper alone",
    "end-to-end": "a real server with the embedded model, over Socket.IO",
    "sharing": "the embedded model's speed, silent and speaking, and whether sound starves",
    "listeners": "how many at once, beside first come, first served, and the physical limit",
    "aborts": "how soon an abort frees its engine slot",
    "failures": "a primary that refuses, hangs, dies or lags, and Piper behind it",
    "choices": "what decided threads, parallel sentences and priorities",
    "wav-opus": "what Opus costs and saves",
    "cache": "clips on disk, beside diskcache and plain files",
    "page": "the first load of the page in Chromium: bytes, and time until it can be used",
    "hits": "how soon the first chunk of a sentence at hand leaves a real server",
    "long-run": "replies of every kind at 80 % of capacity, for five minutes or an hour: does it last?",
    "fuzz": "garbage at every door at once, for five minutes",
}
WIDTH = 120
"""Columns of a table that goes to a file."""


def main() -> None:
    options = _options()
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    machine = describe()
    console.print(f"{machine['cores']} cores, {machine['processor']}, Python {machine['python']}")
    results: dict[str, Any] = {"machine": machine}
    failed = False
    for part in options.parts or PARTS:
        report, results[part] = _run(part, options.repeat, console, _as_page if options.markdown else show)
        failed |= report.failed
    path = save(f"{datetime.now(UTC):%Y-%m-%d}", results)
    console.print(f"\nWritten to bench/results/{path.name}")
    sys.exit(1 if failed else 0)


def _run(
    part: str, repeat: int, console: Console, show: Callable[[Console, Grid], None]
) -> tuple[Report, dict[str, Any]]:
    console.rule(f"{part}: {PARTS[part]}", align="left")
    with watched() as busy:
        report = _figures(part, repeat)
    for grid in report.grids:
        show(console, grid)
    console.print(f"Other programs kept {busy.others_cores} cores busy meanwhile; load {busy.load_1min}.\n")
    return report, {"busy": asdict(busy), "repeat": repeat, **report.figures}


def _as_page(console: Console, grid: Grid) -> None:
    console.print(markdown(grid), markup=False, highlight=False, soft_wrap=True)


def _figures(part: str, repeat: int) -> Report:
    module = import_module(f"bench.{part.replace('-', '_')}")
    if part == "sentences":
        return Report(module.main())  # prints its own table
    run: Callable[[int], Awaitable[Report]] = module.run
    return asyncio.run(_awaited(run(repeat)))


async def _awaited(report: Awaitable[Report]) -> Report:
    return await report


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parts = "\n".join(f"  {name:12} {what}" for name, what in PARTS.items())
    parser = argparse.ArgumentParser(
        "python -m bench",
        description=f"parts (all by default):\n{parts}",
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="parts to run")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="turns per measurement (default 3)")
    parser.add_argument("--markdown", action="store_true", help="tables as docs/performance.md holds them")
    options = parser.parse_args(arguments)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are: {', '.join(PARTS)}")
    if options.repeat < 1:
        parser.error(f"--repeat {options.repeat}: expected 1 or more")
    return options


if __name__ == "__main__":
    main()
