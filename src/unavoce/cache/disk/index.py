"""The index of the disk tier: how many clips there are, how large, whose, and which was used last. A SQLite database.

The files are the truth and the index is a notebook about them: it decides what goes when room is needed, and nothing is
served or refused on its word. It keeps one promise: every file has its row, also after a kill at any instant (a row is
written before its file, and goes after it), so that the bounds hold. Where it is damaged or lost it is made anew.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from unavoce.cache.disk.tables import TABLES, VERSION, IndexBroken, sound, statements, typed
from unavoce.cache.kept import Which

BUSY_S: Final = 5.0
"""How long another process's writing is waited for."""
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_KEPT_CLEARINGS: Final = 64
_MAX_ROW_BYTES: Final = 1 << 20
"""A row that claims to be larger is damage."""
_MAX_SUM: Final = 1e15
_NAME: Final = (str, type(None))


@dataclass(frozen=True, slots=True)
class Row:
    """What the index says of a clip."""

    key: str
    bytes: int
    """Of its file."""
    engine: str
    voice: str
    made_at: float


class Index:
    """Used by one thread at a time. Raises sqlite3.Error where it cannot be reached, IndexBroken where it is none."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """`read_only`: nothing can be written here; what stands in it can be read all the same."""
        self._path = path
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
        self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ROW_BYTES)
        if not read_only:
            self._database.execute("PRAGMA journal_mode = TRUNCATE")
            # A kill loses nothing without it, and what a power cut tears is made anew from the files.
            self._database.execute("PRAGMA synchronous = OFF")
            with self.writing():
                if self._version() == 0:
                    # One statement at a time: `executescript` would end the transaction.
                    for statement in statements(TABLES):
                        self._database.execute(statement)
                    self._database.execute(f"PRAGMA user_version = {VERSION}")
        if self._version() != VERSION:
            raise IndexBroken(f"its tables are of version {self._version()}")

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
        if self.lost:
            return
        for path in (self._path, self._path.with_name(self._path.name + "-journal")):
            path.unlink(missing_ok=True)

    # -- rows

    def add(self, row: Row, *, phrase: bool = False, used: bool = True) -> None:
        """Note a clip, as used just now; `used` False: as the next to go."""
        last = "COALESCE((SELECT MAX(used) FROM clips), 0) + 1" if used else "0"
        self._run(
            # Two statements and not an upsert: the triggers count deletions and insertions.
            f"INSERT INTO clips (key, bytes, engine, voice, made_at, phrase, used) VALUES (?, ?, ?, ?, ?, ?, {last})",  # noqa: S608
            (row.key, row.bytes, row.engine, row.voice, row.made_at, phrase),
        )

    def has(self, key: str) -> bool:
        return self._one("SELECT 1 FROM clips WHERE key = ?", (key,)) is not None

    def made_at(self, key: str) -> float | None:
        """When a clip was made; None where it is not known."""
        row = self._one("SELECT made_at FROM clips WHERE key = ?", (key,))
        return None if row is None else float(typed(row, (float,))[0])

    def is_phrase(self, key: str) -> bool:
        """It says a phrase that is kept warm."""
        return self._one("SELECT 1 FROM clips WHERE key = ? AND phrase", (key,)) is not None

    def remove(self, key: str) -> bool:
        """True where there was such a row."""
        return self._run("DELETE FROM clips WHERE key = ?", (key,)) > 0

    def remove_named(self, key: str) -> None:
        """The row of a key that the index itself has named. Raises IndexBroken: it would be named for ever."""
        if not self.remove(key):
            raise IndexBroken("it cannot find what it names")

    def resize(self, key: str, size: int) -> None:
        """Note the true size of a clip's file."""
        row = self._one(
            "SELECT engine, voice, made_at, phrase, used, uses FROM clips WHERE key = ? AND bytes <> ?", (key, size)
        )
        if row is not None:
            self.remove(key)
            self._run("INSERT INTO clips VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (key, size, *row))

    def touch(self, keys: Mapping[str, int]) -> None:
        """Note uses, so many of each, in the order given."""
        for key, times in keys.items():
            self._run(
                "UPDATE clips SET used = (SELECT MAX(used) FROM clips) + 1, uses = uses + ? WHERE key = ?", (times, key)
            )

    def mark(self, key: str) -> None:
        """Note that a clip says a phrase that is kept warm."""
        self._run("UPDATE clips SET phrase = 1 WHERE key = ?", (key,))

    def forget_uses(self) -> None:
        """Halve every count of uses: what was said often long ago is not said often."""
        self._run("UPDATE clips SET uses = uses / 2 WHERE uses > 0", ())

    def oldest(self, count: int) -> list[str]:
        """Keys of those that were not used for longest."""
        return self._keys("SELECT key FROM clips ORDER BY used LIMIT ?", (count,))

    def most_used(self, count: int, least: int) -> list[str]:
        """Keys of those said most often, `least` times or more."""
        return self._keys("SELECT key FROM clips WHERE uses >= ? ORDER BY uses DESC, used DESC LIMIT ?", (least, count))

    def which(self, which: Which, count: int, *, phrases: bool = True) -> list[str]:
        """Keys of clips that fit, at most `count`; `phrases` False: but for those that are kept warm."""
        return self._keys(
            "SELECT key FROM clips WHERE (?1 IS NULL OR engine = ?1) AND (?2 IS NULL OR voice = ?2)"
            " AND (?3 IS NULL OR made_at < ?3) AND (?4 OR NOT phrase) LIMIT ?5",
            (which.engine, which.voice, which.made_before, phrases, count),
        )

    def misdated(self, latest: float, count: int) -> list[str]:
        """Keys of clips that claim to be made after `latest`, at most `count`."""
        return self._keys("SELECT key FROM clips WHERE made_at > ? LIMIT ?", (latest, count))

    def shard(self, shard: str) -> list[str]:
        """Every key that begins so."""
        # g is the first letter that no key has.
        return self._keys("SELECT key FROM clips WHERE key >= ? AND key < ? ORDER BY key", (shard, shard + "g"))

    def check(self) -> None:
        """Raises IndexBroken where the database is damaged, or its sums are wrong. Inside `writing`."""
        # The quick check would not see that the order of use names other clips than there are.
        verdict = self._one("PRAGMA integrity_check(1)", ())[0]
        counted = self._one("SELECT COUNT(*), COALESCE(SUM(bytes), 0), COALESCE(MIN(bytes), 0) FROM clips", ())
        entries, size, least = typed(counted, (int,), (int,), (int,))
        sums = self.sums()
        if verdict != "ok" or least < 0 or (sums["entries"], sums["bytes"]) != (entries, size):
            raise IndexBroken("it does not add up")

    # -- sums

    def sums(self) -> dict[str, float]:
        """Everything that is counted, by name; `entries` and `bytes`, always there, are those of the rows."""
        rows = [typed(row, (str,), (float,)) for row in self._all("SELECT name, value FROM sums", ())]
        sums = dict(rows)
        if not {"entries", "bytes"} <= sums.keys() or not all(0 <= value <= _MAX_SUM for value in sums.values()):
            raise IndexBroken("its sums cannot be")
        return sums

    def count(self, counts: Mapping[str, float]) -> None:
        """Add to sums; those that are new begin at 0."""
        for name, value in counts.items():
            self._run(
                "INSERT INTO sums VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = value + ?2", (name, value)
            )

    def by_voice(self) -> list[tuple[str, str, int, int]]:
        """Engine, voice, entries and bytes of every voice, the largest first."""
        rows = self._all(
            "SELECT engine, voice, COUNT(*), SUM(bytes) FROM clips GROUP BY engine, voice ORDER BY 4 DESC LIMIT 1000",
            (),
        )
        return [typed(row, (str,), (str,), (int,), (int,)) for row in rows]

    # -- clearings, so that other processes clear their memory as well

    def cleared(self, which: Which, now: float) -> None:
        """Numbered by the time (`now`: Unix time, seconds): an index that is made anew goes on with larger numbers."""
        self._run(
            "INSERT INTO clearings VALUES (MAX(?, (SELECT COALESCE(MAX(number), 0) + 1 FROM clearings)), ?, ?, ?)",
            (int(now * 1e6), which.engine, which.voice, which.made_before),
        )
        self._run(
            "DELETE FROM clearings WHERE number NOT IN (SELECT number FROM clearings ORDER BY number DESC LIMIT ?)",
            (_KEPT_CLEARINGS,),
        )

    def last_clearing(self) -> int:
        return int(self._one("SELECT COALESCE(MAX(number), 0) FROM clearings", ())[0])

    def clearings_after(self, number: int) -> list[Which]:
        rows = self._all("SELECT engine, voice, made_before FROM clearings WHERE number > ? ORDER BY number", (number,))
        return [Which(*typed(row, _NAME, _NAME, (float, type(None)))) for row in rows]

    # -- SQL

    def _run(self, statement: str, values: Sequence[object]) -> int:
        """How many rows were changed."""
        with sound():
            return self._database.execute(statement, values).rowcount

    def _keys(self, statement: str, values: Sequence[object]) -> list[str]:
        """The keys that a statement finds; they become names of files."""
        keys = [key for (key,) in self._all(statement, values)]
        if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
            raise IndexBroken("a key is none")
        return keys

    def _one(self, statement: str, values: Sequence[object]) -> Any:
        with sound():
            return self._database.execute(statement, values).fetchone()

    def _all(self, statement: str, values: Sequence[object]) -> list[Any]:
        with sound():
            return self._database.execute(statement, values).fetchall()
