"""uvicorn's protocols with patience that ends: it has time-outs for idle connections only, and no places."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from unavoce.server.limits.places import Places
from unavoce.server.limits.transports import ABORT

LOOKS: Final = 4
"""Looks at a connection within a limit of time."""
MAX_FRAGMENTS: Final = 1_024
"""Frames of one WebSocket message. Empty ones add nothing to its size, and could come for ever."""
TURNED_AWAY: Final = 64
"""Connections beyond the limit that are told so; more are cut without a word."""


def _answer(status: str, code: str, message: str, *headers: str) -> bytes:
    """A whole answer, for when no application can give one. With OpenAI's fields: which door it was for is unknown."""
    body = json.dumps({"error": {"code": code, "message": message, "type": "invalid_request_error", "param": None}})
    named = ("Content-Type: application/json", "Cache-Control: no-store", "X-Content-Type-Options: nosniff", *headers)
    lines = (f"HTTP/1.1 {status}", *named, "Connection: close", f"Content-Length: {len(body)}", "", body)
    return "\r\n".join(lines).encode()


TOO_MANY: Final = _answer(
    "503 Service Unavailable", "too_many", "too many connections are open; try again in a moment", "Retry-After: 10"
)
BROKEN: Final = _answer("400 Bad Request", "invalid", "this is no HTTP request, or its body is broken")
TOO_LATE: Final = _answer("408 Request Timeout", "too_slow", "the request did not come whole in time")

_quiet = logging.getLogger("uvicorn.error.websocket")
_quiet.setLevel(logging.WARNING)
_quiet.addFilter(lambda record: not record.exc_info or record.exc_info[0] is not UnicodeDecodeError)
"""Bytes from a stranger that are no text end the connection, and are no crash of ours."""
_crashes = logging.getLogger("uvicorn.error.http")
_crashes.setLevel(logging.ERROR)
"""Not of bytes that are no HTTP: a line for each, and strangers could fill the log."""


@dataclass(slots=True)
class Patience:
    """What all connections of one server share."""

    places: Places
    request_timeout_s: float
    send_timeout_s: float
    turned_away: set[object] = field(default_factory=set)

    @property
    def look_s(self) -> float:
        return min(self.request_timeout_s, self.send_timeout_s) / LOOKS


class _Watch:
    """Looks at one connection from time to time, and ends it when it has kept us waiting for too long."""

    def __init__(self, patience: Patience, transport: asyncio.Transport, give_up: Callable[[], None]) -> None:
        self._patience = patience
        self._transport = transport
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self.asked_since_s: float | None = self._loop.time()
        """Since when a request is on its way and not whole."""
        self._behind_since_s: float | None = None
        """Since when the client does not take what it was sent."""
        self._next = self._loop.call_later(patience.look_s, self._look)

    def end(self) -> None:
        self._next.cancel()

    def asking(self, *, is_asking: bool) -> None:
        if not is_asking:
            self.asked_since_s = None
        elif self.asked_since_s is None:
            self.asked_since_s = self._loop.time()

    def behind(self, *, is_behind: bool) -> None:
        self._behind_since_s = self._loop.time() if is_behind else None

    def _look(self) -> None:
        now_s, patience = self._loop.time(), self._patience
        self._next = self._loop.call_later(patience.look_s, self._look)
        if self._transport.is_closing() and self._behind_since_s is None:
            self._behind_since_s = now_s  # it closes when everything is sent, which may be never
        if self._behind_since_s is not None and now_s - self._behind_since_s >= patience.send_timeout_s:
            self._transport.abort()
        elif self.asked_since_s is not None and now_s - self.asked_since_s >= patience.request_timeout_s:
            self.asked_since_s = None
            self._give_up()


class _Watched(asyncio.Protocol):
    """A connection that is looked at. `patience` stands in the class that `patient` makes of it."""

    patience: Patience
    _watch: _Watch | None = None
    _peer = ""

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._watch is not None:
            self._watch.behind(is_behind=True)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._watch is not None:
            self._watch.behind(is_behind=False)


class HttpProtocol(_Watched, H11Protocol):
    """One connection over HTTP."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.logger = _crashes
        self._peer = self.client[0] if self.client else ""
        if self.patience.places.take(self._peer):
            self._watch = _Watch(self.patience, self.transport, self._too_late)
        elif len(self.patience.turned_away) < TURNED_AWAY:
            self.patience.turned_away.add(self)
            self._watch = _Watch(self.patience, self.transport, self.transport.abort)
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self in self.patience.turned_away:
            self.transport.write(TOO_MANY)
            self.transport.close()
            return
        super().data_received(data)
        if self._watch is not None:
            self._watch.asking(is_asking=self.conn.their_state in (h11.IDLE, h11.SEND_BODY))

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._let_go()  # the place is the WebSocket's in the same instant
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """uvicorn's own would put it into the middle of another answer, have another begun after it, or crash."""
        if self.cycle is not None:
            self.cycle.disconnected = True  # whoever is about to answer says it to nobody
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(BROKEN)
        self.transport.close()

    def _let_go(self) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None
            if self not in self.patience.turned_away:
                self.patience.places.give_back(self._peer)
        self.patience.turned_away.discard(self)

    def shutdown(self) -> None:
        try:
            super().shutdown()
        except h11.LocalProtocolError:  # it was no request, and its answer is still on the way
            self.transport.close()

    def _too_late(self) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):  # no answer has begun
            self.transport.write(TOO_LATE)
        self.transport.close()


class WebSocketProtocol(_Watched, WebSocketsSansIOProtocol):
    """One WebSocket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # At the level "debug" they would log every header and frame: keys, and what people say.
        self.logger = _quiet
        self.conn.debug = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        if self.patience.places.take(self._peer):
            self._watch = _Watch(self.patience, self.transport, self.transport.abort)
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None
            self.patience.places.give_back(self._peer)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        try:
            super().shutdown()
        except InvalidState:  # the client is closing it at this moment; it must not take the server with it
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if len(self.frames) > MAX_FRAGMENTS:
            self.transport.abort()
        if self._watch is not None:
            # A message that has begun is to come whole as well.
            self._watch.asking(is_asking=bool(self.frames) or not self.handshake_initiated)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast(dict[str, Any], self.scope["extensions"])[ABORT] = self.transport.abort

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:  # pongs for somebody who reads nothing would pile up here
            self.conn.data_to_send()


def patient(patience: Patience) -> tuple[type[HttpProtocol], type[WebSocketProtocol]]:
    """The protocol classes of one server."""
    http = type("PatientHttp", (HttpProtocol,), {"patience": patience})
    return http, type("PatientWebSocket", (WebSocketProtocol,), {"patience": patience})
