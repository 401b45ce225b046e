"""Keys: every door asks for one, compares it in constant time, and tells it nobody."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import socketio
import websockets
from starlette.routing import Route
from tests.support.client import Listener, listening
from tests.support.raw import bare_socket
from tests.support.server import PATIENCE_S, ScriptedModel, Server, broken_off, running_server
from websockets.asyncio.client import ClientConnection

from unavoce.server.auth import Keys

KEY = "kaeseglocke-4711-schluessel"
WRONG = "falsch-und-doch-geheim-0815"
CLIENTS = "httpx", "httpcore", "socketio.client", "engineio.client", "websockets.client"
"""Loggers of the other end, which is in this process as well."""
OPEN = {"/", "/assets/{rest:path}", "/player/{rest:path}", "/vendor/{rest:path}", "/healthz"}
"""Routes that ask nobody: the page's static files, and whether the process lives."""

ANY_METHOD = "DELETE", "GET", "POST", "PUT"
"""Tried where a route leaves it to its handler."""


@asynccontextmanager
async def asking(server: Server, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=PATIENCE_S) as client:
        yield client


def routes(server: Server) -> list[tuple[str, str, str]]:
    """Method, path as declared, and a path that leads there, of every route of the running server."""
    found = []
    for route in server.app.http.routes:
        assert isinstance(route, Route), f"{route} is a kind of route that this test does not know"
        path = route.path
        for name in route.param_convertors:
            path = path.replace(f"{{{name}:path}}", "x").replace(f"{{{name}}}", "x")
        found += [(method, route.path, path) for method in sorted(route.methods or ANY_METHOD)]
    return found


async def test_every_route_but_the_open_ones_asks_for_a_key(data_dir: Path) -> None:
    """Whatever routes there are: without a key, with a wrong one, or one in the wrong place, 401 and nothing else."""
    async with running_server(data_dir, api_keys=(KEY,)) as server, asking(server) as client:
        asked = routes(server)
        assert {path for _, path, _ in asked} > OPEN
        for method, declared, path in asked:
            for headers in (
                {},
                {"Authorization": f"Bearer {WRONG}"},
                {"Authorization": "Bearer"},
                {"Authorization": f"Basic {KEY}"},
                {"Authorization": KEY},
                {"X-Api-Key": KEY},
            ):
                answer = await client.request(method, path, headers=headers, params={"apiKey": KEY, "key": KEY})
                if declared in OPEN:
                    assert answer.status_code != 401, (method, path)
                else:
                    assert answer.status_code == 401, (method, path, headers)
                    assert answer.headers["www-authenticate"].startswith("Bearer")
            answer = await client.request(method, path, headers={"Authorization": f"bearer  {KEY}"})
            assert answer.status_code != 401, (method, path)


async def test_socket_io_asks_for_a_key_over_both_transports(data_dir: Path) -> None:
    """Nobody without a key is told anything, not even how an engine is; the right key gets in."""
    async with running_server(data_dir, api_keys=(KEY, "other")) as server, asking(server) as client:
        path = "/socket.io/?EIO=4&transport=polling"
        sid = json.loads((await client.get(path)).text[1:])["sid"]
        await client.post(f"{path}&sid={sid}", content=f'40{{"apiKey":"{WRONG}"}}')
        answer = (await client.get(f"{path}&sid={sid}")).text
        assert answer.startswith("44{"), "a refusal, and no packet before or after it"
        assert "\x1e" not in answer
        assert '"code":"unauthorised"' in answer
        async with bare_socket(server.url) as bare:
            await bare.recv()
            await bare.send(f'40{{"apiKey":"{WRONG}"}}')
            assert str(await bare.recv()).startswith("44{")
        async with listening(server.url, auth={"apiKey": KEY}) as listener:
            await listener.ok("chat:send", {"message": "Hello"})


