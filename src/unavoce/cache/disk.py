"""The disk tier: clips by key in files, the least recently used going first. Bounded in bytes and entries.

Several processes may share a folder. Everything here blocks and belongs on a thread (`unavoce.cache.background`);
`read` is for any thread, the rest for one at a time. Nothing here raises an error of the disk's into speech.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from unavoce.cache.clip_file import DamagedClip, about, pack, unpack
from unavoce.cache.folder import ClipFolder
from unavoce.cache.index import Index, IndexBroken, Row, Which
from unavoce.cache.kept import Kept, MaxAge
from unavoce.errors import CacheError

log = logging.getLogger(__name__)
T = TypeVar("T")

RESERVE_BYTES: Final = 256 << 20
"""Free space that is left to others: below it the cache takes up nothing more."""
REST_S: Final = 30.0
"""After the disk refused something, nothing is written for so long."""
BATCH: Final = 32
"""Clips removed at a time, so that another process can write in between."""
USES_HALVED_S: Final = 7 * 86_400.0
_Troubles = (OSError, sqlite3.Error, CacheError)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the disk tier."""

    max_bytes: int = 1 << 30
    max_entries: int = 10_000
    max_age: MaxAge | None = None
    phrases_only: bool = False
    """Only what is kept warm reaches the disk."""
    reserve_bytes: int = RESERVE_BYTES


