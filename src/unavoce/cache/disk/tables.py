"""What the index's database looks like, and how one is told that is not as we made it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

VERSION: Final = 1
"""Of the tables below; another one's database is made anew from the files."""
TABLES: Final = """
CREATE TABLE clips (
  key TEXT PRIMARY KEY, bytes INTEGER NOT NULL, engine TEXT NOT NULL, voice TEXT NOT NULL, made_at REAL NOT NULL,
  phrase INTEGER NOT NULL, used INTEGER NOT NULL, uses INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX clips_used ON clips (used);
CREATE TABLE sums (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
INSERT INTO sums VALUES ('entries', 0), ('bytes', 0);
CREATE TRIGGER clips_in AFTER INSERT ON clips BEGIN
  UPDATE sums SET value = value + 1 WHERE name = 'entries';
  UPDATE sums SET value = value + new.bytes WHERE name = 'bytes';
END;
CREATE TRIGGER clips_out AFTER DELETE ON clips BEGIN
  UPDATE sums SET value = value - 1 WHERE name = 'entries';
  UPDATE sums SET value = value - old.bytes WHERE name = 'bytes';
END;
CREATE TABLE clearings (number INTEGER PRIMARY KEY, engine TEXT, voice TEXT, made_before REAL);
"""
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


class IndexBroken(Exception):
    """It is not a database of ours any more: close it, `discard` it and open a new one."""


def typed(row: tuple[Any, ...], *types: tuple[type, ...]) -> tuple[Any, ...]:
    """A row whose values are of these types. Raises IndexBroken: a database takes anything for anything."""
    if not all(isinstance(value, kinds) for value, kinds in zip(row, types, strict=True)):
        raise IndexBroken("a value is of another type")
    return row


@contextmanager
def sound() -> Iterator[None]:
    """Tells a damaged database (IndexBroken) from one that cannot be reached now (sqlite3.Error)."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise IndexBroken("an error's text that quotes it cannot be decoded") from error
    except sqlite3.Error as error:
        # An operational error without a code is text that cannot be decoded.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if isinstance(error, sqlite3.DatabaseError) and code & 0xFF in _BROKEN:
            raise IndexBroken(str(error)) from error
        raise


def statements(script: str) -> Iterator[str]:
    """The statements of a script, triggers whole."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
