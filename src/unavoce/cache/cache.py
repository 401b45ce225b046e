"""The cache in front of the engines: what was spoken once comes back at once, in the same voice.

Memory first, then disk; a clip found on disk moves into memory.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from unavoce.audio.pcm import Pcm
from unavoce.cache.kept import Kept, Which
from unavoce.cache.key import key_of
from unavoce.cache.memory import MemoryCache
from unavoce.engines.base import Voice
from unavoce.storage.ages import MaxAge

Source = Literal["memory", "disk", "none"]
"""Where a clip came from; `none`: an engine."""


class Tier(Protocol):
    """A tier behind the memory: clips by key, had after a while."""

    @property
    def problem(self) -> str:
        """Why clips are not read or not written just now, with the remedy; empty when all is well."""

    async def fetch(self, key: str) -> Kept | None: ...
    def keep(self, key: str, kept: Kept, *, phrase: bool = False) -> None: ...
    def used(self, key: str) -> None: ...
    def count(self, counts: dict[str, float]) -> None: ...
    async def most_used(self, count: int, least: int) -> list[str]: ...
    async def run(self, on_clearing: Callable[[Which], None]) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """A clip that was kept."""

    kept: Kept
    source: Source

    @property
    def clip(self) -> Pcm:
        return self.kept.clip


class Cache:
    """Serves a clip for exactly the voice and the spoken text it was made from. `disk`: the tier behind the memory."""

    def __init__(self, memory: MemoryCache, disk: Tier | None = None, *, max_age: MaxAge | None = None) -> None:
        self._memory = memory
        self._disk = disk
        self._max_age = max_age
        self._watchers: list[Callable[[Which], None]] = []
        self._clearings = 0
        self.hits: Counter[Source] = Counter()
        """Sentences heard, by where their clip came from."""

    @property
    def entries(self) -> int:
        """Clips in memory."""
        return len(self._memory)

    @property
    def bytes(self) -> int:
        """What they take."""
        return self._memory.bytes

    @property
    def max_bytes(self) -> int:
        """What they may take."""
        return self._memory.max_bytes

    @property
    def disk(self) -> Tier | None:
        """The tier behind the memory."""
        return self._disk

    @property
    def problem(self) -> str:
        """Why the disk tier is of no use just now; empty when it is well, or there is none."""
        return self._disk.problem if self._disk else ""

    @property
    def has_disk(self) -> bool:
        """There is a tier behind the memory, so that what `recall` does not find `fetch` may."""
        return self._disk is not None

    # -- clips

    def recall(self, voice: Voice, spoken: str) -> Recalled | None:
        """The clip as it is in memory."""
        return self._recall(key_of(voice, spoken))

    def _recall(self, key: str) -> Recalled | None:
        kept = self._memory.get(key)
        if kept is None:
            return None
        if self._max_age is not None and self._max_age.passed(kept.made_at, time.time()):
            self._memory.remove(key)
            return None
        return Recalled(kept, "memory")

    async def fetch(self, voice: Voice, spoken: str) -> Recalled | None:
        """The clip from memory, else from disk."""
        key = key_of(voice, spoken)
        recalled = self._recall(key)
        if recalled is not None or self._disk is None:
            return recalled
        clearings = self._clearings
        kept = await self._disk.fetch(key)
        if kept is None or kept.voice != voice:
            return None
        if clearings == self._clearings:  # else it may be one of those
            self._memory.put(key, kept)
        return Recalled(kept, "disk")

    def keep(
        self,
        voice: Voice,
        spoken: str,
        clip: Pcm,
        *,
        synthesis_s: float = 0.0,
        cost: float = 0.0,
        phrase: bool = False,
    ) -> None:
        """Keep a clip that is whole and plausible. `phrase`: on disk as well, whatever else is kept there."""
        key, kept = key_of(voice, spoken), Kept(clip, voice, time.time(), synthesis_s, cost)
        self._memory.put(key, kept)
        if self._disk is not None:
            self._disk.keep(key, kept, phrase=phrase)

    def keep_warm(self, voice: Voice, spoken: str, kept: Kept) -> None:
        """A clip that is in the cache already is a phrase, and on disk as well."""
        if self._disk is not None:
            self._disk.keep(key_of(voice, spoken), kept, phrase=True)

    async def load_frequent(self, most: int, least: int) -> None:
        """Move the clips that were heard most often, `least` times or more, from disk to memory."""
        if self._disk is None or not most:
            return
        # The most frequent last: it is the last to go from memory.
        for key in reversed(await self._disk.most_used(most, least)):
            kept = await self._disk.fetch(key)
            if kept is not None and key not in self._memory:
                self._memory.put(key, kept)

    def watch(self, watcher: Callable[[Which], None]) -> None:
        """`watcher` is called at each clearing, for whoever keeps something that was made of the clips."""
        self._watchers.append(watcher)

    def clear(self, which: Which) -> None:
        """Forget the clips in memory that fit."""
        for watcher in self._watchers:
            watcher(which)
        self._clearings += 1
        for key, kept in self._memory.items():
            if which.fits(kept.voice.engine, kept.voice.name, kept.made_at):
                self._memory.remove(key)

    # -- what is counted

    def heard(self, voice: Voice, spoken: str, recalled: Recalled | None) -> None:
        """A sentence was heard: as `recalled`, or from its engine (None)."""
        source: Source = recalled.source if recalled else "none"
        self.hits[source] += 1
        if self._disk is None:
            return
        self._disk.count({f"hits_{source}": 1})
        self._disk.used(key_of(voice, spoken))
        if recalled is not None:
            self._disk.count({"saved_s": recalled.kept.synthesis_s, "saved_cost": recalled.kept.cost})

    # -- as long as the process runs

    async def run(self) -> None:
        """Everything that is done beside; in a task of the owner's."""
        if self._disk is not None:
            await self._disk.run(self.clear)

    async def close(self) -> None:
        if self._disk is not None:
            await self._disk.close()
