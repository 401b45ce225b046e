"""History on disk as the event loop sees it: written behind what is said, looked into when somebody comes back.

What is said is never held up by it. Messages wait here until a thread of its own has written them; an answer that is
being given is written anew as it grows, and what was heard of it. A disk that hangs or refuses costs history on disk.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from unavoce.chat.archive.records import Outcome, Record, Which, binding_of
from unavoce.chat.archive.store import HistoryStore
from unavoce.chat.history import Entry
from unavoce.errors import REMEDY, HistoryError
from unavoce.storage.threads import DiskThreads

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

PACE_S: Final = 0.25
"""What is said is on disk after so long, where the disk keeps up; an answer that is being given is written so often."""
LEARN_S: Final = 5.0
"""How often is asked, while nothing is said, what other processes have cleared; and a disk in trouble tried again."""
EXPIRE_S: Final = 3600.0
"""How often what is too old is removed."""
LOOK_S: Final = 2.0
"""How long a session on disk is waited for; then it is not known."""
FORGET_S: Final = 10.0
"""How long a removal is waited for."""
MOST_JOBS: Final = 32
"""That wait for the disk; while it hangs, further ones are refused."""
MOST_WAITING: Final = 2_000
"""Messages that are not on disk yet; where there are more, the oldest of them are not kept there."""
MOST_WAITING_CHARS: Final = 16 << 20
"""Their characters, likewise."""
CLOSE_S: Final = 5.0
"""How long is waited for what is still to be written when the process stops."""
HANGS_S: Final = 5.0
"""A disk that has not answered for so long is a problem."""


class Conversation(Protocol):
    """Of which messages are kept: a session."""

    id: str
    key: str


@dataclass(slots=True, eq=False)
class _Waiting:
    """A message that is not on disk, or not in its last words."""

    session: str
    binding: bytes
    entry: Entry
    written: Record | None = None
    """As it is on disk."""

    def record(self) -> Record:
        entry = self.entry
        known = entry.for_model if entry.role == "assistant" else None
        words = (entry.role, entry.text, entry.heard_text, known)
        return Record(self.session, entry.number, self.binding, *words, entry.reply_id, entry.at)


class Archive:
    """Keeps messages on disk and finds them there. `run` it in a task of yours, and `close` it."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        # One: the database is used by one thread at a time, and what is said first is written first.
        self._thread = DiskThreads(1, "history")
        self._asked_at_s: dict[asyncio.Future[Any], float] = {}
        self._waiting: dict[tuple[str, int], _Waiting] = {}
        self._not_kept = 0
        self._news = asyncio.Event()
        self._clearing = 0
        self._removals = 0
        """So far: what was read before one of them may be of what was removed."""
        self._lost: Callable[[Which], None] = lambda _: None
        self._closed = False

    def watch(self, lost: Callable[[Which], None]) -> None:
        """`lost` is called with what is on disk no more, but for what is too old: others cleared it, or the file grew
        too large."""
        self._lost = lost

    # -- how it is

    @property
    def file(self) -> str:
        """Where it is kept."""
        return str(self._store.place.path)

    @property
    def problem(self) -> str:
        """Why history is not kept on disk just now, with the remedy; empty when it is."""
        if self._asked_at_s and time.monotonic() - min(self._asked_at_s.values()) > HANGS_S:
            return f"{self.file} gave no answer for {HANGS_S:g} s{REMEDY}see to that disk"
        return self._store.problem

    @property
    def detail(self) -> str:
        """Where it is, and what is worth knowing of it."""
        told = [f"{self._not_kept} messages were not kept"] if self._not_kept else []
        return "; ".join([self.file, *told, *filter(None, [self._store.set_aside])])

    # -- messages

    def keep(self, session: Conversation, entry: Entry) -> None:
        """A message was said, or an answer begun: it is followed until it is settled."""
        if self._closed:
            return
        binding = binding_of(session.id, session.key)
        self._waiting[session.id, entry.number] = _Waiting(session.id, binding, entry)
        self._drop_excess()
        self._news.set()

    def _drop_excess(self) -> None:
        chars = sum(len(one.entry.text) for one in self._waiting.values())
        while len(self._waiting) > 1 and (len(self._waiting) > MOST_WAITING or chars > MOST_WAITING_CHARS):
            oldest = self._waiting.pop(next(iter(self._waiting)))
            chars -= len(oldest.entry.text)
            if not self._not_kept:
                log.warning("history_dropped", extra={"reason": self.problem or "too much waits for the disk"})
            self._not_kept += 1

    async def find(self, session_id: str, key: str) -> list[Record]:
        """The messages of a session on disk, the oldest first; empty where there is none bound to `key`.

        Raises HistoryError where the disk does not tell within LOOK_S.
        """
        async with self._within(LOOK_S):
            while True:
                removals = self._removals
                if any(session == session_id for session, _ in self._waiting):
                    await self.flush()  # memory has let it go before it was written
                records = await self._do(self._store.read, session_id, binding_of(session_id, key))
                if removals == self._removals:
                    return records

    async def forget(self, session_id: str) -> None:
        """Remove a session's messages for good. Raises HistoryError where that cannot be done now."""
        which = Which(session_id)
        self._write_no_more(which)
        async with self._within(FORGET_S):
            try:
                await self._do(self._store.forget, which)
            finally:
                self._removals += 1

    def _write_no_more(self, which: Which) -> None:
        self._removals += 1
        for (session, number), one in list(self._waiting.items()):
            if which.fits(session, number, one.entry.at):
                del self._waiting[session, number]

    # -- in the background

    async def run(self) -> None:
        """Write what is said, learn of what others clear, remove what is too old; for ever."""
        expire_at_s = 0.0
        now = asyncio.get_running_loop().time
        while True:
            try:
                await self.flush()
                if now() >= expire_at_s:
                    await self._do(self._store.expire)
                    expire_at_s = now() + EXPIRE_S
            except HistoryError:  # it has been logged, and conversations need none of it
                await asyncio.sleep(LEARN_S)
            await asyncio.sleep(PACE_S)
            if not self._waiting:
                await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEARN_S):
                await self._news.wait()

    async def flush(self) -> None:
        """Write whatever has changed, and learn of what others have cleared. Raises HistoryError."""
        while not await self._flushed():
            pass

    async def _flushed(self) -> bool:
        """False: nothing was written, since something had been cleared that may be among it."""
        batch = [(place, one.record(), one.entry.reply is None) for place, one in self._waiting.items()]
        changed = [record for place, record, _ in batch if record != self._waiting[place].written]
        outcome: Outcome = await self._do(self._store.write, changed, self._clearing)
        if outcome.written:
            self._note_written(batch)
        self._clearing = max(self._clearing, outcome.clearing)
        for which in outcome.lost:
            self._write_no_more(which)
            self._lost(which)
        return outcome.written

    def _note_written(self, batch: list[tuple[tuple[str, int], Record, bool]]) -> None:
        for place, record, settled in batch:
            if place not in self._waiting:
                continue  # it was forgotten meanwhile
            if settled:
                del self._waiting[place]
            else:
                self._waiting[place].written = record

    async def close(self) -> None:
        """Write what is left; not for ever, where the disk hangs."""
        if self._closed:
            return
        try:
            async with self._within(CLOSE_S):
                with suppress(HistoryError):
                    await self.flush()
                await self._do(self._store.close)
        except HistoryError:
            log.warning("history_not_flushed", extra={"limit_s": CLOSE_S})
        self._closed = True
        self._thread.shutdown()

    # -- the thread

    @asynccontextmanager
    async def _within(self, limit_s: float) -> AsyncIterator[None]:
        """Raises HistoryError when it takes longer."""
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as error:
            raise HistoryError(f"{self.file} gave no answer within {limit_s:g} s{REMEDY}see to that disk") from error

    async def _do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it after what waits already, whether or not somebody still waits for it then. Raises HistoryError."""
        if self._closed or len(self._asked_at_s) >= MOST_JOBS:
            raise HistoryError(f"{self.file} has too much to do{REMEDY}see to that disk")
        job = asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **kwargs))
        self._asked_at_s[job] = time.monotonic()
        job.add_done_callback(self._done)
        try:
            return await asyncio.shield(job)
        except (HistoryError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise HistoryError(f"{self.file} cannot be used: the server made a mistake{REMEDY}see its log") from error

    def _done(self, job: asyncio.Future[Any]) -> None:
        del self._asked_at_s[job]
        error = None if job.cancelled() else job.exception()
        if error is not None and not isinstance(error, HistoryError):
            log.error("history_crashed", exc_info=error)
