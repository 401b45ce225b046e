"""The replies there are: those that run, each in a task, and those that are over while one can come back to them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

from unavoce.chat.client import Client
from unavoce.chat.endings import Endings
from unavoce.chat.recital import Recital
from unavoce.chat.reply import Reply
from unavoce.chat.session import Session
from unavoce.chat.traces import Door, Traces
from unavoce.errors import RequestError
from unavoce.narration.load import Demand

LINGERING: Final = 4
"""Replies kept, running and over together, as a multiple of those that may run; the longest over is let go first."""


class Replies:
    """An async context manager: the owner of their tasks. Leaving it stops every reply, each with its proper end.

    `most_running`: how many of them may run.
    """

    def __init__(self, most_running: int, endings: Endings) -> None:
        self._most = LINGERING * most_running
        self._endings = endings
        self._replies: dict[str, Reply] = {}
        self._recitals: dict[str, Recital] = {}
        self._traces = Traces()
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort_all()
        # Not given the caller's error: a task group would wrap it.
        await self._tasks.__aexit__(None, None, None)
        for reply in self._replies.values():
            reply.close()

    # -- which there are

    @property
    def conversing(self) -> tuple[Reply, ...]:
        """Those of conversations."""
        return tuple(self._replies.values())

    @property
    def all(self) -> tuple[Reply | Recital, ...]:
        """Recitals among them."""
        return *self._replies.values(), *self._recitals.values()

    @property
    def running(self) -> int:
        """Those that are not over."""
        return sum(not reply.over for reply in self.all)

    @property
    def demands(self) -> list[Demand]:
        """What those that run still want of the engines."""
        return [demand for reply in self.all if not reply.over and (demand := reply.narrator.demand) is not None]

    @property
    def running_at(self) -> Counter[Door]:
        """The same, by door."""
        return Counter(reply.traced.door for reply in self.all if not reply.over)

    def of(self, session: Session) -> dict[str, Reply]:
        """Of a session, by their ids."""
        return {reply_id: reply for reply_id, reply in self._replies.items() if reply.session is session}

    def get(self, reply_id: str) -> Reply | None:
        """Of a conversation."""
        return self._replies.get(reply_id)

    def trace(self, key: str, reply_id: str) -> dict[str, Any]:
        """What became of one when, for the holder of `key` (its digest), also of one let go. Raises RequestError."""
        reply = self._replies.get(reply_id) or self._recitals.get(reply_id)
        traced = reply.traced if reply else self._traces.get(reply_id)
        if traced is None or traced.key != key:
            raise unknown_reply(reply_id)
        return traced.on_wire()

    # -- how they run

    def keep(self, reply: Reply) -> None:
        """One of a conversation, for whoever comes back to it; where there are too many, one that is over is let go."""
        self._replies[reply.id] = reply
        if len(self._replies) > self._most:
            next(one for one in self._replies.values() if one.over).let_go()

    def forget(self, reply: Reply) -> None:
        """One that is let go: nobody can come back to it."""
        if self._replies.pop(reply.id, None) is not None:
            self._traces.keep(reply.traced)

    def run(self, reply: Reply | Recital, tokens: AsyncGenerator[str, None]) -> asyncio.Task[None]:
        """Let it speak these tokens."""
        task = self._tasks.create_task(self._narrate(reply, tokens))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _narrate(self, reply: Reply | Recital, tokens: AsyncGenerator[str, None]) -> None:
        try:
            await reply.run(tokens)
        finally:
            self._endings.tell(reply.traced, reply.narrator.text)

    @asynccontextmanager
    async def reciting(self, recital: Recital, tokens: AsyncGenerator[str, None]) -> AsyncIterator[Recital]:
        """Let it speak these tokens within the block; leaving that stops it."""
        self._recitals[recital.id] = recital
        task = self.run(recital, tokens)
        # Not after the wait below: whoever is cancelled while it lasts would leave the recital here for ever.
        task.add_done_callback(lambda _: self._let_go(recital))
        try:
            yield recital
        finally:
            recital.abort()
            await asyncio.wait([task])

    def _let_go(self, recital: Recital) -> None:
        del self._recitals[recital.id]
        self._traces.keep(recital.traced)

    # -- how they end

    def abort_all(self) -> None:
        """Stop every one; each still tells its end."""
        for reply in self.all:
            reply.abort()

    async def end_of(self, session: Session) -> None:
        """Stop those of a session, and let go of them once they have told their end."""
        while running := [reply for reply in self.of(session).values() if not reply.over]:
            for reply in running:
                reply.abort()
            await running[0].ended.wait()
        for reply in self.of(session).values():
            reply.let_go()

    async def ended(self) -> None:
        """Returns when none runs."""
        while tasks := [task for task in self._running if not task.done()]:
            await asyncio.wait(tasks)

    def lost(self, client: Client) -> None:
        """It is gone: those that it hears go on for a while."""
        for reply in self._replies.values():
            reply.lost(client)

    def stop_unheard(self) -> None:
        """No client can come back any more."""
        for reply in self._replies.values():
            if reply.owner is None and not reply.over:
                reply.abort()


def unknown_reply(reply_id: str) -> RequestError:
    return RequestError("unknown_reply", f"reply {reply_id!r} is not known here")
