"""What every answer has: headers that keep a browser from harm, and an end even after a mistake of ours."""

from __future__ import annotations

import logging
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unavoce.server.limits.paths import is_page
from unavoce.server.limits.refusals import with_openais

log = logging.getLogger(__name__)

ALWAYS: Final = {"X-Content-Type-Options": "nosniff"}
BEYOND_THE_PAGE: Final = {
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of answers that are no files of the page, which bring what they need (web/site.py)."""
STARTS: Final = "http.response.start", "websocket.http.response.start"


class Answers:
    """ASGI middleware, the outermost. A header that an answer has already stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False
        wanted = ALWAYS if is_page(scope["path"]) else {**ALWAYS, **BEYOND_THE_PAGE}

        async def safely(message: Message) -> None:
            nonlocal began
            began = True
            if message["type"] in STARTS:
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, safely)
        except ClientDisconnect:
            pass  # it left before it had said everything
        except Exception:
            if began:
                raise  # the server underneath closes the connection, and logs why
            log.exception("request_crashed", extra={"path": scope["path"][:100]})
            await _apologise(scope, receive, safely)


async def _apologise(scope: Scope, receive: Receive, send: Send) -> None:
    error = {"code": "internal", "message": "the server made a mistake; its log says which"}
    await JSONResponse({"error": with_openais(error, scope, 500)}, 500)(scope, receive, send)
