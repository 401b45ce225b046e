"""The index of the disk tier: how many clips there are, how large, whose, and which was used last. A SQLite database.

The files are the truth and the index is a notebook about them: it decides what goes when room is needed, and nothing is
served or refused on its word. It keeps one promise: every file has its row, also after a kill at any instant (a row is
written before its file, and goes after it), so that the bounds hold. Where it is damaged or lost it is made anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unavoce.cache.disk.tables import INDEX
from unavoce.cache.kept import Which
from unavoce.storage.database import Database, DatabaseBroken, typed

_KEY: Final = re.compile(r"[0-9a-f]{64}")
_KEPT_CLEARINGS: Final = 64
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


class Index(Database):
    """For one thread at a time. Raises sqlite3.Error where it cannot be reached, DatabaseBroken where it is damaged."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """`read_only`: nothing can be written here; what stands in it can be read all the same."""
        super().__init__(path, INDEX, read_only=read_only)

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
        """The row of a key that the index itself has named. Raises DatabaseBroken: it would be named for ever."""
        if not self.remove(key):
            raise DatabaseBroken("it cannot find what it names")

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
        """Raises DatabaseBroken where the database is damaged, or its sums are wrong. Inside `writing`."""
        # The quick check would not see that the order of use names other clips than there are.
        verdict = self._one("PRAGMA integrity_check(1)", ())[0]
        counted = self._one("SELECT COUNT(*), COALESCE(SUM(bytes), 0), COALESCE(MIN(bytes), 0) FROM clips", ())
        entries, size, least = typed(counted, (int,), (int,), (int,))
        sums = self.sums()
        if verdict != "ok" or least < 0 or (sums["entries"], sums["bytes"]) != (entries, size):
            raise DatabaseBroken("it does not add up")

    # -- sums

    def sums(self) -> dict[str, float]:
        """Everything that is counted, by name; `entries` and `bytes`, always there, are those of the rows."""
        rows = [typed(row, (str,), (float,)) for row in self._all("SELECT name, value FROM sums", ())]
        sums = dict(rows)
        if not {"entries", "bytes"} <= sums.keys() or not all(0 <= value <= _MAX_SUM for value in sums.values()):
            raise DatabaseBroken("its sums cannot be")
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

    def _keys(self, statement: str, values: Sequence[object]) -> list[str]:
        """The keys that a statement finds; they become names of files."""
        keys = [key for (key,) in self._all(statement, values)]
        if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
            raise DatabaseBroken("a key is none")
        return keys
