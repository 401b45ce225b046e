"""Listening for Wyoming clients: who is let in, how many, and the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller
from unavoce.errors import REMEDY, RequestError, StartError
from unavoce.server.limits.addresses import place
from unavoce.server.limits.places import Places
from unavoce.server.metrics import Metrics
from unavoce.server.refusals import Refusals
from unavoce.server.wyoming.admission import Admission
from unavoce.server.wyoming.connection import Connection
from unavoce.server.wyoming.frames import HEADER_BYTES
from unavoce.server.wyoming.house import House
from unavoce.settings import Settings

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
MAX_CONNECTIONS_PER_ADDRESS = 16
MAX_REFUSED = 64
"""Connections that are being told why they are not served; those beyond are cut without a word."""
MAX_STRANGERS = 100
"""Addresses whose refusal the log tells."""
STOP_S = 2.0
"""For clients to take the end of what was spoken when the server stops."""


@asynccontextmanager
async def open_door(
    settings: Settings, chat: Chat, chain: Chain, metrics: Metrics, refusals: Refusals
) -> AsyncIterator[str]:
    """Serve Wyoming clients while the block runs; gives the address. Raises StartError when it cannot listen there."""
    door = Door(House.of(settings, chat, chain, refusals.note), Admission(settings))
    metrics.count_connections("wyoming", lambda: door.connections)
    server = await _listen(door, settings.host, settings.wyoming_port or 0)
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
        self._places = Places(MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS)
        self._refused: set[asyncio.Task[None]] = set()
        self._strangers: set[str] = set()
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
        for task in (*(task for _, task in running), *self._refused):
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def connections(self) -> int:
        return len(self._connections)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client has come: serve it, or tell it why not."""
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        connection = Connection(reader, writer, Caller("", address), self._house)
        refusal = self._refusal(address)
        if refusal is not None:
            self._refuse(connection, refusal, writer)
            return
        task = self._connections[connection] = self._tasks.create_task(connection.run())
        task.add_done_callback(lambda _: self._gone(connection, address))

    def _refusal(self, address: str) -> RequestError | None:
        """Why that address is not served; None where it is, and has taken a place."""
        if not self._admission.admits(address):
            self._warn(address)
            message = "this address is not let in; an operator names those that are in UNAVOCE_WYOMING_CLIENTS"
            return RequestError("unauthorised", message)
        if not self._places.take(address):
            return RequestError("busy", "too many connections are open; close one, or try again in a moment")
        return None

    def _refuse(self, connection: Connection, refusal: RequestError, writer: asyncio.StreamWriter) -> None:
        if len(self._refused) >= MAX_REFUSED:
            writer.transport.abort()
            return
        task = self._tasks.create_task(connection.refuse(refusal))
        self._refused.add(task)
        task.add_done_callback(self._refused.discard)

    def _warn(self, address: str) -> None:
        """Once for an address: it may be the one that the operator has to name, and may come a thousand times."""
        if address not in self._strangers and len(self._strangers) < MAX_STRANGERS:
            self._strangers.add(address)
            log.warning("wyoming_client_refused", extra={"address": address})

    def _gone(self, connection: Connection, address: str) -> None:
        del self._connections[connection]
        self._places.give_back(address)


async def _listen(door: Door, host: str, port: int) -> asyncio.Server:
    try:
        return await asyncio.start_server(door.connected, host, port, limit=HEADER_BYTES, start_serving=False)
    except OSError as error:
        message = f"the Wyoming door cannot listen at {host}:{port} ({error.strerror or error})"
        remedy = "stop what is there, or set UNAVOCE_WYOMING_PORT to another"
        raise StartError(f"{message}{REMEDY}{remedy}") from error


def _address(host: str, server: asyncio.Server) -> str:
    return f"tcp://{place(host, server.sockets[0].getsockname()[1])}"
