"""Refusals in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import JSONResponse

from unavoce.errors import RequestError
from unavoce.server.http import HEADERS, STATUSES
from unavoce.server.limits.refusals import openais_type


class SpeechRefused(RequestError):
    """A request that gets no sound. `param`: the field of the request that is at fault."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.param = param
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class _Known:
    """How a refusal of another room looks here."""

    status: int
    param: str | None = None
    code: str | None = None


_KNOWN: Final[Mapping[str, _Known]] = {
    "unauthorised": _Known(401, code="invalid_api_key"),
    "busy": _Known(429),
    "empty": _Known(400, "input"),
    "too_long": _Known(400, "input"),
    "unknown_voice": _Known(400, "voice"),
}


def answer_to(error: RequestError) -> JSONResponse:
    """The refusal as a response."""
    refused = error if isinstance(error, SpeechRefused) else _translated(error)
    return JSONResponse({"error": body_of(refused)}, refused.status, refused.headers)


def body_of(refused: SpeechRefused) -> dict[str, Any]:
    """What stands under `error`."""
    return {
        "message": refused.message,
        "type": openais_type(refused.status),
        "param": refused.param,
        "code": refused.code,
    }


def _translated(error: RequestError) -> SpeechRefused:
    known = _KNOWN.get(error.code) or _Known(STATUSES.get(error.code, 400))
    code = known.code or error.code
    return SpeechRefused(known.status, code, error.message, param=known.param, headers=HEADERS.get(known.status))
