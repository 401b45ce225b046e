"""Which Piper voices are in memory: each loaded once, off the event loop, and only so many of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from unavoce.engines.piper_voices import VoiceFiles
from unavoce.errors import EngineUnavailable

if TYPE_CHECKING:
    from unavoce.engines.piper_onnx import LoadedVoice

MAX_SESSIONS = 6
"""Three voices, each with a wide and a narrow session; about 110 MB each when loaded, 190 MB after a few sentences."""
REMEDY = "pip install 'unavoce[piper]'"


class Sessions:
    """Loaded voices by (voice, threads), loaded one at a time and once; the least recently used goes."""

    def __init__(
        self, limit: int = MAX_SESSIONS, load: Callable[[Any, int], Any] | None = None, name: str = "piper"
    ) -> None:
        self._limit = limit
        self._load = load or _load
        self._loader = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-load")
        self._loaded: OrderedDict[tuple[str, int], Future[Any]] = OrderedDict()

    def get(self, files: Any, threads: int) -> Future[Any]:
        """The voice called `files.name`, or its loading under way. One that failed to load is tried again."""
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
        return list(self._loaded)

    def close(self) -> None:
        """Blocks until all loading has ended."""
        self._loader.shutdown()
        self._loaded.clear()


def _load(files: VoiceFiles, threads: int) -> LoadedVoice:
    try:
        from unavoce.engines.piper_onnx import load  # noqa: PLC0415  # heavy, and may not be installed
    except ImportError as error:
        raise EngineUnavailable(f"the piper engine is not installed ({error}); remedy: {REMEDY}") from error
    return load(files, threads)
