"""Engine.IO frames over a bare WebSocket, as they are: for what no proper client would send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import websockets
from tests.support.server import PATIENCE_S
from websockets.asyncio.client import ClientConnection, connect

PATH = "/socket.io/?EIO=4&transport=websocket"


@dataclass(eq=False)
class RawClient:
    """One WebSocket. Pings are answered; events and acknowledgements are kept, binary attachments left out."""

    socket: ClientConnection
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    acknowledged: dict[int, Any] = field(default_factory=dict)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _next_id: int = 1_000_000

    async def read(self) -> None:
        """Take frames until the connection ends."""
        try:
            async for frame in self.socket:
                if frame == "2":
                    await self.socket.send("3")
                elif isinstance(frame, str):
                    self._take(frame)
                self._news.set()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.closed.set()
            self._news.set()

    def _take(self, frame: str) -> None:
        kind, body = frame[:2], frame[2:]
        if kind == "45":
            kind, body = "42", body.partition("-")[2]
        number = body[: len(body) - len(body.lstrip("0123456789"))]
        if kind == "43":
            (self.acknowledged[int(number)],) = json.loads(body[len(number) :])
        elif kind == "42":
            name, payload = json.loads(body)
            self.events.append((name, payload))

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def event(self, name: Any, *data: Any) -> None:
        """An event without an acknowledgement."""
        await self.socket.send("42" + json.dumps([name, *data]))

    async def call(self, name: Any, *data: Any) -> Any:
        """An event; its acknowledgement."""
        return await self.call_frame(json.dumps([name, *data]))

    async def call_frame(self, data: str) -> Any:
        """`data`, JSON or not, as an event that asks for an acknowledgement; that."""
        self._next_id += 1
        number = self._next_id
        await self.socket.send(f"42{number}{data}")
        await self.until(lambda: number in self.acknowledged or self.closed.is_set())
        return self.acknowledged[number]


@asynccontextmanager
async def bare_socket(url: str) -> AsyncIterator[ClientConnection]:
    """A WebSocket to the Engine.IO door; nothing was said yet."""
    async with connect(url.replace("http", "ws") + PATH, max_size=None, ping_interval=None) as socket:
        yield socket


@asynccontextmanager
async def raw_client(url: str) -> AsyncIterator[RawClient]:
    """Connected to the default namespace."""
    async with bare_socket(url) as socket:
        assert str(await socket.recv()).startswith("0{")
        await socket.send("40")
        assert str(await socket.recv()).startswith("40{")
        client = RawClient(socket)
        reading = asyncio.create_task(client.read())
        try:
            yield client
        finally:
            await socket.close()
            await reading
