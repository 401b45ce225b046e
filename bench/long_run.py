"""Does it last? A real server with Piper and the embedded model, and visits of every kind by 80 % of the listeners
that it says it can serve: every reply is to be right, and nothing is to grow. `BENCH_LONG_MINUTES` sets how many
minutes (5).
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from bench.long_visits import Stretch
from bench.machine import memory_mb
from bench.report import Grid, Report
from bench.serving import serving

MINUTES = 5.0
LOAD, FULL = 0.8, 1.0
"""Listeners, as a share of those that the server says it can serve; in the first third of a short run all of them, so
that what grows to its size has grown to it when growth is looked at."""
FIRST_S: Final = 600.0
"""Memory may grow so long, or in the first third of a shorter run: caches fill."""
GROWTH: Final = 1.02
"""What memory may have become of what it was then."""
LOOK_S: Final = 2.0
SETTLE_LIMIT_S: Final = 120.0
"""For the server to come to rest, before and after."""
RESTING_LOOKS: Final = 6
GRACE_S: Final = 3
HOUR_BYTES, SHORT_BYTES, SHORT_S = 64 << 20, 16 << 20, 1800.0
"""Clips in memory, as by default, and in a run shorter than that: they are to be full then, too."""
SETTINGS: Final = {
    "UNAVOCE_CACHE_MAX_BYTES": str(1 << 30),
    "UNAVOCE_RECONNECT_GRACE_S": str(GRACE_S),
    "UNAVOCE_MAX_REPLIES_PER_CALLER": "64",
    "UNAVOCE_PREWARM_DELAY_S": "1",
}
"""One address is many people here."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """The server and its children at one moment."""

    at_s: float
    memory_mb: float
    """Proportional set size of all processes."""
    processes: int
    threads: int
    files: int
    tasks: int
    """Of the server's event loop."""
    replies: int
    gaps: int
    skipped: int
    load: float | None
    """Of Piper, as the server measures it; None before it is known."""
    capacity: float | None
    """In listeners, likewise."""


async def run(_repeat: int) -> Report:
    """One run; the report has failed where a reply was wrong or something grew."""
    minutes = float(os.environ.get("BENCH_LONG_MINUTES", MINUTES))
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder), settings_for(minutes * 60)) as server:
            watch = Watch(server.url, server.pid)
            each = await visits(server.url, 0)
            before = await watch.at_rest()
            seen: list[Vitals] = []
            watching = asyncio.create_task(watch.keep(seen))
            came = await visits(server.url, 1, *course_of(minutes * 60))
            watching.cancel()
            after = await watch.at_rest()
    outcome = Outcome(minutes * 60, before, after, seen, each, came)
    return Report(outcome.figures, list(outcome.grids()), failed=bool(outcome.faults))


def settings_for(duration_s: float) -> dict[str, str]:
    """Of the server."""
    clips = SHORT_BYTES if duration_s < SHORT_S else HOUR_BYTES
    return {**SETTINGS, "UNAVOCE_CACHE_MEMORY_BYTES": str(clips)}


def settled_s(duration_s: float) -> float:
    """From here on memory is not to grow."""
    return min(FIRST_S, duration_s / 3)


def course_of(duration_s: float) -> Sequence[Stretch]:
    """Of the run: for how long which share of the listeners is there."""
    full_s = settled_s(duration_s) if duration_s < SHORT_S else 0.0
    return [Stretch(full_s, FULL), Stretch(duration_s - full_s, LOAD)]


async def visits(url: str, seed: int, *course: Stretch) -> dict[str, Any]:
    """What came of them (`bench.long_visits`), in a process of their own. Raises RuntimeError where that fails."""
    stretches = [str(figure) for stretch in course for figure in stretch]
    command = [sys.executable, "-m", "bench.long_visits", url, str(seed), *stretches]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the visits ended with exit code {process.returncode}")
    summary: dict[str, Any] = json.loads(output)
    return summary


