"""The terminal's side of the Socket.IO connection: sends messages, feeds the running turn, joins it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from unavoce.cli.turn import Turn
from unavoce.errors import EngineUnavailable, RequestError, StartError
from unavoce.remote.connection import Connection

Hear = Callable[[dict[str, Any]], None]
"""Takes a chunk that should be played now."""
Tell = Callable[[str], None]
"""Takes a line for the person at the terminal."""


class Link:
    """One session with one server, made on the event loop. `connect` first; `close` ends it in any case."""

    def __init__(self, url: str, api_key: str | None, hear: Hear, tell: Tell) -> None:
        self._hear = hear
        self._tell = tell
        self._session_id: str | None = None
        self._closing = False
        self.turn: Turn | None = None
        self._connection = Connection(url, api_key)
        self._connection.watch(self._connected, self._disconnected)
        self._listen()

    async def connect(self) -> None:
        """Raises StartError when no server answers, or it refuses."""
        try:
            await self._connection.connect()
        except EngineUnavailable as error:
            raise StartError(f"{error}; start one with `unavoce serve`, or name another with --url") from None
        except RequestError as error:
            remedy = "; here: --api-key KEY" if error.code == "unauthorised" else ""
            raise StartError(error.message + remedy) from None

    async def close(self) -> None:
        self._closing = True
        await self._connection.close()

    async def send(self, message: str) -> Turn:
        """Send `message`; the turn it begins fills itself. Raises RequestError when the server refuses."""
        self.turn = turn = Turn()
        request: dict[str, Any] = {"message": message, "format": "wav"}
        if self._session_id:
            request["sessionId"] = self._session_id
        answer = await self._call("chat:send", request)
        self._session_id, turn.reply_id = answer["sessionId"], answer["replyId"]
        return turn

    async def abort(self) -> None:
        """Stop the running turn here at once, and on the server."""
        if self.turn is None or self._session_id is None:
            return
        turn = self.turn
        turn.abort(time.monotonic())
        try:
            await self._call("chat:abort", {"sessionId": self._session_id, "replyId": turn.reply_id})
        except RequestError:
            turn.reason = turn.reason or "aborted"  # no word of its end will come
            raise

    async def _call(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._connection.call(event, payload)
        except EngineUnavailable as error:
            raise RequestError("disconnected", str(error)) from None

    def _listen(self) -> None:
        self._connection.on("engine:status", self._engine_status)
        self._on_turn("chat:token", lambda turn, data: turn.token(data))
        self._on_turn("chat:sentence", lambda turn, data: turn.sentence(data))
        self._on_turn("chat:audio_chunk", self._chunk)
        self._on_turn("chat:text_done", lambda turn, data: turn.text_done(data))
        self._on_turn("chat:error", lambda turn, data: turn.fault(data))
        self._on_turn("chat:done", lambda turn, data: turn.done(data))

    def _on_turn(self, event: str, take: Callable[[Turn, dict[str, Any]], None]) -> None:
        async def handler(data: dict[str, Any]) -> None:
            turn = self.turn
            if turn is None:
                return
            # A reply's first events may come before the acknowledgement that names it.
            if turn.reply_id is None:
                turn.reply_id = data.get("replyId")
            if data.get("replyId") == turn.reply_id:
                take(turn, data)

        self._connection.on(event, handler)

    def _chunk(self, turn: Turn, data: dict[str, Any]) -> None:
        if turn.chunk(data, time.monotonic()):
            self._hear(data)

    async def _connected(self) -> None:
        if self._session_id is None:
            return
        self._tell("connected again")
        turn = self.turn
        after = {turn.reply_id: turn.next_index - 1} if turn and turn.reply_id and not turn.reason else {}
        try:
            await self._call("chat:join", {"sessionId": self._session_id, "after": after})
        except RequestError as error:
            self._lost(error)

    def _lost(self, error: RequestError) -> None:
        """The server has forgotten the session (it was restarted): go on with a new one."""
        self._session_id = None
        self._tell(f"the conversation begins anew: {error.message}")
        if self.turn and self.turn.reason is None:
            self.turn.reason = "lost"

    def _disconnected(self) -> None:
        if not self._closing:
            self._tell("the connection is lost; trying again …")

    async def _engine_status(self, data: dict[str, Any]) -> None:
        if data.get("status") not in ("healthy", "unknown"):
            self._tell(f"engine {data.get('engine')} is {data.get('status')}: {data.get('reason')}")
