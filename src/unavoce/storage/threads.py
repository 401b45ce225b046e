"""Threads for a disk that may hang: the process ends without them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Job = tuple[Future[Any], Callable[[], Any]]


class DiskThreads(Executor):
    """`count` daemon threads, started when they are first needed.

    The standard library's pool lets the interpreter wait for its threads at the end, however long they hang; what is
    not to be lost is waited for by whoever handed it over. The queue is bounded by those who hand over.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._started = False
        self._over = False

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """For one thread to call, usually the event loop's. Raises RuntimeError after `shutdown`."""
        if self._over:
            raise RuntimeError("these threads have been shut down")
        future: Future[T] = Future()
        self._jobs.put((future, lambda: work(*args, **kwargs)))
        if not self._started:
            self._started = True
            for number in range(self._count):
                threading.Thread(target=self._serve, name=f"{self._name}-{number}", daemon=True).start()
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:
        """Take nothing more. Never waits; `cancel_futures`: what has not begun is not done."""
        self._over = True
        while cancel_futures and not self._jobs.empty():
            if (job := self._next()) is not None:
                job[0].cancel()
        for _ in range(self._count):
            self._jobs.put(None)

    def _next(self) -> Job | None:
        try:
            return self._jobs.get_nowait()
        except queue.Empty:
            return None

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = work()
            except BaseException as error:  # whoever waits for it is told
                future.set_exception(error)
            else:
                future.set_result(result)
            del job, future, work
