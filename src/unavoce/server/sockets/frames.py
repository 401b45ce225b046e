"""Keeps what is not Engine.IO away from the Socket.IO server, which would crash on it and forget the connection."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_FRAME = re.compile(r"4[0-6]|[1-356].{0,10}\Z", re.DOTALL)
"""A Socket.IO packet, or a short control frame: close, ping, pong, upgrade, noop (Engine.IO protocol 4)."""


PATH = "/socket.io"


class FrameGuard:
    """ASGI middleware: a WebSocket that sends anything else ends as if its client had left, and a request whose client
    has left before it came is none."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._app(scope, _guarded(receive), send)
        elif scope["type"] == "http" and scope["path"].startswith(PATH):
            first = await receive()
            if first["type"] == "http.request":
                await self._app(scope, _again(first, receive), send)
        else:
            await self._app(scope, receive, send)


def _again(first: Message, receive: Receive) -> Receive:
    """`receive` as it was before `first` came."""
    waiting = [first]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _guarded(receive: Receive) -> Receive:
    async def guarded() -> Message:
        message = await receive()
        text = message.get("text")
        if message["type"] == "websocket.receive" and text is not None and not _FRAME.match(text):
            return {"type": "websocket.disconnect", "code": 1002}  # 1002: protocol error (RFC 6455)
        return message

    return guarded
