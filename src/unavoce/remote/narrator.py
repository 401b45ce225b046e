"""unavoce as a library, with the engines elsewhere: replies are spoken by a server and heard here.

It speaks docs/protocol.md: `speak:start`, `speak:text`, `speak:end`; `chat:join` after a lost connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from types import TracebackType
from typing import Self

from unavoce.errors import EngineUnavailable, UnavoceError
from unavoce.narration.encoder import Format
from unavoce.narration.events import Chunk
from unavoce.remote.connection import CONNECT_TIMEOUT_S, Connection
from unavoce.remote.faults import translated
from unavoce.remote.feeder import Feeder
from unavoce.remote.replies import Replies
from unavoce.remote.reply import RemoteReply


class RemoteNarrator:
    """Speaks replies on the server at `url`, several at once over one connection. An async context manager.

    async with RemoteNarrator("http://127.0.0.1:8010") as narrator:
        async for chunk in narrator.speak(tokens):
            play(chunk.audio)

    It may be made anywhere. The connection is made by `ready`, or by the first reply, and comes back by itself.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        self._url = url
        self._api_key = api_key
        self._opening = asyncio.Lock()
        self._open: tuple[Connection, Replies] | None = None

    async def __aenter__(self) -> Self:
        await self.ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def ready(self) -> None:
        """Returns when the connection stands. Raises EngineUnavailable, or RequestError `unauthorised`."""
        await self._connected()

    async def close(self) -> None:
        """End the connection, and the replies that run over it. A later reply makes it anew."""
        was_open, self._open = self._open, None
        if was_open is not None:
            connection, replies = was_open
            replies.close()
            await connection.close()

    async def speak(
        self,
        tokens: AsyncIterable[str] | str,
        *,
        voice: str | None = None,
        speed: float = 1.0,
        format: Format | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """The reply's sound, chunk by chunk, while `tokens` are still being written. `format`: WAV unless asked.

        The server sends at most 30 s ahead of real time. Leaving the loop early stops the reply there and closes
        `tokens`. A connection that is lost once the text is complete is made again and the reply goes on.

        Raises, after the sound that came before: an exception of `tokens`, as it is; EngineUnavailable when there is
        no server, or it was lost while the text was being written, or for longer than 15 s; EngineError when a
        sentence could not be spoken; RequestError for what the server does not take (codes in docs/protocol.md).
        """
        connection, replies = await self._connected()
        reply = RemoteReply()
        feeder = Feeder(connection, reply, tokens)
        try:
            await replies.begin(reply, {"voice": voice, "speed": speed, "format": format or "wav"})
            feeder.start()
            async for chunk in reply:
                yield chunk
        finally:
            await replies.leave(reply)
            await feeder.stop()
        feeder.check()
        reply.check()

    async def _connected(self) -> tuple[Connection, Replies]:
        async with self._opening:
            if self._open is None:
                self._open = await self._connect()
            connection, replies = self._open
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await connection.back.wait()
            except TimeoutError:
                await self.close()  # the next reply tries anew, in case this one would never come back
                raise EngineUnavailable(f"the server at {self._url} is gone and does not come back") from None
        return connection, replies

    async def _connect(self) -> tuple[Connection, Replies]:
        connection = Connection(self._url, self._api_key)
        replies = Replies(connection)
        try:
            await connection.connect()
        except BaseException as error:
            await connection.close()
            raise (translated(error) if isinstance(error, UnavoceError) else error) from None
        return connection, replies
