"""How a request is turned away before anybody has looked at it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from unavoce.server.refusals import note_refusal

OPENAIS = "/v1/"
"""Paths whose callers expect OpenAI's fields in an error."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is one of docs/protocol.md."""

    status: int
    code: str
    message: str
    retry_after_s: float | None = None


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or a WebSocket that is asked for.

    The connection stays: closed at once, it would be reset while a body is on its way, and the answer lost with it.
    What still comes is thrown away, and is to be whole in the time of any request (protocols.py).
    """
    note_refusal(scope, refusal.code)
    kind = "rate_limit_error" if refusal.status == 429 else "invalid_request_error"
    error = with_openais({"code": refusal.code, "message": refusal.message}, scope, kind)
    wait_s = refusal.retry_after_s
    headers = {} if wait_s is None else {"Retry-After": str(max(1, math.ceil(wait_s)))}
    await JSONResponse({"error": error}, refusal.status, headers)(scope, receive, send)


def with_openais(error: dict[str, str], scope: Scope, kind: str) -> dict[str, str | None]:
    """`error`, with OpenAI's fields where the caller expects them."""
    return {**error, "type": kind, "param": None} if scope["path"].startswith(OPENAIS) else {**error}
