"""`/docs` and `/openapi.json`: the document to people and to programs."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from unavoce.chat.client import Caller
from unavoce.server.http import Guard
from unavoce.web.site import SAFE, SAFE_DOCUMENT

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

CHALLENGE = 'Basic realm="unavoce", charset="UTF-8"'
VARIES = {"Vary": "Accept, Authorization"}


@dataclass(frozen=True, slots=True)
class _Written:
    """The document in both its forms."""

    json: bytes
    html: bytes


class Document:
    """Writes the document when it is first asked for: it is the same until the server stops."""

    def __init__(self, *, asks_for_key: bool, assets: str) -> None:
        """`assets`: where the page's files are, as seen from `/docs`."""
        self._asks_for_key = asks_for_key
        self._assets = assets
        self._written: _Written | None = None
        self._writing = asyncio.Lock()

    def routes(self, guard: Guard) -> list[BaseRoute]:
        """Both ask for a key, which may come as the password of Basic authentication too, as browsers send it."""
        routes = [guard.route("/docs", self._either), guard.route("/openapi.json", self._json)]
        for route in routes:
            route.app = with_password(route.app)
        return [*routes]

    async def _either(self, request: Request, caller: Caller) -> Response:
        if prefers_json(request.headers.get("accept", "")):
            return await self._json(request, caller)
        html = (await self._document()).html
        return Response(html, headers={**SAFE_DOCUMENT, **VARIES}, media_type="text/html")

    async def _json(self, _request: Request, _caller: Caller) -> Response:
        content = (await self._document()).json
        return Response(content, headers={**SAFE, **VARIES}, media_type="application/json")

    async def _document(self) -> _Written:
        async with self._writing:
            if self._written is None:
                self._written = await asyncio.to_thread(self._write)
            return self._written

    def _write(self) -> _Written:
        from unavoce.server.openapi.document import document  # noqa: PLC0415 - only where somebody asks
        from unavoce.server.openapi.html import page  # noqa: PLC0415 - likewise

        told = document(asks_for_key=self._asks_for_key)
        return _Written(json.dumps(told, ensure_ascii=False).encode(), page(told, self._assets).encode())


def prefers_json(accept: str) -> bool:
    """Whether JSON is named in `Accept` with more weight than HTML; a browser names HTML first (RFC 9110, 12.5.1)."""
    weights = {}
    for item in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in item.split(";"))
        weights[kind] = next((_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
    return weights.get("application/json", 0.0) > weights.get("text/html", 0.0)


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def with_password(app: App) -> App:
    """`app`, to which a key that comes as a password looks like any other; a refusal also says that it may come so."""

    async def door(scope: Message, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                MutableHeaders(scope=message).append("WWW-Authenticate", CHALLENGE)
            await send(message)

        headers = [(name, bearer(value) if name == b"authorization" else value) for name, value in scope["headers"]]
        await app({**scope, "headers": headers}, receive, told)

    return door


def bearer(authorization: bytes) -> bytes:
    """`Basic` credentials (RFC 7617) as `Bearer PASSWORD`; anything else as it is."""
    scheme, _, credentials = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return authorization
    try:
        name_and_password = base64.b64decode(credentials.strip(), validate=True)
    except binascii.Error:
        return authorization
    return b"Bearer " + name_and_password.partition(b":")[2]
