"""The disk tier as the event loop sees it: looked into with a limit of time, written to when nobody waits.

A disk that answers slowly, or not at all, is a miss and nothing more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from unavoce.cache.disk.clip_file import DamagedClip
from unavoce.cache.disk.tier import DiskCache
from unavoce.cache.kept import Kept, Which
from unavoce.errors import CacheError
from unavoce.storage.threads import DiskThreads

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

LOOK_S: Final = 0.25
"""How long a clip on disk is waited for; then the engine is asked."""
READERS: Final = 2
MOST_READS: Final = 16
"""Looks at a time; while a disk hangs the next ones are misses at once."""
MOST_PENDING_BYTES: Final = 32 << 20
"""Sound that waits to be written; what comes while there is more is not kept on disk."""
MOST_NOTED: Final = 1000
"""Clips whose use has not been noted yet."""
NOTE_S: Final = 5.0
"""How often uses and counts are written, and clearings by other processes are learnt of."""
TIDY_S: Final = 3600.0
"""How often the folder is looked over."""
CLOSE_S: Final = 5.0
"""How long is waited for what is still to be written when the process stops."""


class BackgroundDisk:
    """A disk tier on threads of its own. `run` it in a task of yours, and `close` it."""

    def __init__(self, disk: DiskCache) -> None:
        self.disk = disk
        self._readers = DiskThreads(READERS, "cache-read")
        # One: the index is used by one thread at a time, and what is kept first is written first.
        self._writer = DiskThreads(1, "cache-write")
        self._reading = 0
        self._pending_bytes = 0
        self._uses: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._clearing: int | None = None
        self._trouble = ""
        self._closed = False
        self.look_s: float | None = None
        """What the last look on disk took, found or not; None before the first."""

    @property
    def problem(self) -> str:
        return self._trouble or self.disk.problem

    # -- clips

    async def fetch(self, key: str) -> Kept | None:
        """The clip kept under `key`, within LOOK_S or not at all."""
        if self._closed or self._reading >= MOST_READS:
            return None
        self._reading += 1
        now = asyncio.get_running_loop().time
        began_s = now()
        look = asyncio.get_running_loop().run_in_executor(self._readers, self.disk.read, key)
        look.add_done_callback(partial(self._looked, key))
        try:
            async with asyncio.timeout(LOOK_S):
                return await asyncio.shield(look)
        except TimeoutError:
            self._in_trouble(f"the cache's disk gave no answer within {LOOK_S:g} s; remedy: see to that disk")
        except Exception:  # noqa: S110 - seen to in `_looked`, also where nobody waits any more
            pass
        finally:
            self.look_s = now() - began_s
        return None

    def _looked(self, key: str, look: asyncio.Future[Kept | None]) -> None:
        self._reading -= 1
        error = None if look.cancelled() else look.exception()
        if self._closed:
            return
        if isinstance(error, DamagedClip):
            log.warning("cached_clip_damaged", extra={"key": key, "reason": str(error)})
            self._later(self.disk.discard, key)
        elif isinstance(error, CacheError):
            self._in_trouble(str(error))
        elif error is not None:
            log.error("cache_crashed", exc_info=error)
        else:
            self._trouble = ""

    def keep(self, key: str, kept: Kept, *, phrase: bool = False) -> None:
        """Write a clip when there is time for it."""
        size = kept.clip.samples.nbytes
        if self._closed or self._pending_bytes + size > MOST_PENDING_BYTES:
            return
        self._pending_bytes += size
        self._later(partial(self.disk.put, phrase=phrase), key, kept).add_done_callback(lambda _: self._wrote(size))

    def _wrote(self, size: int) -> None:
        self._pending_bytes -= size

    # -- notes

    def used(self, key: str) -> None:
        """A clip was heard."""
        if key in self._uses or len(self._uses) < MOST_NOTED:
            self._uses[key] = self._uses.pop(key, 0) + 1  # the one used last at the end

    def count(self, counts: dict[str, float]) -> None:
        """Add to what is counted for good, by name."""
        self._counts.update(counts)

    async def flush(self) -> None:
        """Write what was noted; everything kept before is written by then."""
        uses, self._uses = self._uses, {}
        counts, self._counts = self._counts, Counter()
        if not self._closed:
            await self._later(self.disk.note, uses, counts)

    async def most_used(self, count: int, least: int) -> list[str]:
        """Keys of the clips said most often, at least `least` times of late."""
        return await self.do(self.disk.most_used, count, least)

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something with the disk cache after what waits already, and give back what comes of it."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, partial(work, *args, **kwargs))

    # -- in the background

    async def run(self, on_clearing: Callable[[Which], None]) -> None:
        """Look over the folder, write notes, and call `on_clearing` for what another process has cleared; for ever."""
        tidy_at_s = 0.0
        now = asyncio.get_running_loop().time
        while True:
            # What fails has been logged. Speech needs none of it.
            with suppress(Exception):
                await self._learn(on_clearing)
            if now() >= tidy_at_s:
                tidy_at_s = now() + TIDY_S
                with suppress(Exception):
                    await self._tidy()
            await asyncio.sleep(NOTE_S)
            with suppress(Exception):
                await self.flush()

    async def _learn(self, on_clearing: Callable[[Which], None]) -> None:
        """Of what other processes have cleared since the last time."""
        self._clearing, clearings = await self._later(self.disk.clearings_after, self._clearing)
        for which in clearings:
            on_clearing(which)

    async def _tidy(self) -> None:
        while await self._later(self.disk.tidy):
            pass

    async def close(self) -> None:
        """Write what was noted and kept; not for ever, where the disk hangs."""
        if self._closed:
            return
        uses, self._uses = self._uses, {}
        self._later(self.disk.note, uses, Counter(self._counts))
        last = self._later(self.disk.close)
        self._closed = True
        self._readers.shutdown(cancel_futures=True)
        self._writer.shutdown()
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.shield(last)
        except TimeoutError:
            log.warning("cache_not_flushed", extra={"limit_s": CLOSE_S})

    # -- threads

    def _later(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        done = asyncio.get_running_loop().run_in_executor(self._writer, partial(work, *args, **kwargs))
        done.add_done_callback(_say_what_went_wrong)
        return done

    def _in_trouble(self, problem: str) -> None:
        if problem != self._trouble:
            log.warning("cache_not_read", extra={"reason": problem})
        self._trouble = problem


def _say_what_went_wrong(done: asyncio.Future[Any]) -> None:
    """The disk cache keeps its troubles to itself; anything that comes here is a mistake of ours."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("cache_crashed", exc_info=error)
