"""Which models are in memory: each loaded once, off the event loop, and only so many of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """What a model is loaded from."""

    @property
    def name(self) -> str: ...


Files = TypeVar("Files", bound=Named)
Loaded = TypeVar("Loaded")


class Sessions(Generic[Files, Loaded]):
    """Loaded models by (name, threads), loaded one at a time and once; the least recently used goes.

    `load` runs on a thread of its own, whose name begins with `name`.
    """

    def __init__(self, load: Callable[[Files, int], Loaded], *, name: str, limit: int) -> None:
        self._load = load
        self._limit = limit
        self._loader = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-load")
        self._loaded: OrderedDict[tuple[str, int], Future[Loaded]] = OrderedDict()

    def get(self, files: Files, threads: int) -> Future[Loaded]:
        """The model called `files.name`, or its loading under way. One that failed to load is tried again."""
        key = (files.name, threads)
        future = self._loaded.get(key)
        if future is None or (future.done() and future.exception()):
            self._loaded[key] = future = self._loader.submit(self._load, files, threads)
        self._loaded.move_to_end(key)
        while len(self._loaded) > self._limit:
            self._loaded.popitem(last=False)
        return future

    @property
    def keys(self) -> list[tuple[str, int]]:
        """Name and threads of each, least recently used first."""
        return list(self._loaded)

    def close(self) -> None:
        """Blocks until all loading has ended."""
        self._loader.shutdown()
        self._loaded.clear()
