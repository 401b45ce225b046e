"""How a refusal looks, wherever it comes from but OpenAI's routes, which have a shape of their own."""

from __future__ import annotations

from unavoce.server.openapi.operation import TEXT, Answer, Content, Described, json_of


class Reason(Described):
    """Why."""

    code: str
    """One of the codes in docs/protocol.md; does not change."""
    message: str
    """For a person; may change."""


class Refusal(Described):
    """A request that was not done."""

    error: Reason


def refused(status: int, description: str, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    example = {"error": {"code": code, "message": message}}
    return Answer(status, description, json_of(Refusal, example), headers)


UNAUTHORISED = refused(
    401,
    "The server has keys, and none of them came.",
    "unauthorised",
    "an API key is needed: as auth {apiKey}, or as Authorization: Bearer",
    {"WWW-Authenticate": "How a key may come."},
)
PLAIN = {"text/plain": Content(TEXT)}
