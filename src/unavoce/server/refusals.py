"""What was refused, by door and code: counted for the metrics, at whichever room it was refused."""

from __future__ import annotations

from collections import Counter
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from unavoce.server.limits.paths import is_openais, is_sockets

MOST: Final = 256
"""Pairs of door and code that are counted apart; there are far fewer, since both come from the code."""
_WHERE: Final = "unavoce.refusals"


class Refusals:
    """Each door notes here what it refuses."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def note(self, door: str, code: str) -> None:
        """`door` refused something with `code` (docs/protocol.md)."""
        pair = (door, code)
        self.counts[pair if pair in self.counts or len(self.counts) < MOST else (door, "other")] += 1

    def counting(self, app: ASGIApp) -> ASGIApp:
        """`app`, any part of which may call `note_refusal`."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_WHERE] = self
            await app(scope, receive, send)

        return counted


def note_refusal(scope: Scope, code: str) -> None:
    """The request of `scope` is refused with `code`. Nothing where nobody counts."""
    refusals = scope.get(_WHERE)
    if isinstance(refusals, Refusals):
        refusals.note(_door(scope["path"]), code)


def _door(path: str) -> str:
    if is_openais(path):
        return "openai"
    return "socketio" if is_sockets(path) else "http"