async def test_a_connection_guesses_once(data_dir: Path) -> None:
    """A second wrong key on the same connection ends it, so that trying keys costs a connection for every two."""
    async with running_server(data_dir, api_keys=(KEY,)) as server, bare_socket(server.url) as bare:
        await bare.recv()
        for number in range(2):
            await bare.send(f'40{{"apiKey":"{WRONG}{number}"}}')
        await bare.send(f'40{{"apiKey":"{KEY}"}}')
        heard: list[str] = []
        with pytest.raises(websockets.ConnectionClosed):
            await _listen(bare, heard)
        assert not any(frame.startswith("40") for frame in heard)


async def _listen(bare: ClientConnection, heard: list[str]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            heard.append(str(await bare.recv()))


def test_every_key_is_compared_in_constant_time() -> None:
    """The comparison looks at every key, whichever it is and whether or not one was right before."""
    keys = Keys(["one", "two", "three"])
    compared: list[Any] = []

    def watched(a: Any, b: Any, compare: Any = hmac.compare_digest) -> bool:
        compared.append((a, b))
        return bool(compare(a, b))

    for offered in ("one", "three"):
        compared.clear()
        with patch("unavoce.server.auth.hmac.compare_digest", watched):
            keys.admit(offered)
        assert len(compared) == 3
        assert len({len(one) for pair in compared for one in pair}) == 1, "digests, all of one length"


async def test_no_key_is_ever_told_or_logged(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Right and wrong keys, good requests, refusals and crashes at every door: neither logs nor answers hold a key."""
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    model = ScriptedModel({"crash": [RuntimeError("a bug")], "break": [broken_off()]}, otherwise=["Yes."])
    async with running_server(data_dir, model=model, api_keys=(KEY,)) as server:
        for key in (KEY, WRONG):
            async with asking(server, Authorization=f"Bearer {key}") as client:
                for crash in (False, True):
                    with _crashing(server) if crash else patch("unavoce.server.http.STATUSES", {"unauthorised": 401}):
                        for method, _, path in routes(server):
                            answer = await client.request(method, path, content=b"{" if method == "POST" else None)
                            told.append(answer.text + str(answer.headers))
                for path in ("/nowhere", "/api/replies/" + "x" * 200 + "/trace", "/socket.io/?EIO=3", "/socket.io/x"):
                    answer = await client.get(path)
                    told.append(answer.text + str(answer.headers))
            told += await _over_socket_io(server, key)
    ours = [record for record in caplog.records if not record.name.startswith(CLIENTS)]
    logged = "".join(f"{record.getMessage()} {record.__dict__} {record.exc_text}" for record in ours)
    assert "request_crashed" in logged or "Exception in ASGI" in logged, "the crashes were crashes"
    for key in (KEY, WRONG):
        assert [record.name for record in ours if key in str(record.__dict__)] == []
        assert key not in logged
        assert key not in "".join(told)


def _crashing(server: Server) -> Any:
    """Every handler that asks the chat service or the health of an engine meets a bug."""
    return patch.multiple(
        "unavoce.server.health.Health",
        report=lambda _: (_ for _ in ()).throw(RuntimeError("a bug")),
    )


async def _over_socket_io(server: Server, key: str) -> list[str]:
    """Everything the server says to a client with this key that asks for sense, nonsense and crashes."""
    listener = Listener()
    told: list[Any] = []
    listener.client.on("connect_error", told.append)
    try:
        await listener.client.connect(server.url, auth={"apiKey": key}, transports=["websocket"])
    except socketio.exceptions.ConnectionError as error:
        told.append(error)
    else:
        for message in ("Hello", "crash", "break"):
            _, reply = await listener.say(message)
            await listener.end(reply)
        for name, payload in (("chat:send", {"message": 3}), ("chat:nothing", {"apiKey": key}), ("chat:join", None)):
            told.append(await listener.call(name, payload))
        with patch.object(server.app.chat, "history", side_effect=RuntimeError("a bug")):
            told.append(await listener.call("chat:history", {"sessionId": "x"}))
    finally:
        await listener.close()
    return [str(told), *map(str, (event for event in listener.events if event[0] != "ack"))]
