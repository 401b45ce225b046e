"""The plain HTTP routes."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

GREETING = "unavoce is listening. Talk to it over Socket.IO on this address, or with: unavoce chat\n"


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _greeting(_: Request) -> Response:
    return PlainTextResponse(GREETING)


def http_app() -> Starlette:
    return Starlette(routes=[Route("/", _greeting), Route("/healthz", _healthz)])
