"""Sessions and their messages in a SQLite database.

**Deleted text is gone from the file.** SQLite's `secure_delete` alone does not do that: it overwrites pages that become
free and cells that are deleted, but leaves a copy behind where it moves a cell from page to page to keep its tree in
balance. Text is therefore kept out of the pages that are moved about. A row begins with as many zeros as a page of its
tree holds of one row (231 bytes with pages of 1,024: https://www.sqlite.org/fileformat2.html, 1.6), so that the text
behind them lies in overflow pages, which are never moved, belong to this row alone, and are overwritten whole when they
become free. What the write-ahead log still holds of it goes with `scrub`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from unavoce.chat.archive.records import MESSAGES_KEPT, Figures, Record, Which
from unavoce.storage.database import Database, DatabaseBroken, Layout, typed

PAGE_BYTES: Final = 1024
TREE_BYTES: Final = (PAGE_BYTES - 12) * 64 // 255 - 23
"""The most that a page of the tree holds of one row."""
MAX_ROW_BYTES: Final = 256 << 20
CLEARINGS_KEPT_S: Final = 86_400.0
"""A server learns of clearings within seconds; one that missed so old a one forgets everything."""
MOST_LISTED: Final = 1000
_AT_A_TIME: Final = 200
"""Messages that are looked at in one go when the oldest have to go."""
SCRUB_LIMIT_S: Final = 2.0
"""How long is tried to let the log go; a process that reads in it is waited for besides, for BUSY_S."""
_SCRUB_AGAIN_S: Final = 0.05
_SPARE: Final = 0.9
"""Of the bound, where it was passed: room is made for more than the next message."""

LAYOUT: Final = Layout(
    tables=f"""
