"""Socket.IO's transports: how many there may be, how long one may keep silent about who it is, how fast it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unavoce.server.limits.addresses import address_of, group
from unavoce.server.limits.buckets import Buckets
from unavoce.server.limits.paths import is_sockets
from unavoce.server.limits.places import Places
from unavoce.server.limits.refusals import Refusal, refuse

ABORT: Final = "unavoce.abort"
"""ASGI extension of a WebSocket: a function that ends its connection at once, whatever waits to be sent."""

Abort = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Quotas:
    places: Places = field(default_factory=lambda: Places(512, 128))
    rate_hz: float = 1_000.0
    """Packets of one address a second, on average."""
    handshake_timeout_s: float = 10.0


@dataclass(slots=True)
class _Transport:
    address: str
    abort: Abort | None
    deadline: asyncio.TimerHandle | None = None
    refused: bool = False


class Transports:
    """Watches over the sessions of an Engine.IO server. `tasks` owns what ends them."""

    def __init__(self, engine: Any, tasks: asyncio.TaskGroup, quotas: Quotas) -> None:
        self._engine = engine
        self._tasks = tasks
        self._places = quotas.places
        self._limit_s = quotas.handshake_timeout_s
        self._buckets = Buckets(quotas.rate_hz)
        self._open: dict[str, _Transport] = {}
        self._opened = engine.handlers["connect"]
        self._closed = engine.handlers["disconnect"]
        engine.on("connect", self._connect)
        engine.on("disconnect", self._disconnect)

    @property
    def count(self) -> int:
        """Transports that are open, whether or not they have said who they are."""
        return len(self._open)

    def guarding(self, app: ASGIApp) -> ASGIApp:
        """`app`, where new transports are asked for, with these limits."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if not is_sockets(scope["path"]):
                await app(scope, receive, send)
                return
            sid = parse_qs(scope["query_string"].decode("latin-1")).get("sid", [""])[0]
            if not sid and not self._places.free_for(address_of(scope)):
                message = "too many connections are open, from this address or in all; try again in a moment"
                await refuse(Refusal(429, "too_many", message, self._limit_s), scope, receive, send)
                return
            if scope["type"] == "websocket":
                receive = self._paced(receive, group(address_of(scope)))
                if sid in self._open:  # it began with long polling
                    self._open[sid].abort = _abort_of(scope)
            await app(scope, receive, send)

        return guarded

    def joined(self, sid: str) -> None:
        """The transport has said who it is."""
        self._forget_deadline(sid)

    def refused(self, sid: str) -> None:
        """It did not say the right thing. Once is a mistake; twice is guessing."""
        if (transport := self._open.get(sid)) is not None:
            if transport.refused:
                self._tasks.create_task(self.cut(sid))
            transport.refused = True

    def left(self, sid: str) -> None:
        """It said goodbye, and is still connected: as at its beginning."""
        self._set_deadline(sid)

    async def cut(self, sid: str) -> None:
        """End the transport at once; what waits to be sent is lost."""
        transport = self._open.get(sid)
        abort = transport.abort if transport else None
        if abort is not None:
            abort()
        if (connection := self._engine.sockets.get(sid)) is not None:
            # Over long polling a poll may be waiting, and ends with the farewell that nobody waits for here.
            await connection.close(wait=False, abort=abort is not None)

    # -- what the Engine.IO server tells

    async def _connect(self, sid: str, environ: dict[str, Any]) -> Any:
        scope = environ["asgi.scope"]
        if not self._places.take(address_of(scope)):
            return "too many connections"
        self._open[sid] = _Transport(address_of(scope), _abort_of(scope))
        self._set_deadline(sid)
        return await self._opened(sid, environ)

    async def _disconnect(self, sid: str, reason: Any) -> Any:
        self._forget_deadline(sid)
        if (transport := self._open.pop(sid, None)) is not None:
            self._places.give_back(transport.address)
        return await self._closed(sid, reason)

    # -- silence and noise

    def _set_deadline(self, sid: str) -> None:
        self._forget_deadline(sid)
        if (transport := self._open.get(sid)) is not None:
            late: Callable[[], object] = lambda: self._tasks.create_task(self.cut(sid))  # noqa: E731 - a name says why
            transport.deadline = asyncio.get_running_loop().call_later(self._limit_s, late)

    def _forget_deadline(self, sid: str) -> None:
        transport = self._open.get(sid)
        if transport is not None and transport.deadline is not None:
            transport.deadline.cancel()
            transport.deadline = None

    def _paced(self, receive: Receive, caller: str) -> Receive:
        """Nothing is lost of what comes too fast: it waits, and in the end the sender does."""

        async def paced() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and (wait_s := self._buckets.owe(caller)):
                await asyncio.sleep(wait_s)
            return message

        return paced

    def close(self) -> None:
        for sid in self._open:
            self._forget_deadline(sid)


def _abort_of(scope: Scope) -> Abort | None:
    found: Abort | None = scope.get("extensions", {}).get(ABORT)
    return found
