"""How a refusal looks over HTTP, and who is told of it."""

from __future__ import annotations

import httpx
from starlette.requests import Request
from starlette.responses import Response

from unavoce.chat.client import Caller
from unavoce.errors import RequestError
from unavoce.server.auth import Keys
from unavoce.server.http import Guard, web_app
from unavoce.server.refusals import MOST, Refusals


async def _refuse(request: Request, _: Caller) -> Response:
    raise RequestError(request.path_params["code"], "as asked for")


async def test_a_server_that_stops_says_when_to_come_again() -> None:
    """`stopping` is 503 with Retry-After, in the shape of every refusal, and is counted at its door."""
    refusals = Refusals()
    transport = httpx.ASGITransport(refusals.counting(web_app([Guard(Keys()).route("/{code}", _refuse)])))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.get("/stopping")
        await client.get("/invalid")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
    assert int(answer.headers["retry-after"]) > 0
    assert refusals.counts == {("http", "stopping"): 1, ("http", "invalid"): 1}


def test_the_pairs_that_are_counted_apart_are_bounded() -> None:
    """Whatever codes came, the rest is counted together."""
    refusals = Refusals()
    for number in range(2 * MOST):
        refusals.note("http", f"code_{number}")
    refusals.note("http", "code_0")
    assert len(refusals.counts) == MOST + 1
    assert (refusals.counts["http", "code_0"], refusals.counts["http", "other"]) == (2, MOST)
