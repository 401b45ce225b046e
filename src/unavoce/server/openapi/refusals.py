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
RETRY_AFTER = {"Retry-After": "Seconds."}
GATE = (
    refused(
        403,
        "A page of another origin asks.",
        "foreign_origin",
        "a page of another origin asked for this; the operator can allow it with UNAVOCE_CORS_ORIGINS",
    ),
    refused(413, "The body is too large.", "too_large", "the body is too large: at most 1048576 bytes are taken"),
    refused(
        421,
        "The server does not answer to that name.",
        "unknown_host",
        "this server does not answer to the name 'evil.example'; its operator can add it to UNAVOCE_ALLOWED_HOSTS",
    ),
    refused(
        429,
        "Too many requests come from that address, or too many replies of the caller are running.",
        "too_many",
        "too many requests from this address; try again in a moment",
        RETRY_AFTER,
    ),
    refused(
        431,
        "Path and headers are too large.",
        "too_large",
        "path and headers have 40000 bytes; at most 32768 are taken",
    ),
)
"""Whatever the route: `server/limits/` turns a request away before a door sees it."""
PLAIN = {"text/plain": Content(TEXT)}
