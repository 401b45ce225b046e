"""The index of a folder, opened when it is first needed and made anew where it is damaged or was lost."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TypeVar

from unavoce.cache.disk.folder import ClipFolder
from unavoce.cache.disk.index import Index
from unavoce.cache.disk.tables import INDEX
from unavoce.errors import CacheError
from unavoce.storage.database import DatabaseBroken, remove

log = logging.getLogger(__name__)
T = TypeVar("T")


class Notebook:
    """Used by one thread at a time. Making one costs nothing."""

    def __init__(self, folder: ClipFolder) -> None:
        self.read_only = False
        """Nothing can be written in that folder."""
        self._folder = folder
        self._path = folder.path / "index.sqlite"
        self._index: Index | None = None

    def using(self, do: Callable[[Index], T]) -> T:
        """Let `do` use the index; where that turns out damaged, a new one. `do` may be done twice.

        Raises OSError, sqlite3.Error and CacheError.
        """
        try:
            return do(self._opened())
        except DatabaseBroken as error:
            log.warning("cache_index_made_anew", extra={"folder": str(self._folder.path), "reason": str(error)})
            self._discard()
        try:
            return do(self._opened())
        except DatabaseBroken as error:
            self._discard()
            raise CacheError(f"the cache's index in {self._folder.path} cannot be made anew ({error})") from error

    def close(self) -> None:
        """The next use opens it again."""
        index, self._index = self._index, None
        if index is not None:
            index.close()

    def _opened(self) -> Index:
        if self._index is not None and self._index.lost:
            self.close()
        if self._index is None:
            self._folder.create()
            self._index = self._open()
        return self._index

    def _open(self) -> Index:
        # SQLite opens what cannot be written without a word, and says so at the first change.
        there = self._path.is_file()
        self.read_only = there and not all(os.access(path, os.W_OK) for path in (self._path, self._folder.path))
        return Index(self._path, read_only=self.read_only)

    def _discard(self) -> None:
        index, self._index = self._index, None
        if index is not None:
            index.discard()
            return
        # It could not even be opened.
        remove(self._path, INDEX)
