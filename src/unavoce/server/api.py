"""`/healthz` and `/api/`: how the server is, and what became of a reply."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller
from unavoce.errors import RequestError
from unavoce.server.cache_figures import CacheFigures
from unavoce.server.health import Health
from unavoce.server.http import HEADERS, Guard

LONGEST_ID = 100
"""Characters of an id that is looked for at all."""


class Api:
    """Answers about the server itself."""

    def __init__(self, health: Health, cache: CacheFigures, chat: Chat) -> None:
        self._health = health
        self._cache = cache
        self._chat = chat

    def routes(self, guard: Guard) -> list[BaseRoute]:
        return [
            Route("/healthz", self._alive),
            guard.route("/api/health", self._state),
            guard.route("/api/cache", self._kept),
            guard.route("/api/replies/{reply_id}/trace", self._trace),
        ]

    async def _alive(self, _: Request) -> Response:
        """Whether it is worth sending somebody here: not while the server is stopping."""
        if self._chat.stopping:
            return PlainTextResponse("stopping\n", 503, HEADERS[503])
        return PlainTextResponse("ok\n")

    async def _state(self, _request: Request, _caller: Caller) -> Response:
        report = await self._health.report()
        return JSONResponse(report, status_code=200 if self._health.speaks else 503)

    async def _kept(self, _request: Request, _caller: Caller) -> Response:
        return JSONResponse(await self._cache.document())

    async def _trace(self, request: Request, caller: Caller) -> Response:
        reply_id = request.path_params["reply_id"]
        if len(reply_id) > LONGEST_ID:
            raise RequestError("unknown_reply", "no reply has so long an id")
        return JSONResponse(self._chat.trace(caller.key, reply_id))
