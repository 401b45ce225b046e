"""A SQLite database of ours: opened with its tables, written to in transactions, and told from one that is damaged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BUSY_S: Final = 5.0
"""How long another process's writing is waited for."""
_BROKEN: Final = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
)
"""Primary result codes that our statements get only from a database that is not the one we made."""


class DatabaseBroken(Exception):
    """It is not a database of ours any more: close it, and have a new one in its place."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a kind of database looks like."""

    tables: str
    """The script that makes them; comments within it stand on lines of their own."""
    version: int
    """Of these tables."""
    pragmas: tuple[str, ...]
    """Set at each opening, before the tables are made."""
    max_row_bytes: int
    """A row that claims to be larger is damage."""
    files: tuple[str, ...] = ("-journal",)
    """What SQLite keeps beside it, as endings of its name."""


class Database:
    """For one thread at a time. Raises sqlite3.Error where it cannot be reached, DatabaseBroken where it is damaged."""

    def __init__(self, path: Path, layout: Layout, *, read_only: bool = False) -> None:
        """`read_only`: nothing can be written here; what stands in it can be read all the same."""
        self._path = path
        self._layout = layout
        # Immutable: no lock can be taken where nothing can be written, and nobody else writes there either.
        address = path.as_uri() + ("?mode=ro&immutable=1" if read_only else "")
        self._database = sqlite3.connect(
            address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            with sound():
                self._open(read_only)
        except BaseException:
            self._database.close()
            raise
        self._file = self._identity()

    def _open(self, read_only: bool) -> None:
        # Without memory-mapped files: one that another program truncates would end this process.
        self._database.execute("PRAGMA mmap_size = 0")
        self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._layout.max_row_bytes)
        if not read_only:
            for pragma in self._layout.pragmas:
                self._database.execute(f"PRAGMA {pragma}")
            with self.writing():
                if self._version() == 0:
                    # One statement at a time: `executescript` would end the transaction.
                    for statement in statements(self._layout.tables):
                        self._database.execute(statement)
                    self._database.execute(f"PRAGMA user_version = {self._layout.version}")
        if self._version() != self._layout.version:
            raise DatabaseBroken(f"its tables are of version {self._version()}")

    def _version(self) -> int:
        return int(self._database.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction. One process is in here at a time; others wait for BUSY_S."""
        with sound():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise

    @property
    def lost(self) -> bool:
        """Its file was removed or replaced under us."""
        return self._identity() != self._file

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def close(self) -> None:
        self._database.close()

    def discard(self) -> None:
        """Close it and remove its files, unless another process has done so: the next one begins empty."""
        self._database.close()
        if not self.lost:
            remove(self._path, self._layout)

    # -- SQL

    def _run(self, statement: str, values: Sequence[object] = ()) -> int:
        """How many rows were changed."""
        with sound():
            return self._database.execute(statement, values).rowcount

    def _one(self, statement: str, values: Sequence[object] = ()) -> Any:
        with sound():
            return self._database.execute(statement, values).fetchone()

    def _all(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        with sound():
            return self._database.execute(statement, values).fetchall()


def remove(path: Path, layout: Layout) -> None:
    """A closed database's files. Raises OSError, but not where they are gone."""
    for ending in ("", *layout.files):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def typed(row: tuple[Any, ...], *types: tuple[type, ...]) -> tuple[Any, ...]:
    """A row whose values are of these types. Raises DatabaseBroken: a database takes anything for anything."""
    if not all(isinstance(value, kinds) for value, kinds in zip(row, types, strict=True)):
        raise DatabaseBroken("a value is of another type")
    return row


@contextmanager
def sound() -> Iterator[None]:
    """Tells a damaged database (DatabaseBroken) from one that cannot be reached now (sqlite3.Error)."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DatabaseBroken("an error's text that quotes it cannot be decoded") from error
    except sqlite3.Error as error:
        # An operational error without a code is text that cannot be decoded.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if isinstance(error, sqlite3.DatabaseError) and code & 0xFF in _BROKEN:
            raise DatabaseBroken(str(error)) from error
        raise


def statements(script: str) -> Iterator[str]:
    """The statements of a script, triggers whole."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