CREATE TABLE sessions (id TEXT PRIMARY KEY, binding BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (
  session TEXT NOT NULL, number INTEGER NOT NULL, tree BLOB NOT NULL DEFAULT (zeroblob({TREE_BYTES})),
  at REAL NOT NULL, role TEXT NOT NULL, reply TEXT, text BLOB NOT NULL, heard BLOB, known BLOB,
  PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE INDEX messages_at ON messages (at);
CREATE TABLE clearings (number INTEGER PRIMARY KEY, at REAL NOT NULL, session TEXT, before REAL NOT NULL);
""",
    version=1,
    pragmas=(
        f"page_size = {PAGE_BYTES}",
        "journal_mode = WAL",
        # A kill loses nothing with it; a power cut may lose the last seconds, and damages nothing.
        "synchronous = NORMAL",
        "secure_delete = ON",
        # No part of a text in a temporary file.
        "temp_store = MEMORY",
    ),
    max_row_bytes=MAX_ROW_BYTES,
    files=("-wal", "-shm"),
)


class Ledger(Database):
    """For one thread at a time. Raises sqlite3.Error where it cannot be reached, DatabaseBroken where it is damaged."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, LAYOUT)
        self.unscrubbed = True
        """What was deleted may still stand in the write-ahead log; one that a kill left behind is not known."""

    # -- messages

    def put(self, records: Iterable[Record]) -> None:
        """Write messages, or what has become of them. Inside `writing`."""
        for record in records:
            self._run("INSERT OR IGNORE INTO sessions VALUES (?, ?)", (record.session, record.binding))
            self._run(
                "INSERT INTO messages (session, number, at, role, reply, text, heard, known)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session, number)"
                " DO UPDATE SET text = excluded.text, heard = excluded.heard, known = excluded.known",
                (
                    *(record.session, record.number, record.at, record.role, record.reply_id),
                    *map(_bytes, (record.text, record.heard, record.known)),
                ),
            )
            self._delete(Which(record.session, up_to=record.number - MESSAGES_KEPT))

    def read(self, session: str) -> list[Record]:
        """The session's messages, the oldest first; empty where there is no such session."""
        rows = self._all(
            "SELECT number, binding, role, text, heard, known, reply, at FROM messages"
            " JOIN sessions ON id = session WHERE session = ? ORDER BY number DESC LIMIT ?",
            (session, MESSAGES_KEPT),
        )
        return [_record(session, row) for row in reversed(rows)]

    def delete(self, which: Which) -> int:
        """How many messages went. Sessions without any go with them. Inside `writing`."""
        gone = self._delete(which)
        self._run(
            "DELETE FROM sessions WHERE (?1 IS NULL OR id = ?1)"
            " AND NOT EXISTS (SELECT 1 FROM messages WHERE session = sessions.id)",
            (which.session,),
        )
        return gone

    def _delete(self, which: Which) -> int:
        where, values = _where(which)
        gone = self._run(f"DELETE FROM messages WHERE {where}", values)  # noqa: S608 - conditions of ours
        self.unscrubbed = self.unscrubbed or gone > 0
        return gone

    def trim(self, max_bytes: int) -> list[Which]:
        """Where the file is larger, the oldest messages go; which. Inside `writing`."""
        lost: dict[str, int] = {}
        if self.bytes <= max_bytes:
            return []
        while self.bytes > max_bytes * _SPARE and (oldest := self._oldest()):
            for session, number in oldest:
                lost[session] = max(number, lost.get(session, 0))
                self.delete(Which(session, up_to=number))
                if self.bytes <= max_bytes * _SPARE:
                    break
        return [Which(session, up_to=number) for session, number in lost.items()]

    def _oldest(self) -> list[tuple[str, int]]:
        rows = self._all("SELECT session, number FROM messages ORDER BY at, number LIMIT ?", (_AT_A_TIME,))
        return [typed(row, (str,), (int,)) for row in rows]

    @property
    def messages(self) -> int:
        return int(self._one("SELECT COUNT(*) FROM messages")[0])

    @property
    def bytes(self) -> int:
        """Of the file, as far as it is in use."""
        pages, free = (int(self._one(f"PRAGMA {name}")[0]) for name in ("page_count", "freelist_count"))
        return (pages - free) * PAGE_BYTES

    def scrub(self) -> bool:
        """Let the write-ahead log go, with what was deleted. False: another process holds on to it; try again later."""
        until_s = time.monotonic() + SCRUB_LIMIT_S
        while busy := int(self._one("PRAGMA wal_checkpoint(TRUNCATE)")[0]) != 0:
            if time.monotonic() > until_s:
                break
            # SQLite does not wait for another process that does the same, after it has written much.
            time.sleep(_SCRUB_AGAIN_S)
        self.unscrubbed = busy
        return not busy

    # -- clearings, so that a running server learns of what a command has cleared

    def cleared(self, which: Which, now: float) -> None:
        """Numbered by the time, so that a file that is made anew goes on with larger numbers. Inside `writing`."""
        self._run("DELETE FROM clearings WHERE at < ?", (now - CLEARINGS_KEPT_S,))
        self._run(
            "INSERT INTO clearings VALUES (MAX(?1, (SELECT COALESCE(MAX(number), 0) + 1 FROM clearings)), ?2, ?3, ?4)",
            (int(now * 1e6), now, which.session, min(which.before, now)),
        )

    def clearings_after(self, number: int) -> tuple[int, list[Which]]:
        """The last clearing's number, and what was cleared since clearing `number`."""
        rows = self._all("SELECT number, session, before FROM clearings WHERE number > ? ORDER BY number", (number,))
        cleared = [typed(row, (int,), (str, type(None)), (float,)) for row in rows]
        return max([number, *(row[0] for row in cleared)]), [Which(row[1], row[2]) for row in cleared]

    # -- looking at it

    def figures(self, listed: int = MOST_LISTED) -> Figures:
        counted = self._one(
            "SELECT COUNT(DISTINCT session), COUNT(*), MIN(at) FROM (SELECT session, at FROM messages)", ()
        )
        sessions, messages, oldest = typed(counted, (int,), (int,), (float, type(None)))
        rows = self._all(
            "SELECT session, COUNT(*), MAX(at) FROM messages GROUP BY session ORDER BY 3 DESC LIMIT ?", (listed,)
        )
        return Figures(
            sessions,
            messages,
            self.bytes,
            oldest,
            tuple(typed(row, (str,), (int,), (float,)) for row in rows),
        )

    def check(self) -> None:
        """Raises DatabaseBroken where the file is damaged."""
        if self._one("PRAGMA quick_check(1)")[0] != "ok":
            raise DatabaseBroken("it does not add up")

    def shrink(self) -> None:
        """Give free pages back to the disk."""
        self._run("VACUUM")


def _where(which: Which) -> tuple[str, Sequence[object]]:
    conditions: list[tuple[str, object]] = [("at < ?", which.before), ("at > ?", which.after)]
    if which.session is not None:
        conditions.append(("session = ?", which.session))
    if which.up_to is not None:
        conditions.append(("number <= ?", which.up_to))
    return " AND ".join(condition for condition, _ in conditions), [value for _, value in conditions]


def _record(session: str, row: tuple[Any, ...]) -> Record:
    some = (bytes, type(None))
    number, binding, role, text, heard, known, reply, at = typed(
        row, (int,), (bytes,), (str,), (bytes,), some, some, (str, type(None)), (float,)
    )
    if role not in ("user", "assistant"):
        raise DatabaseBroken("a role is none")
    return Record(session, number, binding, role, _text(text) or "", _text(heard), _text(known), reply, at)


def _bytes(text: str | None) -> bytes | None:
    # What a client streams may hold half a character of UTF-16: history tells it as it came.
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _text(stored: bytes | None) -> str | None:
    try:
        return None if stored is None else stored.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise DatabaseBroken("a text cannot be decoded") from error