class DiskCache:
    """Opens its index when it is first needed, so that making one costs nothing."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.limits = limits
        self.folder = ClipFolder(path)
        self.problem = ""
        """Why nothing is written just now, with the remedy."""
        self._index: Index | None = None
        self._read_only = False
        self._checked = False
        self._rests_until_s = 0.0

    # -- clips

    def read(self, key: str) -> Kept | None:
        """The clip kept under `key`, checked in every byte; None where there is none. For any thread.

        Raises DamagedClip for a file that should be discarded, CacheError where the folder is not ours.
        """
        try:
            kept = unpack(key, self.folder.read(key))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedClip(f"it cannot be read ({error.strerror or error})") from error
        max_age = self.limits.max_age
        if max_age is not None and max_age.passed(kept.made_at, time.time()):
            return None
        return kept

    def put(self, key: str, kept: Kept, *, phrase: bool = False) -> bool:
        """Keep a whole, plausible clip; `phrase`: one that is kept warm. True when it is on disk now."""
        if (self.limits.phrases_only and not phrase) or time.monotonic() < self._rests_until_s:
            return False
        data = pack(key, kept)
        if len(data) > self.limits.max_bytes:
            return False
        row = Row(key, len(data), kept.voice.engine, kept.voice.name, kept.made_at)
        try:
            return self._using(lambda index: self._put(index, row, data, phrase))
        except _Troubles as error:
            self._rest(error)
            return False

    def _put(self, index: Index, row: Row, data: bytes, phrase: bool) -> bool:
        """The row first, then the file: a kill in between leaves no file that is not counted."""
        self._check_space(len(data))
        with index.writing():
            if index.has(row.key) and self.folder.has(row.key):
                index.touch({row.key: 0})
                if phrase:
                    index.mark(row.key)
                return True
            index.remove(row.key)
            self._make_room(index, len(data))
            index.add(row, phrase=phrase)
        with index.writing():
            if not index.has(row.key):  # another process has made room of it already
                return False
            self.folder.write(row.key, data)
        self.problem = ""
        return True

    def discard(self, key: str) -> None:
        """Remove a clip that was found damaged, unless it has been put right since."""
        self._quietly(lambda index: self._discard(index, key))

    def _discard(self, index: Index, key: str) -> bool:
        with index.writing():
            try:
                unpack(key, self.folder.read(key))
            except FileNotFoundError:
                index.remove(key)
            except (DamagedClip, OSError):
                self._remove(index, key)
            else:
                return False
        return True

    def has(self, key: str) -> bool:
        """Whether there is a file for it, whatever is in it."""
        return self.folder.has(key)

    # -- notes

    def note(self, uses: Mapping[str, int], counts: Mapping[str, float]) -> None:
        """Which clips were used, the latest last, and what is to be added to the sums."""

        def write(index: Index) -> None:
            with index.writing():
                index.touch(uses)
                index.count(counts)

        if uses or counts:
            self._quietly(write)

    def most_used(self, count: int, least: int) -> list[str]:
        """Keys of the clips said most often, at least `least` times of late."""
        return self._quietly(lambda index: index.most_used(count, least)) or []

    def clearings_after(self, number: int | None) -> tuple[int, list[Which]]:
        """What any process has cleared since clearing `number`, and the number of the last one; None: only that."""

        def read(index: Index) -> tuple[int, list[Which]]:
            last = index.last_clearing()
            # A smaller number: the index was made anew meanwhile.
            return last, [] if number is None or last <= number else index.clearings_after(number)

        return self._quietly(read) or (number or 0, [])

    # -- what is done in the background, a little at a time

    def tidy(self) -> bool:
        """Do a part of what is to be done to the folder; True while there is more."""
        return self._quietly(self._tidy) or False

    def _tidy(self, index: Index) -> bool:
        if self._read_only:
            return False
        sums = index.sums()
        if not self._checked:
            index.check()
            self._checked = True
            return True
        if (shard := int(sums.get("adopted", 0))) < 256:
            self._adopt(index, f"{shard:02x}")
            return True
        return self._shrink(index) or self._halve_uses(index, sums)

    def _adopt(self, index: Index, shard: str) -> None:
        """Learn of the files that a lost index knew."""
        with index.writing():
            for key in self.folder.keys(shard):
                if not index.has(key):
                    self._adopt_one(index, key)
            index.count({"adopted": 1})

    def _adopt_one(self, index: Index, key: str) -> bool:
        try:
            head, size = self.folder.head(key)
            said = about(head)
        except (DamagedClip, OSError):
            self._remove(index, key)
            return False
        index.add(Row(key, size, said.voice.engine, said.voice.name, said.made_at), used=False)
        return True

    def _shrink(self, index: Index) -> bool:
        """Remove some of what is too old or too much, or may not be kept any more."""
        with index.writing():
            keys = self._unwanted(index)
            for key in keys:
                self._remove(index, key)
            removed = self._make_room(index, 0, most=BATCH) if not keys else len(keys)
        return removed > 0

    def _unwanted(self, index: Index) -> list[str]:
        max_age, now = self.limits.max_age, time.time()
        if self.limits.phrases_only and (keys := index.which(Which(), BATCH, phrases=False)):
            return keys
        if max_age is None:
            return []
        old = index.which(Which(made_before=max_age.oldest(now)), BATCH)
        return old or index.misdated(max_age.latest(now), BATCH)

    def _halve_uses(self, index: Index, sums: Mapping[str, float]) -> bool:
        now = time.time()
        if abs(now - sums.get("uses_halved_at", 0)) > USES_HALVED_S:
            with index.writing():
                index.forget_uses()
                index.count({"uses_halved_at": now - sums.get("uses_halved_at", 0)})
        return False

    def _make_room(self, index: Index, size: int, most: int | None = None) -> int:
        """Remove the least recently used until one more clip of `size` bytes fits (0: until the bounds hold)."""
        removed = 0
        while (over := self._over(index, size)) and (most is None or removed < most):
            keys = index.oldest(min(BATCH, over))
            if not keys:
                raise IndexBroken("its sums are of clips that are not there")
            for key in keys:
                self._remove(index, key)
            removed += len(keys)
        return removed

    def _over(self, index: Index, size: int) -> int:
        """How many clips, at least, are too many."""
        sums, limits = index.sums(), self.limits
        entries = sums["entries"] + (size > 0) - limits.max_entries
        return int(max(entries, sums["bytes"] + size > limits.max_bytes))

    def _remove(self, index: Index, key: str) -> None:
        """The file first, then its row. One that will not go is looked at again when it is its turn once more."""
        try:
            self.folder.remove(key)
        except OSError as error:
            log.warning("cache_file_not_removed", extra={"key": key, "reason": str(error)})
        index.remove(key)

    # -- care

    def sums(self) -> dict[str, float]:
        """`entries`, `bytes`, and whatever was counted with `note`. Raises CacheError."""
        return self._reaching(lambda index: index.sums())

    def by_voice(self) -> list[tuple[str, str, int, int]]:
        """Engine, voice, entries, bytes. Raises CacheError."""
        return self._reaching(lambda index: index.by_voice())

    def clear(self, which: Which) -> int:
        """Remove the clips that fit, also from running servers' memory, and say how many. Raises CacheError."""
        self.adopt_all()
        removed = 0
        while keys := self._reaching(lambda index: self._clear(index, which)):
            removed += keys
        if which == Which():
            self._reaching(lambda _: self.folder.empty())
        self._reaching(lambda index: self._tell_clearing(index, which))
        return removed

    def _clear(self, index: Index, which: Which) -> int:
        with index.writing():
            keys = index.which(which, BATCH)
            for key in keys:
                self.folder.remove(key)
                index.remove(key)
        return len(keys)

    def _tell_clearing(self, index: Index, which: Which) -> None:
        with index.writing():
            index.cleared(which)

    def adopt_all(self) -> None:
        """Learn of every file now. Raises CacheError."""

        def more(index: Index) -> bool:
            adopted = int(index.sums().get("adopted", 0))
            if adopted < 256:
                self._adopt(index, f"{adopted:02x}")
            return adopted < 255

        while self._reaching(more):
            pass

    def reconcile(self, shard: str) -> tuple[int, int]:
        """Remove rows without a file and add those of files without one; how many of each. Raises CacheError."""
        return self._reaching(lambda index: self._reconcile(index, shard))

    def _reconcile(self, index: Index, shard: str) -> tuple[int, int]:
        with index.writing():
            known, there = set(index.shard(shard)), set(self.folder.keys(shard))
            for key in known - there:
                index.remove(key)
            adopted = [key for key in sorted(there - known) if self._adopt_one(index, key)]
            for key in known & there:
                index.resize(key, self.folder.head(key)[1])
        return len(known - there), len(adopted)

    def close(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None

    # -- the index, opened, mended and reached

    def _using(self, do: Callable[[Index], T]) -> T:
        """Let `do` use the index; where that turns out damaged, a new one. Raises one of _Troubles."""
        try:
            return do(self._opened())
        except IndexBroken as error:
            log.warning("cache_index_made_anew", extra={"folder": str(self.folder.path), "reason": str(error)})
            self._discard_index()
        try:
            return do(self._opened())
        except IndexBroken as error:
            self._discard_index()
            raise CacheError(f"the cache's index in {self.folder.path} cannot be made anew ({error})") from error

    def _quietly(self, do: Callable[[Index], T]) -> T | None:
        """The same for what may wait for better times: None where it cannot be done now."""
        if time.monotonic() < self._rests_until_s:
            return None
        try:
            return self._using(do)
        except _Troubles as error:
            self._rest(error)
            return None

    def _reaching(self, do: Callable[[Index], T]) -> T:
        """The same for a person: raises CacheError where it cannot be done."""
        try:
            return self._using(do)
        except (OSError, sqlite3.Error) as error:
            raise CacheError(self._told(error)) from error

    def _opened(self) -> Index:
        if self._index is not None and self._index.lost:
            self.close()
        if self._index is None:
            self.folder.create()
            self._index = self._open()
        return self._index

    def _open(self) -> Index:
        path = self.folder.path / "index.sqlite"
        try:
            index = Index(path)
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) or not path.is_file():
                raise
            index = Index(path, read_only=True)
            self._read_only = True
        else:
            self._read_only = False
        return index

    def _discard_index(self) -> None:
        index, self._index = self._index, None
        if index is not None:
            index.discard()
            return
        # It could not even be opened.
        for name in ("index.sqlite", "index.sqlite-journal"):
            (self.folder.path / name).unlink(missing_ok=True)

    # -- trouble

    def _check_space(self, size: int) -> None:
        free = shutil.disk_usage(self.folder.path).free
        if free - size < self.limits.reserve_bytes:
            raise CacheError(f"the disk is nearly full ({free >> 20} MiB left); remedy: make room, or clear the cache")

    def _rest(self, error: Exception) -> None:
        """Leave the disk alone for a while; say so once."""
        problem = str(error) if isinstance(error, CacheError) else self._told(error)
        if problem != self.problem:
            log.warning("cache_not_written", extra={"reason": problem})
        self.problem = problem
        self._rests_until_s = time.monotonic() + REST_S

    def _told(self, error: Exception) -> str:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"the cache in {self.folder.path} cannot be used ({reason}); remedy: see to that folder and its disk"


def latest_last(keys: Iterable[str]) -> dict[str, int]:
    """How often each key was used, the one used last at the end."""
    uses: dict[str, int] = {}
    for key in keys:
        uses[key] = uses.pop(key, 0) + 1
    return uses
