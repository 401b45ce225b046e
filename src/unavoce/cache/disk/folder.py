"""The files of the disk tier: one per clip, named by its key's digest and by nothing else.

Whatever stands in the folder is untrusted: links are not followed, only plain files of a bounded size are read, and
the folder itself must belong to the user we run as and be writable by nobody else.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from unavoce.cache.disk.clip_file import MAX_FILE_BYTES
from unavoce.errors import CacheError

SUFFIX = ".wav"
HEAD_BYTES = 4096
SHARDS = tuple(f"{number:02x}" for number in range(256))
"""Folders of the clips, by the first two letters of their keys; made as they are needed."""
_SHARD = re.compile(r"[0-9a-f]{2}")
_FILE = re.compile(r"[0-9a-f]{64}\.wav")
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
"""A link is refused, and a pipe that somebody put there does not hold us up."""


class ClipFolder:
    """Any thread and any process may use it; writing is for whoever holds the index (`Index.writing`)."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()  # not resolved: that would block, and may be asked of the event loop
        self._clips = self.path / "clips"
        self._new = self.path / "new.wav"

    def create(self) -> None:
        """Make the folder, for nobody but us. Raises CacheError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._clips.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            if not self._clips.is_dir():
                raise CacheError(_cannot("be made", self.path, error)) from error
        self.check()

    def check(self) -> None:
        """Raises CacheError where the folder is not ours alone; FileNotFoundError where there is none."""
        _check_owner(self.path, self.path.stat())  # it may be a link of the operator's
        _check_owner(self._clips, self._clips.lstat())

    def read(self, key: str) -> bytes:
        """A clip's file. Raises FileNotFoundError or another OSError; CacheError as `check` does."""
        return self._read(key, MAX_FILE_BYTES)

    def head(self, key: str) -> tuple[bytes, int]:
        """The beginning of a clip's file, and the size of all of it. Raises as `read` does."""
        return self._read(key, HEAD_BYTES), self._path(key).lstat().st_size

    def write(self, key: str, data: bytes) -> None:
        """Put a clip's file there, whole or not at all. Raises OSError.

        There is one file in the making for the whole folder: one that a kill left behind is written over.
        """
        self.remove_unfinished()
        try:
            with self._new.open("xb") as file:
                file.write(data)
            # Not synced to the medium: what a power cut tears is found by its digest.
            self._move(self._path(key))
        except OSError:
            with suppress(OSError):
                self._new.unlink()
            raise

    def remove(self, key: str) -> None:
        """Raises OSError, but not where there is no such file."""
        place = self._path(key)
        with suppress(FileNotFoundError, NotADirectoryError):
            if _mode(place, stat.S_ISDIR):
                place.rmdir()  # an empty one; what somebody put into it is not ours to remove
            else:
                place.unlink()

    def remove_unfinished(self) -> None:
        """The file in the making, which a kill left behind. Raises OSError."""
        self._new.unlink(missing_ok=True)

    def has(self, key: str) -> bool:
        """There is a plain file for it."""
        return _mode(self._path(key), stat.S_ISREG)

    def shards(self) -> list[str]:
        """Those that are there."""
        return sorted(name for name in _names(self._clips) if _SHARD.fullmatch(name))

    def keys(self, shard: str) -> Iterator[str]:
        """Of the files in one of them."""
        for name in _names(self._clips / shard):
            if _FILE.fullmatch(name) and name.startswith(shard):
                yield name.removesuffix(SUFFIX)

    def strangers(self) -> Iterator[Path]:
        """What does not belong among the clips: no file of ours has such a name or kind."""
        for shard in _names(self._clips):
            folder = self._clips / shard
            if not _SHARD.fullmatch(shard) or folder.is_symlink():
                yield folder
                continue
            yield from (folder / name for name in _names(folder) if not _FILE.fullmatch(name))

    def _path(self, key: str) -> Path:
        return self._clips / key[:2] / f"{key}{SUFFIX}"

    def _read(self, key: str, most: int) -> bytes:
        self.check()
        descriptor = os.open(self._path(key), _READ)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
                raise OSError("it is no plain file of a clip's size")
            with open(descriptor, "rb", closefd=False) as file:
                # Not `most` at once: a buffer of that size would be made and thrown away for every clip.
                return file.read(min(most, status.st_size))
        finally:
            os.close(descriptor)

    def _move(self, place: Path) -> None:
        try:
            self._new.replace(place)
        except (FileNotFoundError, NotADirectoryError):
            self._make_shard(place.parent)
            self._new.replace(place)
        except IsADirectoryError:
            place.rmdir()
            self._new.replace(place)

    def _make_shard(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True, mode=0o700)


def _check_owner(folder: Path, status: os.stat_result) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise CacheError(f"the cache's {folder} is no folder; remedy: remove it, or set UNAVOCE_CACHE_DIR to another")
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise CacheError(f"the cache's {folder} belongs to another user; remedy: set UNAVOCE_CACHE_DIR to one of yours")
    if os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheError(f"others may write into the cache's {folder}; remedy: chmod go-w {folder}")


def _mode(place: Path, kind: Callable[[int], bool]) -> bool:
    try:
        return kind(place.lstat().st_mode)
    except OSError:
        return False


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _cannot(what: str, path: Path, error: OSError) -> str:
    return f"the cache's folder {path} cannot {what} ({error.strerror or error}); remedy: set UNAVOCE_CACHE_DIR"
