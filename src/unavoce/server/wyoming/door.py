"""Listening for Wyoming clients: who is let in, how many, and the end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller
from unavoce.errors import REMEDY, RequestError, StartError
from unavoce.server.wyoming.admission import Admission
from unavoce.server.wyoming.connection import Connection, House
from unavoce.server.wyoming.frames import HEADER_BYTES, Bounds
from unavoce.settings import Settings

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
MAX_CONNECTIONS_PER_ADDRESS = 16
STOP_S = 2.0
"""For clients to take the end of what was spoken when the server stops."""


@asynccontextmanager
async def open_door(settings: Settings, port: int, chat: Chat, chain: Chain) -> AsyncIterator[str]:
    """Serve Wyoming clients while the block runs; gives the address. Raises StartError when it cannot listen there."""
    texts = max(settings.max_reply_chars, settings.max_message_chars)
    house = House(chat, chain, settings.sample_rate_hz, settings.max_reply_chars, Bounds.of_texts(texts))
    door = Door(house, Admission(settings))
    server = await _listen(door, settings.host, port)
    try:
        async with door:
            await server.start_serving()
            yield _address(settings.host, server)
            server.close()
    finally:
        server.close()


class Door:
    """Owns the task of each connection. An async context manager; leaving it ends them."""

    def __init__(self, house: House, admission: Admission) -> None:
        self._house = house
        self._admission = admission
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._addresses: Counter[str] = Counter()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Door:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_error: object) -> None:
        running = list(self._connections.items())
        for connection, _ in running:
            connection.stop()
        if running:
            await asyncio.wait([task for _, task in running], timeout=STOP_S)
        for _, task in running:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client has come: serve it, or tell it why not."""
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        connection = Connection(reader, writer, Caller("", address), self._house)
        refusal = self._refusal(address)
        work = connection.run() if refusal is None else connection.refuse(refusal)
        task = self._tasks.create_task(work)
        if refusal is None:
            self._addresses[address] += 1
            self._connections[connection] = task
            task.add_done_callback(lambda _: self._gone(connection, address))

    def _refusal(self, address: str) -> RequestError | None:
        if not self._admission.admits(address):
            log.warning("wyoming_client_refused", extra={"address": address})
            message = "this address is not let in; an operator names those that are in UNAVOCE_WYOMING_CLIENTS"
            return RequestError("unauthorised", message)
        if len(self._connections) >= MAX_CONNECTIONS or self._addresses[address] >= MAX_CONNECTIONS_PER_ADDRESS:
            return RequestError("busy", "too many connections are open; close one, or try again in a moment")
        return None

    def _gone(self, connection: Connection, address: str) -> None:
        del self._connections[connection]
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]


async def _listen(door: Door, host: str, port: int) -> asyncio.Server:
    try:
        return await asyncio.start_server(door.connected, host, port, limit=HEADER_BYTES, start_serving=False)
    except OSError as error:
        message = f"the Wyoming door cannot listen at {host}:{port} ({error.strerror or error})"
        remedy = "stop what is there, or set UNAVOCE_WYOMING_PORT to another"
        raise StartError(f"{message}{REMEDY}{remedy}") from error


def _address(host: str, server: asyncio.Server) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"tcp://{shown}:{server.sockets[0].getsockname()[1]}"
