"""The sessions there are: in memory, and behind that on disk where history is kept there."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from time import time as now
from typing import Final

from unavoce.chat.archive.archive import Archive
from unavoce.chat.archive.records import Which, outdated
from unavoce.chat.client import Client
from unavoce.chat.history import Entry
from unavoce.chat.session import Session
from unavoce.errors import HistoryError, RequestError
from unavoce.storage.ages import MaxAge

MAX_SESSIONS: Final = 10_000
"""In memory. Idle ones beyond this are let go, the longest unused first."""
EXPIRE_S: Final = 3600.0
"""How often messages that are too old are removed from those that nobody asks for."""


class Sessions:
    """`archive`: where they are kept on disk. `max_age`: of messages. `in_use`: whether a session has replies."""

    def __init__(self, archive: Archive | None, max_age: MaxAge | None, in_use: Callable[[Session], bool]) -> None:
        self.archive = archive
        self._max_age = max_age
        self._in_use = in_use
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []
        if archive is not None:
            archive.watch(self._lose)

    def start(self) -> None:
        """Begin with what is done in the background, until `close`."""
        if self.archive is not None:
            self._tasks.append(asyncio.create_task(self.archive.run()))
        if self._max_age is not None:
            self._tasks.append(asyncio.create_task(self._expire()))

    async def close(self) -> None:
        """What is to be on disk is there, as far as the disk allows."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.archive is not None:
            await self.archive.close()

    # -- sessions

    def begin(self, client: Client) -> Session:
        """A new one. Raises RequestError."""
        session = Session(client.key)
        self._put(session)
        return session

    def _put(self, session: Session) -> None:
        """Let another one go for it, where there are too many. Raises RequestError."""
        if len(self._sessions) >= MAX_SESSIONS:
            idle = next((one for one in self._sessions.values() if self._idle(one)), None)
            if idle is None:
                raise RequestError("busy", "too many sessions are open")
            del self._sessions[idle.id]
        self._sessions[session.id] = session

    def _idle(self, session: Session) -> bool:
        return not session.clients and not self._in_use(session)

    def get(self, client: Client, session_id: str) -> Session:
        """One that is in memory, as it is after `recall`. Raises RequestError."""
        session = self._sessions.get(session_id)
        if session is None or session.key != client.key:
            raise RequestError("unknown_session", f"session {session_id!r} is not known here")
        self._sessions.move_to_end(session_id)
        self._lose_old(session)
        return session

    async def recall(self, client: Client, session_id: str) -> None:
        """Find the session on disk, where it is not in memory. Raises HistoryError where the disk cannot tell."""
        if self.archive is None or session_id in self._sessions:
            return
        records = await self.archive.find(session_id, client.key)
        if records and session_id not in self._sessions:
            self._put(Session(client.key, records))

    async def recall_to_forget(self, client: Client, session_id: str) -> None:
        """The same. Raises RequestError `history_unavailable` where the disk cannot tell."""
        try:
            await self.recall(client, session_id)
        except HistoryError as error:
            raise RequestError("history_unavailable", f"nothing was forgotten: {error}") from error

    def add(self, session: Session, entry: Entry) -> None:
        """A message was said, or an answer begun."""
        session.add(entry)
        if self.archive is not None:
            self.archive.keep(session, entry)

    def attach(self, client: Client, session: Session) -> None:
        session.clients[client.id] = client
        client.sessions.add(session.id)

    def detach(self, client: Client) -> None:
        """It lost its connection, or left."""
        for session_id in client.sessions:
            if (session := self._sessions.get(session_id)) is not None:
                session.clients.pop(client.id, None)

    # -- forgetting

    async def forget(self, session: Session) -> int:
        """Whose replies are over: how many messages were forgotten. Raises RequestError where disk still has them."""
        messages = len(session.entries)
        self._let_go(session)
        if self.archive is not None:
            try:
                await self.archive.forget(session.id)
            except HistoryError as error:
                message = f"it is forgotten in memory, and not on disk: {error}"
                raise RequestError("history_unavailable", message) from error
        return messages

    def _let_go(self, session: Session) -> None:
        for client in session.clients.values():
            client.sessions.discard(session.id)
        session.clients.clear()
        session.entries.clear()
        self._sessions.pop(session.id, None)

    def _lose(self, which: Which) -> None:
        """Messages are on disk no more: they are to be forgotten here as well."""
        sessions = list(self._sessions.values())
        for session in sessions if which.session is None else filter(None, [self._sessions.get(which.session)]):
            session.lose(which)
            if not session.entries and self._idle(session):
                del self._sessions[session.id]

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_S)
            for session in list(self._sessions.values()):
                self._lose_old(session)
                if not session.entries and self._idle(session):
                    del self._sessions[session.id]

    def _lose_old(self, session: Session) -> None:
        for which in outdated(self._max_age, now()):
            session.lose(which)
