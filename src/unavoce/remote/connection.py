"""One Socket.IO connection to a server, which comes back by itself: events in, acknowledged events out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import socketio

from unavoce.errors import EngineUnavailable, RequestError, StartError

ACK_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 10.0

Answer = dict[str, Any]
Heard = Callable[[Answer], Awaitable[None]]
"""Takes the acknowledgement of an event, before any event that the server sent after it."""


def _http_session() -> Any:
    """Ours to close: python-socketio leaves its own one open when a connection fails."""
    try:
        import aiohttp  # noqa: PLC0415 - an extra, needed for this alone
    except ImportError:
        raise StartError("a client needs a package that is not installed: pip install 'unavoce[chat]'") from None
    return aiohttp.ClientSession()


class Connection:
    """Made on the event loop. `connect` first; `close` ends it in any case.

    Raises StartError when the client's package is not installed.
    """

    def __init__(self, url: str, api_key: str | None) -> None:
        self.url = url
        self._refusal: RequestError | None = None
        self.back = asyncio.Event()
        """Set while the connection stands."""
        self._auth = {"apiKey": api_key} if api_key else {}
        self._waiting: set[asyncio.Future[Answer]] = set()
        self._http = _http_session()
        self._io = socketio.AsyncClient(
            handle_sigint=False, http_session=self._http, reconnection_delay=0.5, reconnection_delay_max=5
        )
        self._io.on("connect", self.back.set)
        self._io.on("connect_error", self._refused)
        self._io.on("disconnect", self._lost)
        self._came: Callable[[], Awaitable[None]] | None = None
        self._went: Callable[[], None] | None = None

    def on(self, event: str, handler: Callable[[Any], Awaitable[None]]) -> None:
        """`handler` is called with each `event`, in the order of arrival."""
        self._io.on(event, handler)

    def watch(self, came: Callable[[], Awaitable[None]], went: Callable[[], None]) -> None:
        """`came` is called each time the connection stands, the first included, and `went` when it is lost."""
        self._came, self._went = came, went
        self._io.on("connect", self._stands)

    async def connect(self) -> None:
        """Raises EngineUnavailable when no server answers, RequestError with the code of one that refuses."""
        self._refusal = None
        try:
            await self._io.connect(self.url, auth=self._auth, transports=["websocket"], wait_timeout=CONNECT_TIMEOUT_S)
        except socketio.exceptions.ConnectionError as error:
            if self._refusal is not None:
                raise self._refusal from None
            raise EngineUnavailable(f"no unavoce server answers at {self.url} ({error})") from None

    async def call(self, event: str, payload: dict[str, Any], heard: Heard | None = None) -> Answer:
        """Send an event; its acknowledgement. `heard` is called with it, also when nobody waits for it any more.

        Raises EngineUnavailable when the connection is lost, or no answer comes; RequestError: what the server says.
        """
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.add(answered)
        try:
            await self.send(event, payload, answered, heard)
            async with asyncio.timeout(ACK_TIMEOUT_S):
                return checked(await answered)
        except TimeoutError:
            raise EngineUnavailable(f"the server did not answer within {ACK_TIMEOUT_S:.0f} s") from None
        finally:
            self._waiting.discard(answered)

    async def send(
        self,
        event: str,
        payload: dict[str, Any],
        answered: asyncio.Future[Answer] | None = None,
        heard: Heard | None = None,
    ) -> None:
        """Send an event without waiting for its acknowledgement. Raises EngineUnavailable when it is lost."""

        async def acknowledged(answer: Any = None, *_: Any) -> None:
            answer = answer if isinstance(answer, dict) else {}
            if answered is not None and not answered.done():
                answered.set_result(answer)
            if heard is not None:
                await heard(answer)

        try:
            await self._io.emit(event, payload, callback=acknowledged if answered or heard else None)
        except socketio.exceptions.SocketIOError:
            raise EngineUnavailable("not connected to the server just now") from None

    async def close(self) -> None:
        await self._io.shutdown()
        await self._http.close()

    async def _stands(self) -> None:
        self.back.set()
        if self._came is not None:
            await self._came()

    def _lost(self, _reason: str) -> None:
        self.back.clear()
        for answered in self._waiting:
            if not answered.done():
                answered.set_exception(EngineUnavailable("the connection to the server was lost"))
        if self._went is not None:
            self._went()

    def _refused(self, data: Any) -> None:
        """A server that is there and does not let us in says why; one that is not there is told by `connect`."""
        if isinstance(data, dict):
            more = data.get("data")
            code = str(more.get("code", ""))[:100] if isinstance(more, dict) else ""
            message = str(data.get("message", ""))[:1000]
            self._refusal = RequestError(code or "unauthorised", f"the server at {self.url} refused: {message}")


def checked(answer: Answer) -> Answer:
    """An acknowledgement that is one. Raises RequestError with what the server says where it refused."""
    if answer.get("ok"):
        return answer
    error = answer.get("error")
    if not isinstance(error, dict):
        raise RequestError("internal", "the server's answer is none; is it an unavoce server?")
    raise RequestError(str(error.get("code", "internal")), str(error.get("message", ""))[:1000])
