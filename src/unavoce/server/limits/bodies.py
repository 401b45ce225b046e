"""How large a request may be: its head and its body."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unavoce.server.limits.refusals import Refusal, refuse

MAX_HEAD_BYTES: Final = 32_768
"""Path and headers together; 431 beyond. A head that comes in several parts is cut off at 16 KiB by h11."""


def check_head(scope: Scope) -> Refusal | None:
    size = len(scope["raw_path"] or b"") + len(scope["query_string"])
    size += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if size <= MAX_HEAD_BYTES:
        return None
    return Refusal(431, "too_large", f"path and headers have {size} bytes; at most {MAX_HEAD_BYTES} are taken")


class Bodies:
    """ASGI middleware: a body of more than `limit` bytes is answered with 413, and not read on."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _announced(scope) > self._limit:
            await refuse(self._refusal, scope, receive, send)
        else:
            await self._counted(scope, receive, send)

    @property
    def _refusal(self) -> Refusal:
        return Refusal(413, "too_large", f"the body is too large: at most {self._limit} bytes are taken")

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive, send, self._limit)
        try:
            await self._app(scope, body.receive, body.send)
        except Exception:
            if not body.exceeded:
                raise
        if body.exceeded and not body.answered:
            await refuse(self._refusal, scope, receive, send)


class _Body:
    """Between an application and its request: when the body exceeds the limit, the client seems to have left."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._left = limit
        self.exceeded = False
        self.answered = False

    async def receive(self) -> Message:
        if self.exceeded:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.exceeded = True
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if self.exceeded and not self.answered:
            return  # what an application says to someone who has left
        self.answered = True
        await self._send(message)


def _announced(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0
