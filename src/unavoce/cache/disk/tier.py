"""The disk tier: clips by key in files, the least recently used going first. Bounded in bytes and entries.

Several processes may share a folder. Everything here blocks and belongs on a thread (`unavoce.cache.disk.background`);
`read` is for any thread, the rest for one at a time. Nothing here raises an error of the disk's into speech.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeVar

from unavoce.cache.disk.clip_file import DamagedClip, about, pack, unpack
from unavoce.cache.disk.folder import HEAD_BYTES, SHARDS, ClipFolder
from unavoce.cache.disk.index import Index, Row
from unavoce.cache.disk.notebook import Notebook
from unavoce.cache.disk.shelf import Shelf
from unavoce.cache.kept import Kept, Limits, Which
from unavoce.errors import CacheError

__all__ = ["REST_S", "DiskCache", "Limits"]

log = logging.getLogger(__name__)
T = TypeVar("T")

REST_S: Final = 30.0
"""After the disk refused something, nothing is written for so long."""
USES_HALVED_S: Final = 7 * 86_400.0
_TROUBLES = (OSError, sqlite3.Error, CacheError)
_PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN)
"""Errors of this machine's state and not of the file that was to be read."""


class DiskCache:
    """Opens its index when it is first needed, so that making one costs nothing.

    `now` gives Unix time, `monotonic` a clock that never jumps; both seconds.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.folder = ClipFolder(path)
        self.problem = ""
        """Why nothing is written just now, with the remedy."""
        self._now, self._monotonic = now, monotonic
        self._notebook = Notebook(self.folder)
        self._shelf = Shelf(self.folder, limits, now)
        self._checked = False
        self._rests_until_s = float("-inf")
        self._refused: Literal["clips", "notes"] | None = None

    # -- clips

    def read(self, key: str) -> Kept | None:
        """The clip kept under `key`, checked in every byte; None where there is none. For any thread.

        Raises DamagedClip for a file that should be discarded, CacheError where the folder is not ours.
        """
        try:
            kept = unpack(key, self.folder.read(key))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in _PASSING:
                raise CacheError(self._told(error)) from error
            raise DamagedClip(f"it cannot be read ({error.strerror or error})") from error
        max_age = self.limits.max_age
        if max_age is not None and max_age.passed(kept.made_at, self._now()):
            return None
        return kept

    def put(self, key: str, kept: Kept, *, phrase: bool = False) -> bool:
        """Keep a whole, plausible clip; `phrase`: one that is kept warm. True when it is on disk now."""
        if (self.limits.phrases_only and not phrase) or self._rests:
            return False
        data = pack(key, kept)
        if len(data) > self.limits.max_bytes or self.limits.max_entries < 1 or not _can_be_read_back(data):
            return False
        row = Row(key, len(data), kept.voice.engine, kept.voice.name, kept.made_at)
        try:
            done = self._notebook.using(lambda index: self._shelf.put(index, row, data, phrase=phrase))
        except _TROUBLES as error:
            self._rest(error, "clips")
            return False
        if done == "written":
            self.problem, self._refused = "", None
        return done != "gone"

    def discard(self, key: str) -> None:
        """Remove a clip that was found damaged, unless it has been put right since."""
        self._quietly(lambda index: self._shelf.discard(index, key))

    def has(self, key: str) -> bool:
        """Whether there is a file for it, whatever is in it."""
        return self.folder.has(key)

    # -- notes

    def note(self, uses: Mapping[str, int], counts: Mapping[str, float]) -> None:
        """Which clips were used, the latest last, and what is to be added to the sums."""

        def write(index: Index) -> bool:
            with index.writing():
                index.touch(uses)
                index.count(counts)
            return True

        if not (uses or counts):
            return
        written = self._quietly(write)
        if written and self._refused == "notes":
            self.problem, self._refused = "", None

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
        if self._notebook.read_only:
            return False
        if not self._checked:
            self._shelf.check(index)
            self._checked = True
            return True
        if self._shelf.adopt(index) or self._shelf.shrink(index):
            return True
        self._halve_uses(index)
        return False

    def _halve_uses(self, index: Index) -> None:
        with index.writing():
            # Of a clock before 1970 nothing is noted: a sum below 0 is damage.
            since_s = max(0.0, self._now()) - index.sums().get("uses_halved_at", 0)
            if abs(since_s) > USES_HALVED_S:
                index.forget_uses()
                index.count({"uses_halved_at": since_s})

    # -- care

    def sums(self) -> dict[str, float]:
        """`entries`, `bytes`, and whatever was counted with `note`. Raises CacheError."""
        return self._reaching(lambda index: index.sums())

    def by_voice(self) -> list[tuple[str, str, int, int]]:
        """Engine, voice, entries, bytes. Raises CacheError."""
        return self._reaching(lambda index: index.by_voice())

    def clear(self, which: Which) -> int:
        """Remove the clips that fit, also from running servers' memory, and say how many. Raises CacheError."""
        removed = 0
        for shard in SHARDS:
            removed += self._reaching(partial(self._shelf.clear, which=which, shard=shard))
        self._reaching(partial(self._shelf.cleared, which=which))
        return removed

    def check_index(self) -> None:
        """Where the index is damaged it is made anew. Raises CacheError."""
        self._reaching(self._shelf.check)

    def adopt_all(self) -> None:
        """Learn of every file now. Raises CacheError."""
        while self._reaching(self._shelf.adopt):
            pass

    def reconcile(self, shard: str) -> tuple[int, int]:
        """Remove rows without a file and add those of files without one; how many of each. Raises CacheError."""
        return self._reaching(partial(self._shelf.reconcile, shard=shard))

    def close(self) -> None:
        self._notebook.close()

    # -- trouble

    def _quietly(self, do: Callable[[Index], T]) -> T | None:
        """Do what may wait for better times: None where it cannot be done now."""
        if self._rests:
            return None
        try:
            return self._notebook.using(do)
        except _TROUBLES as error:
            self._rest(error, "notes")
            return None

    def _reaching(self, do: Callable[[Index], T]) -> T:
        """The same for a person: raises CacheError where it cannot be done."""
        try:
            return self._notebook.using(do)
        except (OSError, sqlite3.Error) as error:
            raise CacheError(self._told(error)) from error

    @property
    def _rests(self) -> bool:
        return self._monotonic() < self._rests_until_s

    def _rest(self, error: Exception, refused: Literal["clips", "notes"]) -> None:
        """Leave the disk alone for a while; say so once."""
        problem = str(error) if isinstance(error, CacheError) else self._told(error)
        if problem != self.problem:
            log.warning("cache_not_written", extra={"reason": problem})
        self.problem, self._refused = problem, refused
        self._rests_until_s = self._monotonic() + REST_S
        self._notebook.close()  # so that what is mended meanwhile is seen

    def _told(self, error: Exception) -> str:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"the cache in {self.folder.path} cannot be used ({reason}); remedy: see to that folder and its disk"


def _can_be_read_back(data: bytes) -> bool:
    """Also where the index is lost, by the file's beginning."""
    try:
        about(data[:HEAD_BYTES])
    except DamagedClip:
        return False
    return True