class Watch:
    """Looks at a server from outside."""

    def __init__(self, url: str, pid: int) -> None:
        self._url = url
        self._pid = pid
        self._began_s = time.monotonic()

    async def keep(self, seen: list[Vitals]) -> None:
        """Look again and again, until it is cancelled."""
        while True:
            seen.append(await self.look())
            await asyncio.sleep(LOOK_S)

    async def look(self) -> Vitals:
        async with httpx.AsyncClient(base_url=self._url, timeout=60, trust_env=False) as client:
            figures = (await client.get("/metrics")).raise_for_status().text
        memory = memory_mb(self._pid) or {"proportional": 0.0, "processes": 0}
        threads, files = _kernels_view(self._pid)
        counted = {name: int(_sum(name, figures)) for name in COUNTED}
        measured = {name: _known(_sum(name, figures)) for name in MEASURED}
        at_s, mb = round(time.monotonic() - self._began_s, 1), memory["proportional"]
        return Vitals(at_s, mb, int(memory["processes"]), threads, files, *counted.values(), *measured.values())

    async def at_rest(self) -> Vitals:
        """Once no reply is known any more, and connections have had time to end. Raises TimeoutError."""
        await asyncio.sleep(GRACE_S + 1)
        async with asyncio.timeout(SETTLE_LIMIT_S):
            while (await self.look()).replies:  # noqa: ASYNC110 - the server does not say when that changes
                await asyncio.sleep(LOOK_S)
        looks = []
        for _ in range(RESTING_LOOKS):
            await asyncio.sleep(LOOK_S)
            looks.append(await self.look())
        # What is left over is there in every look; a connection that just closes is not.
        least = {name: min(getattr(one, name) for one in looks) for name in ("tasks", "files", "threads")}
        return replace(looks[-1], **least)


COUNTED: Final = (
    "unavoce_asyncio_tasks",
    "unavoce_replies_running",
    "unavoce_underruns_total",
    "unavoce_sentences_skipped_total",
)
MEASURED: Final = ("unavoce_engine_load_ratio", "unavoce_engine_capacity_listeners")


def _sum(name: str, figures: str) -> float:
    """Over all labels."""
    return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", figures, re.MULTILINE))


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else round(figure, 3)


