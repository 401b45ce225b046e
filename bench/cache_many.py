"""The clip cache under load: puts that evict while another thread reads; a start with very many entries."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from bench.cache_stores import OURS, STORES, WITH_DEFAULT, Ours, Store, key, noise
from bench.report import Grid
from bench.turns import Taken, Timed, rotated, sure
from unavoce.cache.disk.background import BackgroundDisk

LATEST = 20
"""Clips put last, which the reader chooses from."""
READ_EVERY_S = 0.002
"""More often than many listeners would; without a rest, diskcache's reads would keep it from ever writing."""


# -- eviction


@dataclass(frozen=True, slots=True)
class Load:
    """Of one store, over all turns."""

    puts_per_s: float
    put: Taken
    read: Taken
    reads: int
    misses: int
    clips: int
    """Files left in the end."""
    bytes: int

    def cells(self) -> list[str]:
        left = [f"{self.clips:,}", f"{self.bytes / 1e6:.0f}"]
        slowest_put, slowest_read = (f"{taken.most_us / 1000:.1f}" for taken in (self.put, self.read))
        return [f"{self.puts_per_s:,.0f}", slowest_put, self.read.shown(), slowest_read, *left]


def evicting(folder: Path, clip_bytes: int, fit: int, puts: int) -> dict[str, Load]:
    """Fill each store to its bound, then put on in five turns while another thread reads."""
    loads = {name: _Loaded(make(folder / name, fit * clip_bytes), clip_bytes) for name, make in WITH_DEFAULT.items()}
    for load in loads.values():
        load.put(fit)
        load.put_us.clear()
    for turn in range(5):
        for name in rotated(list(loads), turn):
            loads[name].put_while_read(puts)
    for load in loads.values():
        load.store.close()
    return {name: load.load(folder / name) for name, load in loads.items()}


class _Loaded:
    """A store that is put to and read from by two threads."""

    def __init__(self, store: Store, clip_bytes: int) -> None:
        self.store = store
        self.put_us: list[float] = []
        self._kept = noise(clip_bytes)
        self._number = 0
        self._latest: deque[str] = deque(maxlen=LATEST)
        self._read_us: list[float] = []
        self._misses = 0

    def put(self, count: int) -> None:
        for _ in range(count):
            self._number += 1
            name = key(("evicting", self._number))
            began_s = perf_counter()
            self.store.put(name, self._kept)
            self.put_us.append((perf_counter() - began_s) * 1e6)
            self._latest.append(name)

    def put_while_read(self, count: int) -> None:
        done = threading.Event()
        reader = threading.Thread(target=self._read_until, args=[done])
        reader.start()
        try:
            self.put(count)
        finally:
            done.set()
            reader.join()

    def _read_until(self, done: threading.Event) -> None:
        # Our reading opens nothing; closing is for the thread that puts.
        with nullcontext() if isinstance(self.store, Ours) else closing(self.store):
            self._read()
            while not done.wait(READ_EVERY_S):
                self._read()

    def _read(self) -> None:
        name = self._latest[len(self._read_us) % len(self._latest)]
        began_s = perf_counter()
        found = self.store.get(name)
        self._read_us.append((perf_counter() - began_s) * 1e6)
        self._misses += found is None

    def load(self, folder: Path) -> Load:
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix in _CLIPS]
        per_s = 1e6 * len(self.put_us) / sum(self.put_us)
        put, read = Taken.of(self.put_us), Taken.of(self._read_us)
        return Load(round(per_s, 1), put, read, len(self._read_us), self._misses, len(sizes), sum(sizes))


_CLIPS = (".wav", ".val", "")
"""What the three stores call a clip's file."""


# -- start-up


@dataclass(frozen=True, slots=True)
class Start:
    """With very many entries."""

    entries: int
    timed: dict[str, Timed]
    look_overs: Sequence[tuple[str, float, float, Taken]]
    """What was looked over, the seconds it took, its longest step in seconds, a hit meanwhile."""

    def grid(self) -> Grid:
        looks = self.look_overs
        rows = [[what, f"{all_s:.2f}", f"{most_s * 1000:.0f}", hit.shown()] for what, all_s, most_s, hit in looks]
        columns = ["", "s", "longest step, ms", "a disk hit meanwhile, µs"]
        return Grid(f"Looking over {self.entries:,} clips in the background", columns, rows)

    def figures(self) -> list[dict[str, object]]:
        names = ("what", "all_s", "longest_step_s", "hit_us")
        return [dict(zip(names, (*look[:3], asdict(look[3])), strict=True)) for look in self.look_overs]


async def starting(folder: Path, entries: int, clip_bytes: int, turns: int) -> Start:
    """Open each store with so many clips in it and get one; then let ours be looked over."""
    keys = [key(number) for number in range(entries)]
    await asyncio.to_thread(_fill, folder, keys, clip_bytes)
    opened = await asyncio.to_thread(_open_and_get, folder, keys, max(1, turns // 5))
    looks = [
        ("after a start", await _look_over(folder / OURS, keys)),
        ("once more", await _look_over(folder / OURS, keys)),
    ]
    await asyncio.to_thread((folder / OURS / "index.sqlite").unlink)
    looks.append(("index lost: made anew from the files", await _look_over(folder / OURS, keys)))
    what = f"open with {entries:,} entries, first hit"
    return Start(entries, {what: opened}, [(what, *look) for what, look in looks])


def _fill(folder: Path, keys: list[str], clip_bytes: int) -> None:
    for name, make in STORES.items():
        with closing(make(folder / name)) as store:
            store.fill(keys, noise(clip_bytes))


def _open_and_get(folder: Path, keys: list[str], turns: int) -> Timed:
    """From opening to the first clip; closing does not count."""
    timed: Timed = {name: [] for name in STORES}
    for turn in range(turns):
        for name in rotated(list(STORES), turn):
            began_s = perf_counter()
            with closing(STORES[name](folder / name)) as store:
                sure(store.get(keys[turn * 7919 % len(keys)]))
                timed[name].append((perf_counter() - began_s) * 1e6)
    return timed


async def _look_over(folder: Path, keys: list[str]) -> tuple[float, float, Taken]:
    """How long it took in all, how long its longest step, and a hit on disk meanwhile."""
    background = BackgroundDisk(await asyncio.to_thread(lambda: Ours(folder).disk))
    steps_s: list[float] = []

    async def look_over() -> None:
        more = True
        while more:
            began_s = perf_counter()
            more = await background.do(background.disk.tidy)
            steps_s.append(perf_counter() - began_s)

    hits_us: list[float] = []
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(look_over())
        while not hits_us or not looking.done():
            began_s = perf_counter()
            sure(await background.fetch(keys[len(hits_us) * 7919 % len(keys)]))
            hits_us.append((perf_counter() - began_s) * 1e6)
            await asyncio.sleep(0.005)
    await background.close()
    return sum(steps_s), max(steps_s), Taken.of(hits_us)
