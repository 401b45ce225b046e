"""The clip cache's disk tier beside `diskcache` and beside plain files: clips, hits, many entries, eviction, start-up.

The stores take turns. What is read was written or read before, so that it comes from the system's page cache: this
measures the stores and not the disk.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from bench.cache_many import Load, evicting, starting
from bench.cache_stores import BY_DEFAULT, DISKCACHE, OURS, PLAIN, STORES, VOICE, WITH_DEFAULT, Store, key, noise
from bench.report import Grid, Report
from bench.turns import Taken, Timed, in_turns, ratio, rotated, sure
from unavoce.cache.disk.background import BackgroundDisk
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.kept import Kept
from unavoce.cache.key import key_of
from unavoce.cache.memory import MemoryCache

MEDIUM_BYTES = 150_000
"""A clip of 3 s at 24 kHz."""
TEXT = "The kettle is on, the lights are low, and dinner will be served at eight."


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    clip_bytes: Sequence[int] = (50_000, MEDIUM_BYTES, 500_000)
    turns: int = 50
    """Times `repeat`."""
    entries: int = 10_000
    most_entries: int = 100_000
    small_bytes: int = 2_000
    """Of each of those."""
    bound_clips: int = 200
    """Clips of MEDIUM_BYTES that fit while clips are evicted."""


DEFAULT_SIZES = Sizes()


async def run(repeat: int, sizes: Sizes = DEFAULT_SIZES) -> Report:
    turns = repeat * sizes.turns
    with tempfile.TemporaryDirectory(prefix="unavoce-bench-") as name:
        folder = Path(name)
        clips = await asyncio.to_thread(_clips, folder / "clips", sizes.clip_bytes, turns)
        hits = await _hits(folder / "hits", turns)
        many = await asyncio.to_thread(_many, folder / "many", sizes, turns)
        loads = await asyncio.to_thread(evicting, folder / "evicting", MEDIUM_BYTES, sizes.bound_clips, turns)
        start = await starting(folder / "start", sizes.most_entries, sizes.small_bytes, turns)
    others = {**hits, **many, **start.timed}
    figures = {
        "us": {what: _figures(timed) for what, timed in {**clips, **others}.items()},
        "evicting": {name: asdict(load) for name, load in loads.items()},
        "look_over": start.figures(),
        "sizes": asdict(sizes),
    }
    return Report(figures, [_clip_grid(clips), _other_grid(others), _load_grid(loads), start.grid()])


# -- clips


def _clips(folder: Path, sizes: Sequence[int], turns: int) -> dict[str, Timed]:
    """Put and get clips of each size, with `diskcache` also as it is by default."""
    timed: dict[str, Timed] = {}
    with ExitStack() as opened:
        stores = {name: opened.enter_context(closing(make(folder / name))) for name, make in WITH_DEFAULT.items()}
        for size in sizes:
            timed |= _put_and_get(stores, size, turns, f"{size // 1000} KB")
    return timed


def _put_and_get(stores: Mapping[str, Store], size: int, turns: int, what: str) -> dict[str, Timed]:
    kept, keys = noise(size), [key((what, turn)) for turn in range(turns + 1)]
    for store in stores.values():
        store.put(keys[-1], kept)  # what is made once is made by now
    puts = in_turns({name: _putting(store, keys, kept) for name, store in stores.items()}, turns)
    return {f"put, {what}": puts, f"get, {what}": _gets(stores, keys, turns)}


def _gets(stores: Mapping[str, Store], keys: Sequence[str], turns: int) -> Timed:
    """Get clips at random."""
    chosen = random.Random(turns).choices(keys, k=turns)  # noqa: S311
    return in_turns({name: _getting(store, chosen) for name, store in stores.items()}, turns)


def _putting(store: Store, keys: Sequence[str], kept: Kept) -> Callable[[int], object]:
    return lambda turn: store.put(keys[turn], kept)


def _getting(store: Store, keys: Sequence[str]) -> Callable[[int], object]:
    return lambda turn: sure(store.get(keys[turn]))


# -- many entries


def _many(folder: Path, sizes: Sizes, turns: int) -> dict[str, Timed]:
    """Beside so many small clips: put a medium one, get small ones at random."""
    small, keys = noise(sizes.small_bytes), [key(number) for number in range(sizes.entries)]
    with ExitStack() as opened:
        stores = {name: opened.enter_context(closing(make(folder / name))) for name, make in STORES.items()}
        for store in stores.values():
            store.fill(keys, small)
        what = f"with {sizes.entries:,} entries"
        gets = _gets(stores, keys, turns)
        puts = _put_and_get(stores, MEDIUM_BYTES, turns, f"{MEDIUM_BYTES // 1000} KB {what}")
    return {f"get, {sizes.small_bytes // 1000} KB {what}": gets, **puts}


# -- hits as speech has them


async def _hits(folder: Path, turns: int) -> dict[str, Timed]:
    """A hit in memory, its key included; a hit on disk from the event loop."""
    keys = [key(("hit", turn)) for turn in range(20)]
    stores = await asyncio.to_thread(_filled, folder, keys)
    background = BackgroundDisk(await asyncio.to_thread(DiskCache, folder / OURS, Limits(reserve_bytes=0)))
    with ThreadPoolExecutor(1) as thread:  # one, so that the connection it opens can be closed

        async def on_thread(store: Store, key: str) -> object:
            return await asyncio.get_running_loop().run_in_executor(thread, store.get, key)

        looks: dict[str, Callable[[str], object]] = {
            OURS: background.fetch,
            DISKCACHE: partial(on_thread, stores[DISKCACHE]),
            PLAIN: partial(on_thread, stores[PLAIN]),
        }
        disk: Timed = {name: [] for name in looks}
        for turn in range(turns):
            for name in rotated(list(looks), turn):
                began_s = perf_counter()
                sure(await looks[name](keys[turn % len(keys)]))  # type: ignore[misc]
                disk[name].append((perf_counter() - began_s) * 1e6)
        for store in stores.values():
            await asyncio.get_running_loop().run_in_executor(thread, store.close)
    await background.close()
    return {"memory hit": _memory_hits(turns), f"disk hit, {MEDIUM_BYTES // 1000} KB": disk}


def _filled(folder: Path, keys: list[str]) -> dict[str, Store]:
    stores = {name: make(folder / name) for name, make in STORES.items()}
    for store in stores.values():
        store.fill(keys, noise(MEDIUM_BYTES))
        store.close()
    return stores


def _memory_hits(turns: int) -> Timed:
    memory = MemoryCache(1 << 30)
    for number in range(100):
        memory.put(key_of(VOICE, f"{number}. {TEXT}"), noise(MEDIUM_BYTES))
    return in_turns({OURS: lambda turn: sure(memory.get(key_of(VOICE, f"{turn % 100}. {TEXT}")))}, turns)


# -- tables


def _clip_grid(clips: Mapping[str, Timed]) -> Grid:
    columns = ["", OURS, DISKCACHE, BY_DEFAULT, PLAIN, f"÷ {DISKCACHE}", "÷ plain"]
    note = (
        "Microseconds: median (95th percentile). Page cache warm. diskcache: those not used for longest go first, for"
        " which each get writes; by default: those stored first. It checks nothing that it reads, nor do plain files."
    )
    rows = [_row(what, timed, (OURS, DISKCACHE, BY_DEFAULT, PLAIN)) for what, timed in clips.items()]
    return Grid("A clip's sound to disk and back", columns, rows, note)


def _other_grid(others: Mapping[str, Timed]) -> Grid:
    columns = ["", OURS, DISKCACHE, PLAIN, f"÷ {DISKCACHE}", "÷ plain"]
    rows = [_row(what, timed, (OURS, DISKCACHE, PLAIN)) for what, timed in others.items()]
    return Grid("Hits, and many entries", columns, rows, "As above. Neither of the others has a memory tier.")


def _row(what: str, timed: Timed, names: Sequence[str]) -> list[str]:
    cells = [Taken.of(timed[name]).shown() if name in timed else "" for name in names]
    return [what, *cells, *(ratio(timed, OURS, name) if name in timed else "" for name in (DISKCACHE, PLAIN))]


def _load_grid(loads: Mapping[str, Load]) -> Grid:
    columns = ["", "puts a second", "slowest put, ms", "read, µs", "slowest read, ms", "clips left", "MB left"]
    note = "One thread puts as fast as it can, another reads one of the last every 2 ms. Plain files evict nothing."
    return Grid(
        "At its bound: every put evicts", columns, [[name, *load.cells()] for name, load in loads.items()], note
    )


def _figures(timed: Timed) -> dict[str, dict[str, float]]:
    return {name: asdict(Taken.of(times)) for name, times in timed.items()}
