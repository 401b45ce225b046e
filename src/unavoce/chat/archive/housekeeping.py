"""History on disk as the command line sees it: counted, cleared, checked, while a server may be using it. Blocks."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from unavoce.chat.archive.ledger import LAYOUT, Ledger
from unavoce.chat.archive.place import Place
from unavoce.chat.archive.records import Figures, Which
from unavoce.errors import REMEDY, HistoryError
from unavoce.storage.database import DatabaseBroken, remove

NOTHING: Final = Figures(0, 0, 0, None)


class Housekeeping:
    """Makes no file where there is none. Raises HistoryError. `now` gives Unix time, seconds."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self.place = Place(folder)
        self._now = now

    @property
    def files(self) -> list[Path]:
        """Those there are: history, and what was set aside."""
        return [path for path in (self.place.path, self.place.damaged) if path.exists()]

    def figures(self) -> Figures:
        """What there is, with its sessions, the latest first."""
        if not self.place.path.exists():
            return NOTHING
        with self._opened() as ledger:
            return ledger.figures()

    def check(self) -> None:
        """Raises HistoryError where the file is damaged."""
        if self.place.path.exists():
            with self._opened() as ledger:
                ledger.check()

    def clear(self, which: Which) -> int:
        """Remove the messages that fit, also from a running server's memory within seconds, and say how many.

        Everything: what was set aside goes as well, and a file that is damaged.
        """
        if which == Which():
            return self._clear_everything()
        return self._clear(which) if self.place.path.exists() else 0

    def _clear_everything(self) -> int:
        try:
            self.place.remove_damaged()
            return self._clear(Which()) if self.place.path.exists() else 0
        except OSError as error:
            raise self._cannot(error) from error
        except HistoryError as error:
            if not isinstance(error.__cause__, DatabaseBroken):
                raise
            remove(self.place.path, LAYOUT)
            return 0

    def _clear(self, which: Which) -> int:
        with self._opened() as ledger:
            with ledger.writing():
                gone = ledger.delete(which)
                ledger.cleared(which, self._now())
                left = ledger.messages
            if not left:
                with suppress(sqlite3.Error):  # a server is writing: the pages are empty in any case
                    ledger.shrink()
            if not ledger.scrub():
                told = f"{self.place.path} is being read: what was removed may still stand in its log"
                raise HistoryError(f"{told}{REMEDY}do it again")
        return gone

    @contextmanager
    def _opened(self) -> Iterator[Ledger]:
        try:
            self.place.prepare()
            with closing(Ledger(self.place.path)) as ledger:
                yield ledger
        except DatabaseBroken as error:
            remedy = "start the server, which sets it aside, or remove it with `unavoce history clear`"
            raise HistoryError(f"{self.place.path} is damaged ({error}){REMEDY}{remedy}") from error
        except (OSError, sqlite3.Error) as error:
            raise self._cannot(error) from error

    def _cannot(self, error: Exception) -> HistoryError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return HistoryError(f"{self.place.path} cannot be used ({reason}){REMEDY}see to that file and its disk")
