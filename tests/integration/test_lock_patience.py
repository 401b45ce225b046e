"""Slow, silent, half-closed and deaf clients: each loses its connection, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from tests.fuzz import slow_clients
from tests.fuzz.slow_clients import KINDS, seeded
from tests.support.client import Listener, check_order, joined, listening
from tests.support.server import PATIENCE_S, ScriptedModel, Server, running_server

LIMITS = {"request_timeout_s": 2.0, "send_timeout_s": 2.0, "handshake_timeout_s": 2.0, "max_requests_per_s": 100_000}
"""In seconds: a few for the honest client's own beginning on a busy machine."""
FIRST, SECOND = ["Good evening, sir. Dinner ", "is served in the "], ["blue room. ", "There is some wine, ", "too."]


@asynccontextmanager
async def undisturbed(data_dir: Path) -> AsyncIterator[Server]:
    """A server with one honest client, whose reply runs meanwhile and must be as without any trouble."""
    gate = asyncio.Event()
    model = ScriptedModel({"reference": [*FIRST, *SECOND], "meanwhile": [*FIRST, gate, *SECOND]})
    async with running_server(data_dir, model=model, **LIMITS) as server, listening(server.url) as listener:
        _, reference = await listener.say("reference")
        await listener.end(reference)
        _, reply = await listener.say("meanwhile")
        yield server
        assert not listener.gone.is_set()
        gate.set()
        check_order(await listener.end(reply))
        _same(listener, reply, reference)


def _same(listener: Listener, reply: str, reference: str) -> None:
    assert listener.payloads(reply, "chat:done")[0]["reason"] == "complete"
    assert np.array_equal(joined(listener.chunks(reply)), joined(listener.chunks(reference)))


async def gone(server: Server) -> None:
    """Returns when the server holds the honest client's connection only."""
    async with asyncio.timeout(PATIENCE_S):
        while len(server.web.server_state.connections) > 1 or server.app.sockets.transports.count > 1:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.001)


async def replies_left(server: Server) -> None:
    """Returns when no reply but the honest client's is running."""
    async with asyncio.timeout(PATIENCE_S):
        while server.app.chat.running > 1:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)


async def test_every_kind_is_ended_and_forgotten(data_dir: Path) -> None:
    """Three of each kind at once: the server ends every one of them, keeps nothing of them, and a reply goes on."""
    async with undisturbed(data_dir) as server:
        clients = {
            asyncio.create_task(slow_clients.one(*server.place, kind, seeded(seed)), name=kind.__name__)
            for kind in KINDS
            for seed in range(3)
        }
        _, left = await asyncio.wait(clients, timeout=PATIENCE_S)
        for client in left:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        assert sorted(client.get_name() for client in left) == []
        for client in clients:
            client.result()
        await gone(server)
        await replies_left(server)


async def test_a_mixture_is_ended_as_well(data_dir: Path) -> None:
    """Twenty of them, of kinds that a seed chooses, as a long run throws them."""
    async with undisturbed(data_dir) as server, asyncio.timeout(PATIENCE_S):
        await slow_clients.throw(*server.place, seeded(6), 20)
        await gone(server)
