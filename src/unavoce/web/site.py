"""The page over HTTP: which path is which file, who may keep it for how long, and what a browser may do with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from unavoce.web import files, modules
from unavoce.web.files import File

INDEX = "page/index.html"
BUILT = "vendor/socket.io.esm.min.js", "vendor/marked.esm.js"
"""Not in a copy of the source: hatch_build.py fetches them when unavoce is installed."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",  # Socket.IO's WebSocket too: it is the same origin (CSP 3, 6.7.2.8)
        "img-src 'self'",
        "font-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SAFE: Final = {"X-Content-Type-Options": "nosniff"}
SAFE_DOCUMENT: Final = {
    **SAFE,
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "autoplay=(self), camera=(), geolocation=(), microphone=()",
}
"""What a browser heeds of a document. On sixty scripts and styles it would be a third of the first load."""
PARTS_OF_ONE: Final = "text/javascript", "text/css"
OURS: Final = {"Cross-Origin-Resource-Policy": "same-origin"}
EVERYBODYS: Final = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
"""The player and the libraries are public, and may be imported by pages of any origin. Who may talk to this server is
another matter: Socket.IO asks `cors_origins`."""
CHECKED: Final = "no-cache"
"""May be kept, and is asked for again each time: mostly 304."""
KEPT: Final = "public, max-age=31536000, immutable"

_ASSET = re.compile(r"/assets/([0-9a-f]{16})/(.+)")
_INCOMPLETE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>unavoce</title>
<h1>The page is not complete</h1>
<p>The server is running and speaks (try: <code>unavoce chat</code>), but this is missing: {missing}.</p>
<p>In a copy of the source, <code>make serve</code> fetches it, or <code>.venv/bin/python hatch_build.py</code> alone;
then start the server again. Elsewhere, install unavoce anew.</p></html>
"""


class Site:
    """Answers for the page's files. A path is only ever looked up; nothing is read from disk when somebody asks."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.missing = tuple(name for name in (INDEX, *BUILT) if name not in contents)
        self.digest = files.digest(contents)
        self._files = {name: files.prepared(name, content) for name, content in contents.items()}
        self._index = files.prepared(INDEX, self._front(contents))

    @classmethod
    def load(cls, folder: Path = files.FOLDER) -> Site:
        """The files of this installation. Blocks while it reads and compresses them."""
        return cls(files.read(folder))

    def routes(self) -> list[Route]:
        """Every path that is the page's. None asks for a key."""
        paths = "/", "/assets/{rest:path}", "/player/{rest:path}", "/vendor/{rest:path}"
        return [Route(path, self._answer) for path in paths]

    def _front(self, contents: Mapping[str, bytes]) -> bytes:
        """`index.html` with links to all its modules, and with the digest in the addresses of what it loads."""
        if self.missing:
            return _INCOMPLETE.format(missing=", ".join(self.missing)).encode()
        scripts = [name for name in modules.loaded(INDEX, contents) if name.endswith(".js")]
        links = "".join(f'<link rel="modulepreload" href="assets/{name}">' for name in scripts)
        front = contents[INDEX].replace(b"</head>", links.encode() + b"</head>", 1)
        return front.replace(b'"assets/', f'"assets/{self.digest}/'.encode())

    async def _answer(self, request: Request) -> Response:
        path: str = request.scope["path"]
        if path == "/":
            return _sent(request, self._index, {"Cache-Control": CHECKED, **OURS}, 503 if self.missing else 200)
        if asset := _ASSET.fullmatch(path):
            # A page that was loaded before the server was renewed gets what is there now, and may not keep it.
            keep = KEPT if asset[1] == self.digest else CHECKED
            return self._found(request, asset[2], {"Cache-Control": keep, **OURS})
        is_public = path.startswith(("/player/", "/vendor/"))
        return self._found(request, path[1:] if is_public else "", {"Cache-Control": CHECKED, **EVERYBODYS})

    def _found(self, request: Request, name: str, headers: Mapping[str, str]) -> Response:
        if (file := self._files.get(name)) is None:
            return PlainTextResponse("There is no such file.\n", 404, SAFE_DOCUMENT)
        return _sent(request, file, headers)


def _sent(request: Request, file: File, headers: Mapping[str, str], status: int = 200) -> Response:
    varied = {"Vary": "Accept-Encoding"} if file.gzipped else {}
    safe = SAFE if file.content_type.startswith(PARTS_OF_ONE) else SAFE_DOCUMENT
    headers = {**safe, **headers, **varied, "ETag": file.etag}
    if status == 200 and _has(request.headers.get("if-none-match", ""), file.etag):
        return Response(status_code=304, headers=headers)
    if file.gzipped and _takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(file.gzipped, status, {**headers, "Content-Encoding": "gzip"}, file.content_type)
    return Response(file.content, status, headers, file.content_type)


def _has(if_none_match: str, etag: str) -> bool:
    """Whether the browser's copy is this one: compared weakly (RFC 9110, 13.1.2)."""
    offered = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return bool(offered & {"*", etag.removeprefix("W/")})


def _takes_gzip(accept_encoding: str) -> bool:
    """Whether gzip is named, or everything is, with a weight other than zero (RFC 9110, 12.5.3)."""
    weights = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameter = item.partition(";")
        weights[coding.strip()] = parameter.replace(" ", "").removeprefix("q=") or "1"
    return bool(weights.get("gzip", weights.get("*", "0")).strip("0."))
