"""The page, its parts, and this document, as `web/site.py` and `openapi/door.py` answer them."""

from __future__ import annotations

from unavoce.server.openapi.operation import TEXT, Answer, Content, Operation, Parameter
from unavoce.server.openapi.refusals import PLAIN, UNAUTHORISED
from unavoce.web.files import CONTENT_TYPES

HTML = {"text/html": Content(TEXT)}
FILES = {kind.partition(";")[0]: Content({} if kind == "application/json" else TEXT) for kind in CONTENT_TYPES.values()}
UNCHANGED = Answer(304, "The browser's copy is this one.", {})
COPY = Parameter("If-None-Match", "header", "The `ETag` of the browser's copy.", TEXT)


def _files(path: str, summary: str, description: str, example: str) -> Operation:
    answers = [Answer(200, "The file.", FILES), UNCHANGED, Answer(404, "There is no such file.", PLAIN)]
    name = Parameter("path", "path", "May hold slashes.", {**TEXT, "minLength": 1}, example, required=True)
    return Operation("get", path, "Page", summary, description, answers, [name, COPY], keys=())


OPERATIONS = (
    Operation(
        "get",
        "/",
        "Page",
        "The page",
        "A conversation in the browser. It talks to the server over Socket.IO (docs/protocol.md).",
        [Answer(200, "The page.", HTML), UNCHANGED, Answer(503, "Parts of it were not installed.", HTML)],
        [COPY],
        keys=(),
    ),
    _files("/assets/{path}", "The page's parts", "Under a digest of all, kept for a year.", "page/icon.svg"),
    _files(
        "/player/{path}",
        "The player",
        "The protocol's side of a browser, for any origin.",
        "unavoce-player.js",
    ),
    _files(
        "/vendor/{path}",
        "Libraries of the page",
        "What the player imports, for any origin.",
        "marked.esm.js",
    ),
    Operation(
        "get",
        "/docs",
        "This document",
        "This document, for people",
        "The document itself where `Accept` prefers `application/json`. A browser may send the key as the password of"
        " Basic authentication, with any name.",
        [
            Answer(200, "The document.", {**HTML, "application/json": Content({"type": "object"})}),
            UNAUTHORISED,
        ],
        keys=("bearer", "basic"),
    ),
    Operation(
        "get",
        "/openapi.json",
        "This document",
        "This document, for programs",
        "OpenAPI 3.1. The key may come as for `/docs`.",
        [Answer(200, "The document.", {"application/json": Content({"type": "object"})}), UNAUTHORISED],
        keys=("bearer", "basic"),
    ),
)
