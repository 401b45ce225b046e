"""WebDriver BiDi: commands to a browser and events from it, over a websocket.

Source: https://w3c.github.io/webdriver-bidi/
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.sound import PATIENCE_S
from websockets.asyncio.client import ClientConnection, connect

Fields = dict[str, Any]


class BidiError(Exception):
    """A command was refused, or a script in the page threw."""


@dataclass(slots=True, eq=False)
class Bidi:
    """Commands out, answers and events in. `listeners` are called with each event of theirs."""

    socket: ClientConnection
    listeners: dict[str, list[Callable[[Fields], None]]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=count)
    _answers: dict[int, asyncio.Future[Fields]] = field(default_factory=dict)

    async def call(self, method: str, **params: Any) -> Fields:
        """A command's result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(PATIENCE_S):
            return await answer

    def on(self, event: str, listener: Callable[[Fields], None]) -> None:
        self.listeners.setdefault(event, []).append(listener)

    async def read(self) -> None:
        """Takes what comes, until the connection ends."""
        async for text in self.socket:
            message = json.loads(text)
            if message["type"] == "event":
                for listener in self.listeners.get(message["method"], ()):
                    listener(message["params"])
            elif (answer := self._answers.pop(message["id"], None)) and not answer.done():
                _settle(answer, message)


def _settle(answer: asyncio.Future[Fields], message: Fields) -> None:
    if message["type"] == "success":
        answer.set_result(message["result"])
    else:
        answer.set_exception(BidiError(f"{message['error']}: {message['message']}"))


@asynccontextmanager
async def bidi_session(url: str, *events: str) -> AsyncIterator[Bidi]:
    """A session that hears of these events."""
    # A proxy of the environment is not for this address, and what a page played is a large message.
    async with connect(url, max_size=None, proxy=None) as socket:
        bidi = Bidi(socket)
        reading = asyncio.create_task(bidi.read())
        await bidi.call("session.new", capabilities={})
        await bidi.call("session.subscribe", events=list(events))
        yield bidi
    await reading


def plain(value: Fields) -> Any:
    """What a script gave back, as Python has it."""
    match value["type"]:
        case "undefined" | "null":
            return None
        case "array":
            return [plain(one) for one in value["value"]]
        case "object":
            return {name: plain(one) for name, one in value["value"]}
        case _:
            return value["value"]


def remote(value: str | int) -> Fields:
    """An argument for a script."""
    return {"type": "string" if isinstance(value, str) else "number", "value": value}
