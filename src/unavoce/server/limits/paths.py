"""Which paths are whose."""

from __future__ import annotations

from typing import Final

SOCKETS: Final = "/socket.io"
OPENAIS: Final = "/v1/"
HEALTHZ: Final = "/healthz"
_FILES: Final = "/assets/", "/player/", "/vendor/"
_SHARED: Final = "/player/", "/vendor/"


def is_page(path: str) -> bool:
    """The page's files: they need no key, and bring their own headers."""
    return path == "/" or path.startswith(_FILES)


def is_shared(path: str) -> bool:
    """Files that pages of any origin may import."""
    return path.startswith(_SHARED)


def is_free(path: str) -> bool:
    """What may be asked for by anybody and by any page, since it tells nothing and costs nothing."""
    return is_page(path) or path == HEALTHZ


def is_openais(path: str) -> bool:
    """Its callers expect OpenAI's fields in an error."""
    return path.startswith(OPENAIS)


def is_sockets(path: str) -> bool:
    return path == SOCKETS or path.startswith(SOCKETS + "/")
