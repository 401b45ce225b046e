"""The terminal's side of the Socket.IO connection: sends messages, feeds the running turn, joins it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import socketio

from unavoce.cli.turn import Turn
from unavoce.errors import RequestError, StartError

ACK_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 10

Hear = Callable[[dict[str, Any]], None]
"""Takes a chunk that should be played now."""
Tell = Callable[[str], None]
"""Takes a line for the person at the terminal."""


def _http_session() -> Any:
    """Ours to close: python-socketio leaves its own one open when a connection fails."""
    try:
        import aiohttp  # noqa: PLC0415 - an extra, needed for this alone
    except ImportError:
        raise StartError("chat needs a client that is not installed: pip install 'unavoce[chat]'") from None
    return aiohttp.ClientSession()


class Link:
    """One session with one server, made on the event loop. `connect` first; `close` ends it in any case."""

    def __init__(self, url: str, api_key: str | None, hear: Hear, tell: Tell) -> None:
        self._url = url
        self._auth = {"apiKey": api_key} if api_key else {}
        self._hear = hear
        self._tell = tell
        self._session_id: str | None = None
        self._closing = False
        self._refusal = ""
        self.turn: Turn | None = None
        self._http = _http_session()
        self._io = socketio.AsyncClient(
            handle_sigint=False, http_session=self._http, reconnection_delay=0.5, reconnection_delay_max=5
        )
        self._listen()

    async def connect(self) -> None:
        """Raises StartError when no server answers, or it refuses."""
        try:
            await self._io.connect(self._url, auth=self._auth, transports=["websocket"], wait_timeout=CONNECT_TIMEOUT_S)
        except socketio.exceptions.ConnectionError as error:
            raise StartError(self._why_not(error)) from None

    def _why_not(self, error: Exception) -> str:
        if self._refusal:
            return f"the server at {self._url} refused: {self._refusal}; here: --api-key KEY"
        return (
            f"no unavoce server answers at {self._url} ({error}); "
            "start one with `unavoce serve`, or name another with --url"
        )

    async def close(self) -> None:
        self._closing = True
        await self._io.shutdown()
        await self._http.close()

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
            answer: dict[str, Any] = await self._io.call(event, payload, timeout=ACK_TIMEOUT_S)
        except socketio.exceptions.TimeoutError:
            raise RequestError("no_answer", f"the server did not answer within {ACK_TIMEOUT_S:.0f} s") from None
        except socketio.exceptions.SocketIOError:
            raise RequestError("disconnected", "not connected to the server just now") from None
        if not answer.get("ok"):
            raise RequestError(answer["error"]["code"], answer["error"]["message"])
        return answer

    def _listen(self) -> None:
        self._io.on("connect", self._connected)
        self._io.on("connect_error", self._refused)
        self._io.on("disconnect", self._disconnected)
        self._io.on("engine:status", self._engine_status)
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

        self._io.on(event, handler)

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

    async def _refused(self, data: Any) -> None:
        """A server that is there and does not let us in says why; one that is not there is told by `connect`."""
        if isinstance(data, dict):
            self._refusal = str(data.get("message", ""))

    async def _disconnected(self, reason: str) -> None:
        if not self._closing:
            self._tell("the connection is lost; trying again …")

    async def _engine_status(self, data: dict[str, Any]) -> None:
        if data.get("status") not in ("healthy", "unknown"):
            self._tell(f"engine {data.get('engine')} is {data.get('status')}: {data.get('reason')}")
