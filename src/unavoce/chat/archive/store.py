"""History on disk, as a whole: opened when it is first needed, made anew where it is damaged, within its limits.

Everything here blocks and belongs on one thread (`unavoce.chat.archive.archive`). Nothing but HistoryError is raised.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from unavoce.chat.archive.ledger import CLEARINGS_KEPT_S, Ledger
from unavoce.chat.archive.place import Place
from unavoce.chat.archive.records import Figures, Limits, Outcome, Record, Which, outdated
from unavoce.errors import REMEDY, HistoryError
from unavoce.storage.database import DatabaseBroken

log = logging.getLogger(__name__)
T = TypeVar("T")

REST_S: Final = 30.0
"""After the disk refused something, it is left alone for so long."""
SCRUB_S: Final = 5.0
"""The log of what room was made from is let go so often at most."""


class HistoryStore:
    """A server's: it alone may use the file, but for the command line, which clears and counts (`Housekeeping`).

    `now` gives Unix time, `monotonic` a clock that never jumps; both seconds.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits | None = None,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = Place(folder)
        self.problem = ""
        """Why nothing is kept on disk just now, with the remedy."""
        self.set_aside = ""
        """Why a file was set aside, and where; empty where none was since the start."""
        self._limits = limits or Limits()
        self._now, self._monotonic = now, monotonic
        self._ledger: Ledger | None = None
        self._rests_until_s = float("-inf")
        self._scrubbed_s = float("-inf")
        self._learnt_s: float | None = None

    # -- what the server does

    def write(self, records: Sequence[Record], clearing: int) -> Outcome:
        """Write all of them or none, and make room. `clearing`: the last one by another process that is known.

        Where there was another since, nothing is written: what is told of it may be among the records.
        """
        return self._using(lambda ledger: self._write(ledger, records, clearing))

    def _write(self, ledger: Ledger, records: Sequence[Record], clearing: int) -> Outcome:
        with ledger.writing():
            last, cleared = ledger.clearings_after(clearing)
            if self._missed_some():
                cleared = [Which(before=self._now())]
            self._learnt_s = self._monotonic()
            if cleared:
                return Outcome(False, tuple(cleared), last)
            ledger.put(records)
            lost = ledger.trim(self._limits.max_bytes)
        if self._monotonic() - self._scrubbed_s > SCRUB_S:
            self._scrub(ledger)
        return Outcome(True, tuple(lost), last)

    def _missed_some(self) -> bool:
        """Clearings that old are not told any more."""
        return self._learnt_s is not None and self._monotonic() - self._learnt_s > CLEARINGS_KEPT_S

    def read(self, session: str, binding: bytes) -> list[Record]:
        """The messages of a session that is bound so, the oldest first; empty where there is none."""
        records = self._using(lambda ledger: ledger.read(session))
        old = self._outdated()
        return [one for one in records if one.binding == binding and not _fits_any(old, one)]

    def forget(self, which: Which) -> int:
        """Messages that were removed, so that nothing of their text is left in the file."""
        self._rests_until_s = float("-inf")  # whoever asks for this is to have it, if it can be done at all
        return self._using(lambda ledger: self._remove(ledger, which))

    def expire(self) -> None:
        """Remove what is too old, the file that was set aside as well."""
        for which in self._outdated():
            self._using(partial(self._remove, which=which))
        if (max_age := self._limits.max_age) is not None:
            oldest = max_age.oldest(self._now())
            self._using(lambda _: self.place.remove_damaged(oldest))

    def figures(self) -> Figures:
        return self._using(lambda ledger: ledger.figures(0))

    def close(self) -> None:
        """The next use opens it again."""
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()
        self.place.unlock()

    # -- how

    def _outdated(self) -> tuple[Which, ...]:
        return outdated(self._limits.max_age, self._now())

    def _remove(self, ledger: Ledger, which: Which) -> int:
        with ledger.writing():
            gone = ledger.delete(which)
        self._scrub(ledger)
        return gone

    def _scrub(self, ledger: Ledger) -> None:
        self._scrubbed_s = self._monotonic()
        if ledger.unscrubbed:
            ledger.scrub()

    def _using(self, do: Callable[[Ledger], T]) -> T:
        """Let `do` use the database; where that turns out damaged, a new one. `do` may be done twice."""
        if self._monotonic() < self._rests_until_s:
            raise HistoryError(self.problem)
        try:
            done = self._reaching(do)
        except (OSError, sqlite3.Error, HistoryError) as error:
            self._rest(error)
            raise HistoryError(self.problem) from error
        self.problem = ""
        return done

    def _reaching(self, do: Callable[[Ledger], T]) -> T:
        try:
            return do(self._opened())
        except DatabaseBroken as error:
            self._set_aside(error)
        try:
            return do(self._opened())
        except DatabaseBroken as error:
            raise HistoryError(f"{self.place.path} cannot be made anew ({error}){REMEDY}see to that disk") from error

    def _opened(self) -> Ledger:
        if self._ledger is not None and self._ledger.lost:
            self._ledger.close()
            self._ledger = None
        if self._ledger is None:
            self.place.lock()
            self.place.prepare()
            self._ledger = Ledger(self.place.path)
        return self._ledger

    def _set_aside(self, error: DatabaseBroken) -> None:
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()
        self.place.set_aside()
        log.warning("history_set_aside", extra={"file": str(self.place.damaged), "reason": str(error)})
        self.set_aside = f"{self.place.path} was damaged ({error}); it is {self.place.damaged} now"

    def _rest(self, error: Exception) -> None:
        """Leave the disk alone for a while; say so once."""
        problem = str(error) if isinstance(error, HistoryError) else _told(self.place.path, error)
        if problem != self.problem:
            log.warning("history_not_kept", extra={"reason": problem})
        self.problem = problem
        self._rests_until_s = self._monotonic() + REST_S
        self.close()  # so that what is mended meanwhile is seen


def _fits_any(which: Sequence[Which], record: Record) -> bool:
    return any(one.fits(record.session, record.number, record.at) for one in which)


def _told(path: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"history cannot be kept in {path} ({reason}){REMEDY}see to that file and its disk"