def _kernels_view(pid: int) -> tuple[int, int]:
    """Threads and open files of the server's own process: proc_pid_status(5)."""
    try:
        status, files = Path(f"/proc/{pid}/status").read_text(), os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return 0, 0
    return int(re.findall(r"^Threads:\s+(\d+)$", status, re.MULTILINE)[0]), len(files)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was seen. `each`: of one visit of every kind, before; `came`: of all the others."""

    duration_s: float
    before: Vitals
    after: Vitals
    seen: Sequence[Vitals]
    each: dict[str, Any]
    came: dict[str, Any]

    @property
    def settled_s(self) -> float:
        return settled_s(self.duration_s)

    def memory(self) -> tuple[float, float]:
        """MB once it has settled, and at the end: medians over a tenth of the run, at least a few looks."""
        start_s = self.seen[0].at_s
        span_s = max(self.duration_s / 10, 5 * LOOK_S)
        at, end_s = start_s + self.settled_s, self.seen[-1].at_s
        settled = [one.memory_mb for one in self.seen if at <= one.at_s <= at + span_s]
        last = [one.memory_mb for one in self.seen if one.at_s >= end_s - span_s]
        return median(settled or [0.0]), median(last)

    @property
    def growth(self) -> float:
        settled_mb, last_mb = self.memory()
        return last_mb / settled_mb if settled_mb else 1.0

    @property
    def faults(self) -> list[str]:
        return [*self.each["faults"], *self.came["faults"], *self._grown(), *self._left()]

    def _grown(self) -> Iterator[str]:
        if self.growth > GROWTH:
            yield f"memory grew to {self.growth:.3f} of what it was after {self.settled_s:.0f} s"
        first, last = self._thirds()
        for name in ("threads", "files"):
            before, after = (max(getattr(one, name) for one in third) for third in (first, last))
            if after > before * 1.1 + 2:
                yield f"{name} grew: at most {before} in the first third, {after} in the last"

    def _thirds(self) -> tuple[Sequence[Vitals], Sequence[Vitals]]:
        third = max(1, len(self.seen) // 3)
        return self.seen[:third], self.seen[-third:]

    def _left(self) -> Iterator[str]:
        for name in ("tasks", "files", "processes"):
            if (after := getattr(self.after, name)) > (before := getattr(self.before, name)):
                yield f"{name}: {before} before, {after} left over at the end"
        # Pools grow to their size as they are used, and stay there.
        most = max(one.threads for one in self._thirds()[0])
        if self.after.threads > most:
            yield f"threads: at most {most} in the first third, {self.after.threads} left over at the end"
        if self.after.skipped:
            yield f"{self.after.skipped} sentences were skipped"

    @property
    def figures(self) -> dict[str, Any]:
        settled_mb, last_mb = self.memory()
        vitals = {
            "before": asdict(self.before),
            "after": asdict(self.after),
            "seen": [asdict(one) for one in self.seen],
        }
        memory = {"settledMb": settled_mb, "lastMb": last_mb, "growth": self.growth}
        return {"minutes": self.duration_s / 60, "visits": self.came, **vitals, **memory, "faults": self.faults}

    def grids(self) -> Iterator[Grid]:
        yield self._vitals()
        yield self._visits()
        yield self._gaps()
        if self.faults:
            yield Grid("What must not be", ["fault"], [[fault] for fault in self.faults[:40]])

    def _vitals(self) -> Grid:
        settled_mb, last_mb = self.memory()
        first, last = self._thirds()
        rows = [
            [
                "memory, MB",
                f"{self.before.memory_mb:.1f}",
                f"{settled_mb:.1f}",
                f"{last_mb:.1f}",
                f"{self.after.memory_mb:.1f}",
            ],
            *(
                [name, *(str(figure) for figure in self._course(name, first, last))]
                for name in ("processes", "threads", "files", "tasks")
            ),
        ]
        columns = ["", "at rest, before", f"after {self.settled_s:.0f} s", "at the end", "at rest, after"]
        note = (
            f"Memory grew to {self.growth:.3f} of what it was (at most {GROWTH}). Of the rest the most in the first "
            "and in the last third. Memory: proportional set size of all processes."
        )
        return Grid(f"{self.duration_s / 60:g} minutes at {LOAD:.0%} of the measured capacity", columns, rows, note)

    def _course(self, name: str, first: Sequence[Vitals], last: Sequence[Vitals]) -> list[int]:
        of = lambda some: max(getattr(one, name) for one in some)  # noqa: E731
        return [getattr(self.before, name), of(first), of(last), getattr(self.after, name)]

    def _visits(self) -> Grid:
        rows = [[kind, str(count)] for kind, count in sorted(self.came["kinds"].items())]
        note = (
            f"{self.came['replies']} replies, {self.came['sound_s'] / 60:.1f} minutes of sound; "
            f"{self.came['busy']} told busy."
        )
        return Grid("Visits", ["kind", "number"], rows, note)

    def _gaps(self) -> Grid:
        rows = [
            [kind, str(len(gaps)), f"{sum(gaps):.2f}", f"{max(gaps, default=0):.2f}"]
            for kind, gaps in sorted(self.came["gaps"].items())
        ]
        note = (
            "At the client, where each chunk arrived. `written` and `returning` are the embedded model's replies: on "
            "cores that speak at 80 % of what they can it may write slower than anyone talks."
        )
        return Grid("Gaps", ["kind of reply", "gaps", "all, s", "longest, s"], rows, note)
