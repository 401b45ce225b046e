"""Slow, silent, half-closed and deaf clients: each loses its connection, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.fuzz import slow_clients
from tests.fuzz.slow_clients import KINDS, Kind, seeded
from tests.support.client import Listener, check_order, joined, listening
from tests.support.server import PATIENCE_S, ScriptedModel, Server, running_server

LIMITS = {"request_timeout_s": 1.0, "send_timeout_s": 1.0, "handshake_timeout_s": 1.0, "max_requests_per_s": 100_000}
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


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_each_kind_is_ended_and_forgotten(data_dir: Path, kind: Kind) -> None:
    """Three of a kind at once: the server ends their connections, keeps nothing of them, and a reply goes on."""
    async with undisturbed(data_dir) as server, asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(slow_clients.one(*server.place, kind, seeded(seed)) for seed in range(3)))
        await gone(server)
        await replies_left(server)


async def test_all_kinds_at_once_disturb_nobody(data_dir: Path) -> None:
    """Forty of them, mixed by a seed, are all ended, and a reply goes on meanwhile."""
    async with undisturbed(data_dir) as server, asyncio.timeout(PATIENCE_S):
        await slow_clients.throw(*server.place, seeded(6), 40)
        await gone(server)
