"""The plain HTTP routes."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from unavoce.chat.chat import Chat
from unavoce.errors import RequestError
from unavoce.server.auth import Keys
from unavoce.server.cache_figures import CacheFigures
from unavoce.server.health import Health
from unavoce.web.site import Site

LONGEST_ID = 100
"""Characters of an id that is looked for at all."""
STATUSES = {"unauthorised": 401, "unknown_reply": 404}
"""Of refusals, by their code; 400 for any other."""


class Pages:
    """Answers plain HTTP. All but the page's files and `/healthz` ask for a key, where keys are set."""

    def __init__(self, site: Site, health: Health, cache: CacheFigures, chat: Chat, keys: Keys) -> None:
        self._site = site
        self._health = health
        self._chat = chat
        self._cache = cache
        self._keys = keys

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                *self._site.routes(),
                Route("/healthz", self._alive),
                Route("/api/health", self._state),
                Route("/api/cache", self._kept),
                Route("/api/replies/{reply_id}/trace", self._trace),
            ],
            exception_handlers={RequestError: _refused},
        )

    async def _alive(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _state(self, request: Request) -> Response:
        self._keys.admit_bearer(request.headers.get("authorization", ""))
        report = await self._health.report()
        return JSONResponse(report, status_code=200 if self._health.speaks else 503)

    async def _kept(self, request: Request) -> Response:
        self._keys.admit_bearer(request.headers.get("authorization", ""))
        return JSONResponse(await self._cache.document())

    async def _trace(self, request: Request) -> Response:
        key = self._keys.admit_bearer(request.headers.get("authorization", ""))
        reply_id = request.path_params["reply_id"]
        if len(reply_id) > LONGEST_ID:
            raise RequestError("unknown_reply", "no reply has so long an id")
        return JSONResponse(self._chat.trace(key, reply_id))


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 - it is registered for no other
    status = STATUSES.get(error.code, 400)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, status, headers)
