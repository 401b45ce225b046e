"""The replies that run over one connection: how they begin, hear the server, outlive a lost connection, and end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from unavoce.errors import EngineError, EngineUnavailable, RequestError, UnavoceError
from unavoce.remote.connection import Answer, Connection, checked
from unavoce.remote.faults import translated
from unavoce.remote.reply import RemoteReply

GRACE_S = 15.0
"""A reply whose text is complete waits this long for a lost connection; the server does too, unless set otherwise."""


class Replies:
    """Made before the connection is opened."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._replies: dict[str, RemoteReply] = {}
        self._giving_up: asyncio.TimerHandle | None = None
        connection.watch(self._came, self._went)
        connection.on("chat:audio_chunk", self._chunk)
        connection.on("chat:audio_done", self._told(RemoteReply.audio_done))
        connection.on("chat:error", self._told(RemoteReply.fault))
        connection.on("chat:done", self._told(RemoteReply.done))

    async def begin(self, reply: RemoteReply, manner: dict[str, Any]) -> None:
        """Raises RequestError when the server does not take it, EngineUnavailable when it does not answer."""

        async def begun(answer: Answer) -> None:
            if answer.get("ok"):
                reply.session_id, reply.id = str(answer.get("sessionId")), str(answer.get("replyId"))
                self._replies[reply.id] = reply
                if reply.abandoned:  # before the server had answered
                    await self.leave(reply)

        try:
            await self._connection.call("speak:start", manner, begun)
        except UnavoceError as error:
            raise translated(error) from None

    async def leave(self, reply: RemoteReply) -> None:
        """Nobody listens to it any more: what runs of it on the server is stopped, without waiting for the answer."""
        reply.abandoned = True
        self._replies.pop(reply.id, None)
        if reply.id and not reply.ended:
            with suppress(EngineUnavailable):  # a server that lost us stops it by itself
                await self._connection.send("chat:abort", {"sessionId": reply.session_id, "replyId": reply.id})

    def close(self) -> None:
        """End all of them here."""
        self._stay()
        self._fail_all("the narrator was closed")

    # -- events

    def _told(self, take: Callable[[RemoteReply, dict[str, Any]], None]) -> Callable[[Any], Awaitable[None]]:
        async def handler(data: Any) -> None:
            if (reply := self._named(data)) is not None:
                take(reply, data)

        return handler

    async def _chunk(self, data: Any) -> None:
        if (reply := self._named(data)) is None:
            return
        reply.chunk(data)
        if reply.lags and not reply.over:
            # Else the server would go on at the pace at which the sound could be played.
            played = {"replyId": reply.id, "index": reply.taken_index, "positionMs": 0}
            with suppress(EngineUnavailable):
                await self._connection.send("chat:played", played)

    def _named(self, data: Any) -> RemoteReply | None:
        return self._replies.get(str(data.get("replyId"))) if isinstance(data, dict) else None

    # -- the connection goes and comes

    def _went(self) -> None:
        for reply in tuple(self._replies.values()):
            if not reply.text_complete:
                # The server takes text from the connection that began the reply, and from no other.
                reply.fail(EngineUnavailable("the connection to the server was lost while the text was being written"))
        lost = f"the connection to the server was lost for more than {GRACE_S:g} s"
        self._giving_up = asyncio.get_running_loop().call_later(GRACE_S, self._fail_all, lost)

    async def _came(self) -> None:
        self._stay()
        for reply in tuple(self._replies.values()):
            if not reply.over:
                await self._rejoin(reply)

    async def _rejoin(self, reply: RemoteReply) -> None:
        async def joined(answer: Answer) -> None:
            try:
                replies = checked(answer).get("replies", [])
                index = next(one["nextIndex"] for one in replies if one["replyId"] == reply.id)
            except (RequestError, StopIteration, LookupError, TypeError):
                reply.fail(EngineUnavailable("the server does not know the reply any more; was it started anew?"))
            else:
                if index > reply.next_index:
                    reply.fail(EngineError(f"chunk {reply.next_index} of the reply was lost with the connection"))

        after = {"sessionId": reply.session_id, "after": {reply.id: reply.next_index - 1}}
        with suppress(EngineUnavailable):  # lost again
            await self._connection.send("chat:join", after, heard=joined)

    def _fail_all(self, why: str) -> None:
        for reply in tuple(self._replies.values()):
            reply.fail(EngineUnavailable(why))

    def _stay(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
