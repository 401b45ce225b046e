"""What engines that compute in this process share: how many threads, which priority, stopping in mid-sentence."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import Field

from unavoce.engines.base import EngineContext, EngineOptions, InHand, SteppedEngine
from unavoce.engines.sessions import Files, Loaded, Sessions
from unavoce.errors import EngineUnavailable

if TYPE_CHECKING:
    from unavoce.engines.onnx_runs import Run

Result = TypeVar("Result")
NICENESS = 19
"""Of speech beside an embedded model: measured to cost the model nothing, where 0 cost it more than a quarter."""
LIFT_S = 1.0
"""A listener with less than this in hand is not made to wait for the model: niced computations may starve."""
LOOK_S = 0.1
"""How often a niced computation's listener is looked at."""


class LocalOptions(EngineOptions):
    """What every engine of this kind can be told."""

    threads: int | None = Field(default=None, ge=1)
    """For every sentence; chosen from what else is running where not given."""


class LocalEngine(SteppedEngine, Generic[Files, Loaded]):
    """Speaks with models in ONNX sessions: a wide one over all cores, and a narrow one of a single thread.

    Each step of a sentence that has the engine to itself gets the wide one. Sentences side by side, beside an embedded
    language model that is writing, or for a listener with ample sound in hand, get the narrow one; beside the model at
    a lower priority, for as long as their listener has enough in hand.
    """

    in_process = True
    ample_s = float("inf")
    """A listener with more than this in hand is served on one thread, which costs less CPU than several."""

    def __init__(self, options: LocalOptions, context: EngineContext, sessions: Sessions[Files, Loaded]) -> None:
        super().__init__(options, context)
        self._context = context
        self._sessions = sessions
        self._fixed_threads = options.threads
        workers = min(self.max_concurrency, context.cores.count)
        self._pool = ThreadPoolExecutor(workers, self.name)
        self._niced_pool = ThreadPoolExecutor(workers, f"{self.name}-niced")
        self._runs: set[Run] = set()
        self._sentences = 0
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

    @contextmanager
    def _sentence(self) -> Iterator[None]:
        """A sentence is under way, from its first step to its last."""
        self._sentences += 1
        try:
            yield
        finally:
            self._sentences -= 1

    async def _compute(
        self, files: Files, work: Callable[[Loaded, Run], Result], in_hand_s: InHand
    ) -> tuple[Result, float]:
        """`work` on a thread, with a model of as many threads as may be, and the seconds it took times those threads.
        Cancelled, its run is stopped.

        A computation that was begun for somebody with time, and is needed now, may be done once more from its start.
        """
        threads = self._threads(in_hand_s)
        loaded = await self._loaded(files, threads)
        self._check_open()

        def begin(run: Run) -> tuple[Result, float]:
            began_s = perf_counter()
            return work(loaded, run), threads * (perf_counter() - began_s)

        if self._context.cores.leaves_room and in_hand_s() > LIFT_S:
            with suppress(_NeededNow):
                return await self._beside_the_model(begin, in_hand_s)
        return await self._run(self._pool, begin)

    def _threads(self, in_hand_s: InHand) -> int:
        """For a step that is about to begin."""
        if self._fixed_threads:
            return self._fixed_threads
        alone = self._sentences == 1 and in_hand_s() <= self.ample_s
        return self._context.cores.speech_threads() if alone else 1

    async def _loaded(self, files: Files, threads: int) -> Loaded:
        self._check_open()
        loading = _awaitable(self._sessions.get(files, threads))
        return await asyncio.shield(loading)  # others may want it even if this caller does not any more

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[Run], Result], run: Run | None = None) -> Result:
        from unavoce.engines.onnx_runs import Run  # noqa: PLC0415  # heavy, and imported by now

        run = run or Run()
        self._runs.add(run)
        try:
            return await _stoppable(pool.submit(work, run), run.stop)
        finally:
            self._runs.discard(run)

    async def _beside_the_model(self, work: Callable[[Run], Result], in_hand_s: InHand) -> Result:
        """At a lower priority, until it is needed: then it is lifted where the system allows that, else stopped.

        Raises _NeededNow in the latter case. A session's own threads are not reached by niceness, a single thread is
        the pool's.
        """
        from unavoce.engines.onnx_runs import Run, Stopped  # noqa: PLC0415  # heavy, and imported by now

        run, thread, needed = Run(), _Thread(), False

        def niced(run: Run) -> Result:
            with thread.at(NICENESS):
                return work(run)

        computing = asyncio.ensure_future(self._run(self._niced_pool, niced, run))
        try:
            while not (await asyncio.wait([computing], timeout=LOOK_S))[0]:
                if not needed and in_hand_s() < LIFT_S:
                    needed = True
                    if not thread.lift():
                        run.stop()
            return computing.result()
        except Stopped:
            if needed and not self._closed:
                raise _NeededNow from None
            raise
        finally:
            computing.cancel()
            await _ended(computing)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailable(f"the {self.name} engine is closed")

    def _shut_down(self) -> None:
        for pool in (self._pool, self._niced_pool):
            pool.shutdown()
        self._sessions.close()


class _NeededNow(Exception):
    """A niced computation was stopped, since its listener has little in hand."""


class _Thread:
    """The priority of whichever thread works. Only Linux has one per thread that needs no privilege to lower."""

    def __init__(self) -> None:
        self._id: int | None = None
        self._lock = threading.Lock()

    @contextmanager
    def at(self, niceness: int) -> Iterator[None]:
        """The calling thread works at that niceness, unless it is lifted meanwhile."""
        with self._lock:
            self._id = threading.get_native_id()
            _set_niceness(self._id, niceness)
        try:
            yield
        finally:
            with self._lock:
                self._id = None  # its next computation is another one's

    def lift(self) -> bool:
        """Back to the process's own priority; False where the system does not allow that."""
        with self._lock:
            return self._id is None or _set_niceness(self._id, _own_niceness())


def _own_niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, os.getpid()) if sys.platform == "linux" else 0


def _set_niceness(thread_id: int, niceness: int) -> bool:
    if sys.platform != "linux":
        return True
    try:
        os.setpriority(os.PRIO_PROCESS, thread_id, niceness)
    except PermissionError:
        return False
    return True


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
        if not future.cancel():  # it has begun already
            stop()
        await _ended(work)
        raise


async def _ended(work: asyncio.Future[Result]) -> None:
    """Returns when `work` is done, well or badly, however often the caller is cancelled meanwhile."""
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            continue  # a second cancellation makes it no faster
