"""Clips' files and their rows in the index, kept together and within bounds.

Every file has its row, also after a kill at any instant: the row is written before its file, and goes after it.
Everything here blocks, and raises what the index and the disk raise: `unavoce.cache.disk.tier` sees to that.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from unavoce.cache.disk.clip_file import DamagedClip, about, unpack
from unavoce.cache.disk.folder import SHARDS, ClipFolder
from unavoce.cache.disk.index import Index, Row
from unavoce.cache.kept import Limits, Which
from unavoce.errors import CacheError
from unavoce.storage.database import DatabaseBroken

log = logging.getLogger(__name__)

BATCH: Final = 32
"""Clips removed at a time, so that another process can write in between."""

Put = Literal["written", "there", "gone"]
"""What became of a clip: its file was written; had been there; or had to go again at once, for another process."""


class Shelf:
    """`now` gives Unix time in seconds."""

    def __init__(self, folder: ClipFolder, limits: Limits, now: Callable[[], float]) -> None:
        self._folder = folder
        self._limits = limits
        self._now = now

    # -- one clip

    def put(self, index: Index, row: Row, data: bytes, *, phrase: bool) -> Put:
        """The row first, then the file: a kill in between leaves no file that is not counted."""
        while self.adopt(index):  # the bounds are those of all files, also where the index was lost
            pass
        self._check_space(len(data))
        with index.writing():
            if self._holds(index, row.key):
                index.touch({row.key: 0})
                if phrase:
                    index.mark(row.key)
                return "there"
            phrase = phrase or index.is_phrase(row.key)
            index.remove(row.key)
            self._make_room(index, len(data))
            index.add(row, phrase=phrase)
        with index.writing():
            if not index.has(row.key):
                return "gone"
            self._folder.write(row.key, data)
        if index.lost:  # no index knows of the file
            self._folder.remove(row.key)
            return "gone"
        return "written"

    def _holds(self, index: Index, key: str) -> bool:
        """There is such a clip, and it may still be served."""
        made_at, max_age = index.made_at(key), self._limits.max_age
        if made_at is None or not self._folder.has(key):
            return False
        return max_age is None or not max_age.passed(made_at, self._now())

    def _check_space(self, size: int) -> None:
        if shutil.disk_usage(self._folder.path).free - size < self._limits.reserve_bytes:
            raise CacheError("the disk of the cache is nearly full; remedy: make room there, or clear the cache")

    def discard(self, index: Index, key: str) -> None:
        """Remove a clip that was found damaged, unless it has been put right since."""
        with index.writing():
            try:
                unpack(key, self._folder.read(key))
            except (FileNotFoundError, NotADirectoryError):
                index.remove(key)
            except (DamagedClip, OSError):
                self._remove(index, key)

    def _remove(self, index: Index, key: str) -> None:
        """The file first, then its row."""
        if self._remove_file(index, key):
            index.remove(key)

    def _remove_file(self, index: Index, key: str) -> bool:
        """A file that will not go keeps its row, and its turn comes last."""
        try:
            self._folder.remove(key)
        except OSError as error:
            log.warning("cache_file_not_removed", extra={"key": key, "reason": str(error)})
            index.touch({key: 0})
            return False
        return True

    # -- bounds

    def _make_room(self, index: Index, size: int, most: int | None = None) -> int:
        """Remove the least recently used until one more clip of `size` bytes fits (0: until the bounds hold)."""
        removed = stuck = 0
        while (over := self._over(index, size)) and (most is None or removed < most):
            if removed >= BATCH:
                index.check()  # so many at once are few clips that are large, or sums that are wrong
            keys = index.oldest(min(BATCH, over))
            if not keys:
                raise DatabaseBroken("its sums are of clips that are not there")
            gone = self._remove_named(index, keys)
            removed, stuck = removed + gone, stuck + len(keys) - gone
            if stuck > BATCH:
                raise CacheError(f"no clip can be removed from {self._folder.path}; remedy: see to that folder")
        return removed

    def _over(self, index: Index, size: int) -> int:
        """How many clips, at least, are too many."""
        sums, limits = index.sums(), self._limits
        entries = sums["entries"] + (size > 0) - limits.max_entries
        return int(max(entries, sums["bytes"] + size > limits.max_bytes))

    def _remove_named(self, index: Index, keys: list[str]) -> int:
        """Clips that the index has named; how many went."""
        gone = [key for key in keys if self._remove_file(index, key)]
        for key in gone:
            index.remove_named(key)
        return len(gone)

    def shrink(self, index: Index) -> bool:
        """Remove some of what is too old or too much, or may not be kept any more; True while there may be more."""
        with index.writing():
            keys = self._unwanted(index)
            return (self._remove_named(index, keys) if keys else self._make_room(index, 0, most=BATCH)) > 0

    def _unwanted(self, index: Index) -> list[str]:
        max_age, now = self._limits.max_age, self._now()
        if self._limits.phrases_only and (keys := index.which(Which(), BATCH, phrases=False)):
            return keys
        if max_age is None:
            return []
        old = index.which(Which(made_before=max_age.oldest(now)), BATCH)
        return old or index.misdated(max_age.latest(now), BATCH)

    def clear(self, index: Index, which: Which, shard: str) -> int:
        """Remove the clips of a shard that fit, by what their files say, and say how many. Raises where one stays."""
        with index.writing():
            there = list(self._folder.keys(shard))
            removed = [key for key in there if self._fits(key, which)]
            for key in removed:
                self._folder.remove(key)
                index.remove(key)
            for key in set(index.shard(shard)).difference(there):
                index.remove(key)
        return len(removed)

    def _fits(self, key: str, which: Which) -> bool:
        """What cannot be read fits everything."""
        if which == Which():
            return True
        try:
            said = about(self._folder.head(key)[0])
        except (DamagedClip, OSError):
            return True
        return which.fits(said.voice.engine, said.voice.name, said.made_at)

    def cleared(self, index: Index, which: Which) -> None:
        """Tell other processes."""
        with index.writing():
            self._folder.remove_unfinished()
            index.cleared(which, self._now())

    # -- what a kill, a fault or a person left behind

    def check(self, index: Index) -> None:
        """Raises DatabaseBroken where the index is damaged."""
        with index.writing():
            index.check()
            self._folder.remove_unfinished()

    def adopt(self, index: Index) -> bool:
        """Learn of some of the files that a lost index knew; True while there may be more."""
        if index.sums().get("adopted", 0) >= len(SHARDS):
            return False
        with index.writing():
            begin = shard = int(index.sums().get("adopted", 0))
            found = False
            while shard < len(SHARDS) and not found:
                for key in self._folder.keys(SHARDS[shard]):
                    found = True
                    if not index.has(key):
                        self._adopt_one(index, key)
                shard += 1
            index.count({"adopted": shard - begin})
        return shard < len(SHARDS)

    def _adopt_one(self, index: Index, key: str) -> bool:
        try:
            head, size = self._folder.head(key)
            said = about(head)
        except (DamagedClip, OSError):
            self._remove(index, key)
            return False
        index.add(Row(key, size, said.voice.engine, said.voice.name, said.made_at), used=False)
        return True

    def reconcile(self, index: Index, shard: str) -> tuple[int, int]:
        """Remove rows without a file and add those of files without one; how many of each."""
        with index.writing():
            known, there = set(index.shard(shard)), set(self._folder.keys(shard))
            for key in known - there:
                index.remove(key)
            adopted = [key for key in sorted(there - known) if self._adopt_one(index, key)]
            for key in known & there:
                self._measure(index, key)
        return len(known - there), len(adopted)

    def _measure(self, index: Index, key: str) -> None:
        """Note the true size of a clip's file; what is no file of a clip goes."""
        size = None
        with suppress(OSError):
            size = self._folder.head(key)[1]
        if size is None:
            self._remove(index, key)
        else:
            index.resize(key, size)
