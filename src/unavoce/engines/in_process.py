"""What engines that compute in this process share: how many threads, which priority, stopping in mid-sentence."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import Field

from unavoce.engines.base import Engine, EngineContext, EngineOptions
from unavoce.engines.sessions import Files, Loaded, Sessions
from unavoce.errors import EngineUnavailable

if TYPE_CHECKING:
    from unavoce.engines.onnx_runs import Run

Result = TypeVar("Result")
NICENESS = 10
"""Of speech beside an embedded model: measured to cost the model nothing, where 0 cost it 3 %."""


class LocalOptions(EngineOptions):
    """What every engine of this kind can be told."""

    threads: int | None = Field(default=None, ge=1)
    """For every sentence; chosen from what else is running where not given."""


class LocalEngine(Engine, Generic[Files, Loaded]):
    """Speaks with models in ONNX sessions: a wide one over all cores, and a narrow one of a single thread.

    A sentence that has the engine to itself gets the wide one; sentences side by side, or beside an embedded
    language model that is writing, get the narrow one, in the latter case at a lower priority.
    """

    in_process = True

    def __init__(self, options: LocalOptions, context: EngineContext, sessions: Sessions[Files, Loaded]) -> None:
        super().__init__(options, context)
        self._context = context
        self._sessions = sessions
        self._fixed_threads = options.threads
        self._pool = ThreadPoolExecutor(self.max_concurrency, self.name)
        self._niced_pool = ThreadPoolExecutor(self.max_concurrency, f"{self.name}-niced", _lower_priority)
        self._runs: set[Run] = set()
        self._calls = 0
        self._closed = False

    @property
    def running(self) -> int:
        """Computations under way."""
        return len(self._runs)

    @property
    def sessions(self) -> list[tuple[str, int]]:
        """Model and threads of each ONNX session in memory, least recently used first."""
        return self._sessions.keys

    async def close(self) -> None:
        self._closed = True
        for run in self._runs:
            run.stop()
        await asyncio.to_thread(self._shut_down)

    async def _warm_up(self, files: Files, *, wait_for_both: bool = False) -> None:
        """Have the wide session in memory; the narrow one goes on loading behind, unless it is waited for too."""
        await self._loaded(files, self._fixed_threads or self._context.cores.count)
        narrow = self._fixed_threads or 1
        self._sessions.get(files, narrow)
        if wait_for_both:
            await self._loaded(files, narrow)

    async def _compute(self, files: Files, work: Callable[[Loaded, Run], Result]) -> Result:
        """`work` on a thread, with a model of as many threads as may be. Cancelled, its run is stopped."""
        self._calls += 1
        try:
            loaded = await self._loaded(files, self._threads())
            return await self._run(lambda run: work(loaded, run))
        finally:
            self._calls -= 1

    def _threads(self) -> int:
        """For a call that has just begun."""
        if self._fixed_threads:
            return self._fixed_threads
        return self._context.cores.speech_threads() if self._calls == 1 else 1

    async def _loaded(self, files: Files, threads: int) -> Loaded:
        self._check_open()
        loading = _awaitable(self._sessions.get(files, threads))
        return await asyncio.shield(loading)  # others may want it even if this caller does not any more

    async def _run(self, work: Callable[[Run], Result]) -> Result:
        from unavoce.engines.onnx_runs import Run  # noqa: PLC0415  # heavy, and imported by now

        self._check_open()
        run = Run()
        self._runs.add(run)
        try:
            # A session's own threads are not reached by niceness, a single thread is the pool's.
            pool = self._niced_pool if self._context.cores.generating else self._pool
            return await _stoppable(pool.submit(work, run), run.stop)
        finally:
            self._runs.discard(run)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailable(f"the {self.name} engine is closed")

    def _shut_down(self) -> None:
        for pool in (self._pool, self._niced_pool):
            pool.shutdown()
        self._sessions.close()


def _lower_priority() -> None:
    """Of the calling thread. Only Linux has a priority per thread that needs no privilege to lower."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _awaitable(future: Future[Result]) -> asyncio.Future[Result]:
    """A thread's result, whose failure may go unread because the caller has left."""
    work = asyncio.wrap_future(future)
    work.add_done_callback(lambda done: done.cancelled() or done.exception())
    return work


async def _stoppable(future: Future[Result], stop: Callable[[], None]) -> Result:
    """Wait for a thread's result; when cancelled, stop it, and return only when it has really stopped."""
    work = _awaitable(future)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop()
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                continue  # a second cancellation makes it no faster
        raise
