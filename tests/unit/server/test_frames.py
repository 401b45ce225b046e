"""What is kept away from the Socket.IO server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from unavoce.server.sockets.frames import FrameGuard, Message, Receive, Send

LEFT = {"type": "http.disconnect"}


async def passed_on(path: str, events: Sequence[Message]) -> list[Message] | None:
    """What the application behind the guard receives of these events; None where it is not called."""
    received: list[Message] | None = None
    coming = iter(events)

    async def app(_scope: Message, receive: Receive, _send: Send) -> None:
        nonlocal received
        received = [await receive() for _ in events]

    async def receive() -> Message:
        return next(coming)

    async def send(_: Message) -> None:
        raise AssertionError("nothing is to be said")

    scope: dict[str, Any] = {"type": "http", "path": path}
    await FrameGuard(app)(scope, receive, send)
    return received


@pytest.mark.parametrize("path", ["/socket.io/", "/socket.io"])
async def test_a_client_that_left_before_its_request_came_is_not_passed_on(path: str) -> None:
    """The library would take the missing request for an empty one, and crash on it."""
    assert await passed_on(path, [LEFT]) is None


async def test_a_request_is_passed_on_as_it_came() -> None:
    """All its events, in their order, the client's leaving among them."""
    events: list[Message] = [{"type": "http.request", "body": b"4", "more_body": True}, LEFT]
    assert await passed_on("/socket.io/", events) == events
    assert await passed_on("/elsewhere", [LEFT]) == [LEFT]
