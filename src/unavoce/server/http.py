"""Plain HTTP: who is let in, and how a refusal looks. The doors behind it bring their routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from unavoce.chat.client import Caller
from unavoce.errors import RequestError
from unavoce.server.auth import Keys
from unavoce.server.limits.addresses import address_of
from unavoce.server.refusals import note_refusal

STATUSES = {"unauthorised": 401, "unknown_reply": 404, "too_many": 429, "stopping": 503}
"""Of refusals, by their code; 400 for any other."""
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "5"}}
"""Of refusals, by their status. A server that is stopping has another in its place, or is back, within 5 s."""

Handler = Callable[[Request, Caller], Awaitable[Response]]


def web_app(routes: Sequence[BaseRoute]) -> Starlette:
    """The application of these routes."""
    return Starlette(routes=routes, exception_handlers={RequestError: _refused, Exception: _crashed})


class Guard:
    """Lets callers in: every route but `/healthz` and the page's files is made here."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def route(self, path: str, handler: Handler, methods: Sequence[str] = ("GET",)) -> Route:
        """A route whose handler is given the caller. Others get 401."""

        async def admitted(request: Request) -> Response:
            return await handler(request, self.admit(request))

        return Route(path, admitted, methods=methods, name=path)

    def admit(self, request: Request) -> Caller:
        """Who asks. Raises RequestError `unauthorised`."""
        key = self._keys.admit_bearer(request.headers.get("authorization", ""))
        return Caller(key, address_of(request.scope))


def _crashed(_: Request, __: Exception) -> Response:
    """The log says what happened; the caller must not learn it."""
    return _error(500, "internal", "the server made a mistake; its log says which")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 - it is registered for no other
    note_refusal(request.scope, error.code)
    status = STATUSES.get(error.code, 400)
    headers = HEADERS.get(status)
    return _error(status, error.code, error.message, headers)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
