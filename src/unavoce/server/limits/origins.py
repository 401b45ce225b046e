"""What pages of other origins may cause. A browser sends simple requests without asking, whatever it may read of the
answers: those that cost something are refused (docs/security.md)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from unavoce.server.limits.paths import is_free, is_sockets
from unavoce.server.limits.refusals import Refusal

DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


class Origins:
    """`allowed`: `UNAVOCE_CORS_ORIGINS`."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = frozenset(allowed)

    def check(self, scope: Scope) -> Refusal | None:
        if is_free(scope["path"]) or scope.get("method") == "OPTIONS":  # a preflight asks; CORS answers it
            return None
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if self._welcome(origin, headers) if origin is not None else _is_own_wish(scope["path"], headers):
            return None
        message = "a page of another origin asked for this; the operator can allow it with UNAVOCE_CORS_ORIGINS"
        return Refusal(403, "foreign_origin", message)

    def _welcome(self, origin: str, headers: Headers) -> bool:
        return "*" in self._allowed or origin.lower() in self._allowed or is_same(origin, headers.get("host", ""))


def is_same(origin: str, host: str) -> bool:
    """Whether `origin` is the one that `host` (the header) names.

    The scheme is not compared: behind a proxy that ends TLS it differs, and http's origin on the same name and port
    is in the hands of the same people.
    """
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    default = ":" + DEFAULT_PORTS.get(parts.scheme, "")
    return bool(parts.netloc) and parts.netloc.removesuffix(default) == host.lower().removesuffix(default)


def _is_own_wish(path: str, headers: Headers) -> bool:
    """False for an image, a script, a frame or a fetch in the mode `no-cors` of another page: they carry no origin.

    Following a link is a person's wish, but no link leads to Socket.IO.
    """
    if headers.get("sec-fetch-site") not in ("cross-site", "same-site"):
        return True
    is_link = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return is_link and not is_sockets(path)
