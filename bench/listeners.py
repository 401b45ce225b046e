"""How many listeners two cores serve at once, who waits for the first sound, and who hears gaps.

Each listener streams an eight- or a twenty-sentence reply of its own at 30 tokens a second to a real server, all begin
within five seconds (`crowd`, a process of its own). unavoce takes turns with two single-threaded workers that serve
sentences first come, first served (`first_come`). Both are held against the *physical limit* of the same run: the cores
that the listeners' own process leaves, by the CPU seconds that plain single-threaded Piper takes per second of sound.

`BENCH_LISTENERS=8,12,12` chooses the numbers of listeners; one that stands twice is tried twice, at other moments.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from piper import PiperVoice

from bench.crowd import Crowd, own_text
from bench.first_sound import cut
from bench.hits import NO_MODEL
from bench.listeners_report import AS_IT_COMES, FIFO, US, Run, Runs, report
from bench.machine import cpu_s
from bench.replies import tokens_of
from bench.report import Report
from bench.serving import Serving, serving
from bench.speakers import piper_voice, raw_cpu_per_sound
from bench.turns import rotated
from unavoce import Settings

COUNTS = (4, 8, 12, 14, 16, 18, 20, 22, 24)
WARM_UP = 2
"""Listeners of each server before the first that count."""
ROOM = {
    "UNAVOCE_MAX_REPLIES": "1000",
    "UNAVOCE_MAX_REPLIES_PER_CALLER": "1000",
    "UNAVOCE_MAX_CONNECTIONS_PER_ADDRESS": "1000",
    "UNAVOCE_MAX_EVENTS_PER_S": "10000",
    "UNAVOCE_LOG_LEVEL": "error",
}
"""All listeners come from one address here, and there is no model, on purpose."""
NEVER_BUSY = {"UNAVOCE_MAX_LOAD": "0"}
"""Nobody is refused, so that it shows what happens past capacity."""
MODULES = {"PYTHONPATH": str(Path(__file__).parents[1])}


async def run(_repeat: int) -> Report:
    """Each number of listeners once: a run holds as many measurements as it has listeners."""
    counts = wanted(os.environ.get("BENCH_LISTENERS", ""))
    refuses = "max_load" in Settings.model_fields
    voice = await asyncio.to_thread(piper_voice, 1)
    runs: Runs = {}
    with TemporaryDirectory() as folder:
        if refuses:
            async with _unavoce(Path(folder), {}) as server:
                runs[counts[-1], AS_IT_COMES] = [await _run(server, voice, counts[-1], len(counts))]
        async with _servers(Path(folder), NEVER_BUSY if refuses else {}) as servers:
            for turn, count in enumerate(counts):
                for who in rotated(list(servers), turn):
                    runs.setdefault((count, who), []).append(await _run(servers[who], voice, count, turn))
    return report(runs)


def wanted(numbers: str) -> Sequence[int]:
    """The numbers of listeners to try: COUNTS where none are given. Raises SystemExit for what is no number."""
    try:
        return sorted(int(number) for number in numbers.split(",")) if numbers.strip() else COUNTS
    except ValueError:
        raise SystemExit(f"bench: BENCH_LISTENERS={numbers}: expected numbers such as 8,12,16") from None


@asynccontextmanager
async def _servers(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Mapping[str, Serving]]:
    """Both run all the time; the one that nobody listens to does nothing."""
    first_come = [sys.executable, "-m", "bench.first_come"]
    async with _unavoce(folder, settings) as ours, serving(folder, MODULES, first_come) as theirs:
        await _crowd(theirs, WARM_UP, 0)
        yield {US: ours, FIFO: theirs}


@asynccontextmanager
async def _unavoce(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Serving]:
    async with serving(folder, {**NO_MODEL, **ROOM, **settings}) as server:
        await _crowd(server, WARM_UP, 0)
        yield server


async def _run(server: Serving, voice: PiperVoice, count: int, seed: int) -> Run:
    """One crowd at one server, between two looks at what plain Piper costs at that moment."""
    costs = [await _cost(voice)]
    before_s = cpu_s(server.pid)
    crowd = await _crowd(server, count, seed)
    after_s = cpu_s(server.pid)
    costs.append(await _cost(voice))
    server_cpu_s = None if before_s is None or after_s is None else after_s - before_s
    return Run(crowd, len(os.sched_getaffinity(0)), sum(costs) / len(costs), server_cpu_s)


async def _crowd(server: Serving, count: int, seed: int) -> Crowd:
    command = [sys.executable, "-m", "bench.crowd", server.url, str(count), str(seed)]
    environment = {**os.environ, **MODULES}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE)
    told, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the listeners' process ended with exit code {process.returncode}")
    return Crowd.read(told.decode())


async def _cost(voice: PiperVoice) -> float:
    """CPU seconds per second of sound of plain Piper on one thread, saying what these listeners hear."""
    sentences = [sentence.spoken for sentence in cut(tokens_of(own_text(0)))]
    return await asyncio.to_thread(raw_cpu_per_sound, voice, sentences)
