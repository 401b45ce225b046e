"""Hands a reply's text to the server as it is written, a bounded number of pieces ahead of their acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, suppress

from unavoce.errors import EngineUnavailable, RequestError, UnavoceError
from unavoce.narration.hand import pieces
from unavoce.remote.connection import Answer, Connection, checked
from unavoce.remote.faults import translated
from unavoce.remote.reply import RemoteReply

UNACKNOWLEDGED = 256
"""Pieces under way to the server; the source waits after that."""
MAX_PIECE_CHARS = 16_000
"""A longer one goes in parts: a packet has a limit."""
ALIVE_S = 20.0
"""Nothing is said to the server for less than this; after 60 s it takes the text for ended."""


class Feeder:
    """`start` it when the reply has begun; `stop` it in any case, which closes the source."""

    def __init__(self, connection: Connection, reply: RemoteReply, tokens: AsyncIterable[str] | str) -> None:
        self._connection = connection
        self._reply = reply
        self._tokens = tokens
        self._room = asyncio.Semaphore(UNACKNOWLEDGED)
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def check(self) -> None:
        """Raises what the source broke off with."""
        if self._error is not None:
            raise self._error

    async def _run(self) -> None:
        try:
            async with aclosing(kept_alive(pieces(self._tokens), ALIVE_S)) as texts:
                async for text in texts:
                    if self._reply.over:
                        break
                    for start in range(0, len(text) or 1, MAX_PIECE_CHARS):
                        await self._send(text[start : start + MAX_PIECE_CHARS])
        except Exception as error:
            # Raised by whoever writes the text: the caller's own, told when what came before has been heard.
            self._error = error
        try:
            await self._connection.call("speak:end", {"replyId": self._reply.id})
            self._reply.text_complete = True
        except UnavoceError as error:
            self._reply.fail(translated(error))

    async def _send(self, text: str) -> None:
        await self._room.acquire()
        with suppress(EngineUnavailable):  # the connection is lost, and the reply is told so
            payload = {"replyId": self._reply.id, "text": text}
            await self._connection.send("speak:text", payload, heard=self._acknowledged)

    async def _acknowledged(self, answer: Answer) -> None:
        self._room.release()
        try:
            checked(answer)
        except RequestError as error:
            # Not the text without this piece: what comes after it is under way already.
            self._reply.fail(translated(error))


async def kept_alive(texts: AsyncGenerator[str, None], every_s: float) -> AsyncGenerator[str, None]:
    """`texts`, and an empty one whenever none came for `every_s`. Closes them."""
    async with aclosing(texts):
        coming: asyncio.Task[str] | None = None
        try:
            while True:
                coming = coming or asyncio.create_task(_next(texts))
                done, _ = await asyncio.wait([coming], timeout=every_s)
                if not done:
                    yield ""
                    continue
                finished, coming = coming, None
                try:
                    text = finished.result()
                except _End:
                    return
                yield text
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.wait([coming])


class _End(Exception):
    """A task cannot end with StopAsyncIteration."""


async def _next(texts: AsyncGenerator[str, None]) -> str:
    try:
        return await anext(texts)
    except StopAsyncIteration:
        raise _End from None
