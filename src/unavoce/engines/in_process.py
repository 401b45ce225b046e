"""What engines that compute in this process share: threads, priorities, sessions, and stopping in mid-sentence."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Engine, EngineContext
from unavoce.engines.piper_sessions import Sessions
from unavoce.errors import EngineUnavailable

if TYPE_CHECKING:
    from unavoce.engines.piper_onnx import Run

T = TypeVar("T")
NICENESS = 10
"""Of speech beside an embedded model: measured to cost the model nothing, where 0 cost it 3 %."""


class LocalEngine(Engine):
    """Speaks with sessions of `Sessions` (`run()`, `speak(spoken, manner, run)`); has an option `threads`."""

    max_concurrency = 2
    in_process = True

    def __init__(self, options: Any, context: EngineContext, sessions: Sessions) -> None:
        super().__init__(options, context)
        self._options = options
        self._context = context
        self._sessions = sessions
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
        """Voice and threads of each ONNX session in memory, least recently used first."""
        return self._sessions.keys

    async def _speak(self, files: Any, spoken: str, manner: Any) -> Pcm:
        self._calls += 1
        try:
            loaded = await self._loaded(files, self._threads())
            return await self._compute(loaded, spoken, manner)
        finally:
            self._calls -= 1

    async def close(self) -> None:
        self._closed = True
        for run in self._runs:
            run.stop()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        for pool in (self._pool, self._niced_pool):
            pool.shutdown()
        self._sessions.close()

    def _threads(self) -> int:
        """For a call that has just begun."""
        if self._options.threads:
            return int(self._options.threads)
        return self._context.cores.speech_threads() if self._calls == 1 else 1

    async def _loaded(self, files: Any, threads: int) -> Any:
        self._check_open()
        loading = _awaitable(self._sessions.get(files, threads))
        return await asyncio.shield(loading)  # others may want it even if this caller does not any more

    async def _compute(self, loaded: Any, spoken: str, manner: Any) -> Pcm:
        self._check_open()
        run = loaded.run()
        self._runs.add(run)
        try:
            # A session's own threads are not reached by niceness, a single thread is the pool's.
            pool = self._niced_pool if self._context.cores.generating else self._pool
            return await _stoppable(pool.submit(loaded.speak, spoken, manner, run), run.stop)
        finally:
            self._runs.discard(run)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailable(f"the {self.name} engine is closed")


def _lower_priority() -> None:
    """Of the calling thread. Only Linux has a priority per thread that needs no privilege to lower."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _awaitable(future: Future[T]) -> asyncio.Future[T]:
    """A thread's result, whose failure may go unread because the caller has left."""
    work = asyncio.wrap_future(future)
    work.add_done_callback(lambda done: done.cancelled() or done.exception())
    return work


async def _stoppable(future: Future[T], stop: Callable[[], None]) -> T:
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
