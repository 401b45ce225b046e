"""How a request is turned away before anybody has looked at it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from unavoce.server.limits.paths import is_openais
from unavoce.server.refusals import note_refusal

ErrorType = Literal["invalid_request_error", "rate_limit_error", "server_error"]


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
    error = with_openais({"code": refusal.code, "message": refusal.message}, scope, refusal.status)
    wait_s = refusal.retry_after_s
    headers = {} if wait_s is None else {"Retry-After": str(max(1, math.ceil(wait_s)))}
    await JSONResponse({"error": error}, refusal.status, headers)(scope, receive, send)


def with_openais(error: dict[str, str], scope: Scope, status: int) -> dict[str, str | None]:
    """`error`, with OpenAI's fields where the caller expects them."""
    return {**error, "type": openais_type(status), "param": None} if is_openais(scope["path"]) else {**error}


def openais_type(status: int) -> ErrorType:
    """What OpenAI calls an error of this status."""
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"
