"""Where history lies on disk: its file, for nobody but us; the lock that one server holds; a damaged file set aside."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from unavoce.chat.archive.ledger import LAYOUT
from unavoce.errors import REMEDY, HistoryError
from unavoce.storage.database import remove

NAME: Final = "history.sqlite"
_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Place:
    """In the data directory `folder`. Everything here blocks."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.damaged = folder / "history-damaged.sqlite"
        """A file that could not be read any more: the last one."""
        self._lock_path = folder / "history.lock"
        self._lock: int | None = None

    def prepare(self) -> None:
        """An empty file where there is none, readable by its user only. Raises OSError or HistoryError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(_opened(self.path))

    def lock(self) -> None:
        """Be the only server that uses it, until `unlock` or the end of the process. Raises OSError or HistoryError.

        Two servers would number their messages alike.
        """
        if self._lock is not None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _opened(self._lock_path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if not isinstance(error, BlockingIOError):
                raise
            raise HistoryError(
                f"another server keeps its history in {self.path}{REMEDY}stop it, or give each server a"
                " UNAVOCE_DATA_DIR of its own"
            ) from error
        self._lock = descriptor

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def set_aside(self) -> None:
        """Put the (closed) file out of the way, in place of one that was put there before. Raises OSError."""
        remove(self.damaged, LAYOUT)
        for ending in LAYOUT.files:
            with suppress(FileNotFoundError):
                self._beside(self.path, ending).replace(self._beside(self.damaged, ending))
        with suppress(FileNotFoundError):
            self.path.replace(self.damaged)

    def remove_damaged(self, before: float = float("inf")) -> bool:
        """Remove what was set aside, if it was last written before (Unix time, seconds); whether it was."""
        try:
            there = self.damaged.lstat().st_mtime < before
        except FileNotFoundError:
            return False
        if there:
            remove(self.damaged, LAYOUT)
        return there

    def _beside(self, path: Path, ending: str) -> Path:
        return path.with_name(path.name + ending)


def _opened(path: Path) -> int:
    """A plain file of ours, made where it is not there; others may not read it. Raises OSError or HistoryError."""
    descriptor = os.open(path, _OPEN, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise HistoryError(f"{path} is no file{REMEDY}remove it")
        if status.st_uid != os.geteuid():
            raise HistoryError(f"{path} belongs to another user{REMEDY}give each user a UNAVOCE_DATA_DIR of their own")
        if stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
