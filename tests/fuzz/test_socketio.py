"""Garbage of every kind, against the real server: coded answers, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import websockets
from tests.fuzz import chance
from tests.fuzz.events import CALLS, call, check_events, drawn, with_ids
from tests.fuzz.frames import FRAMES, mutated, send
from tests.support.client import Listener, check_order, joined, listening
from tests.support.raw import bare_socket, raw_client
from tests.support.server import PATIENCE_S, ScriptedModel, Server, running_server

from unavoce.server.sockets.door import MAX_PACKET_BYTES

UNLIMITED = dict.fromkeys(("max_replies", "max_replies_per_session", "max_replies_per_caller"), 10_000)
KEYS = {"api_keys": ("mine", "theirs"), **UNLIMITED}
FIRST_HALF = ["Good evening, sir. Dinner ", "is served in the "]
SECOND_HALF = ["blue room. ", "There is some wine, ", "too."]


@dataclass(slots=True)
class Reference:
    """Replies that run while the garbage comes: one beside it on the same connection, one of somebody else."""

    server: Server
    fuzzed: Listener
    ids: dict[str, str]
    """Ids that the garbage may name: its own session's and replies', and those of somebody else."""


@asynccontextmanager
async def reference(data_dir: Path) -> AsyncIterator[Reference]:
    """A server with two clients; when the block ends, both clients' replies must be as undisturbed ones are."""
    gate = asyncio.Event()
    model = ScriptedModel({"reference": [*FIRST_HALF, gate, *SECOND_HALF], "undisturbed": [*FIRST_HALF, *SECOND_HALF]})
    async with (
        running_server(data_dir, model=model, **KEYS) as server,
        listening(server.url, auth={"apiKey": "mine"}) as fuzzed,
        listening(server.url, auth={"apiKey": "theirs"}) as other,
    ):
        _, undisturbed = await other.say("undisturbed")
        await other.end(undisturbed)
        _, mine = await fuzzed.say("reference")
        theirs, their_reply = await other.say("reference")
        own, own_reply = await fuzzed.say("Hello")
        spoken = (await fuzzed.ok("speak:start", {"sessionId": own}))["replyId"]
        ids = {"«session»": own, "«reply»": own_reply, "«spoken»": spoken, "«theirs»": theirs, "«their»": their_reply}
        yield Reference(server, fuzzed, ids)
        gate.set()
        for listener, reply in ((fuzzed, mine), (other, their_reply)):
            check_order(await listener.end(reply))
            same(listener, reply, other, undisturbed)


def same(one: Listener, reply: str, other: Listener, expected: str) -> None:
    """Two replies have the same text, the same sentences and the same samples."""
    assert one.payloads(reply, "chat:done")[0]["text"] == other.payloads(expected, "chat:done")[0]["text"]
    assert one.payloads(reply, "chat:done")[0]["reason"] == "complete"
    assert np.array_equal(joined(one.chunks(reply)), joined(other.chunks(expected)))


# -- events


async def test_every_event_of_garbage_gets_an_answer_from_the_list(data_dir: Path) -> None:
    """Wrong types, names, arities and values, 600 of them: ok or a listed code, never `internal`; others go on."""
    async with reference(data_dir) as world:
        for name, arguments in drawn(CALLS, 600):
            await call(world.fuzzed, name, with_ids(arguments, world.ids))
        check_events(world.fuzzed)


async def test_garbage_without_an_acknowledgement_is_as_harmless(data_dir: Path) -> None:
    """The same without asking for an answer, several at a time, leaves connection and replies as they were."""
    async with reference(data_dir) as world:
        for name, arguments in drawn(CALLS, 200):
            await world.fuzzed.client.emit(name, tuple(with_ids(arguments, world.ids)))
        # The garbage may have forgotten its own session.
        await call(world.fuzzed, "chat:history", [{"sessionId": world.ids["«session»"]}])


async def test_ids_of_another_key_do_nothing(data_dir: Path) -> None:
    """Every event that names somebody else's session or reply is unknown_session or unknown_reply."""
    async with reference(data_dir) as world:
        theirs, their = world.ids["«theirs»"], world.ids["«their»"]
        for name, payload in (
            ("chat:send", {"message": "x", "sessionId": theirs, "interrupt": True}),
            ("chat:abort", {"sessionId": theirs}),
            ("chat:abort", {"sessionId": world.ids["«session»"], "replyId": their}),
            ("chat:join", {"sessionId": theirs, "after": {their: -1}}),
            ("chat:join", {"sessionId": world.ids["«session»"], "after": {their: -1}}),
            ("chat:played", {"replyId": their, "index": 0, "positionMs": 0}),
            ("chat:history", {"sessionId": theirs}),
            ("speak:start", {"sessionId": theirs, "interrupt": True}),
            ("speak:text", {"replyId": their, "text": "x"}),
            ("speak:end", {"replyId": their}),
        ):
            assert (await world.fuzzed.refused(name, payload)).startswith("unknown_"), name


async def test_deep_and_long_payloads_are_answered_or_passed_over(data_dir: Path) -> None:
    """Nesting beyond what can be read is passed over, very long texts are refused; the connection stays."""
    async with running_server(data_dir) as server, raw_client(server.url) as raw:
        for depth in (50, 500, 900):
            answer = await raw.call_frame('["chat:send",{"message":' + "[" * depth + "]" * depth + "}]")
            assert answer["error"]["code"] == "invalid"
        await raw.socket.send('427["chat:send",' + "[" * 400_000 + "]" * 400_000 + "]")
        long = await raw.call("chat:send", {"message": "x" * 900_000})
        assert long["error"]["code"] == "too_long"
        many = await raw.call("chat:join", {"sessionId": "x", "after": {str(number): 0 for number in range(50_000)}})
        assert many["error"]["code"] == "invalid"
        assert (await raw.call("chat:send", {"message": "Hello"}))["ok"]


async def test_a_client_cannot_play_the_transport(data_dir: Path) -> None:
    """Events called connect and disconnect are unknown events: nobody gets in, or out, by their own word."""
    async with running_server(data_dir, **KEYS) as server, bare_socket(server.url) as bare:
        await bare.recv()
        await bare.send('421["connect",{},{"apiKey":"mine"}]')
        await bare.send('422["chat:send",{"message":"Hello"}]')
        await bare.send('40{"apiKey":"mine"}')
        assert str(await bare.recv()).startswith("40{"), "no word was answered before the key"
        for number, frame in enumerate(
            ['["connect",{},{"apiKey":"no"}]', '["disconnect","x"]', '["disconnect"]', '["*"]']
        ):
            await bare.send(f"42{number}{frame}")
            answer = ""
            while not answer.startswith("43"):
                answer = str(await bare.recv())
            assert json.loads(answer[3:])[0]["error"]["code"] == "unknown_event"
        await bare.send('429["chat:send",{"message":"Hello"}]')
        while not answer.startswith("439"):
            answer = str(await bare.recv())
        assert json.loads(answer[3:])[0]["ok"] is True
        assert server.app.sockets.connections == 1


# -- frames


async def test_frames_that_are_no_protocol_harm_nobody(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each kind of broken frame on a connection of its own, and mutated ones in a row: the others go on, and the log
    is silent about them."""
    async with reference(data_dir) as world:
        before = world.server.app.sockets.connections
        for frame in FRAMES:
            await send(world.server.url, [frame, '42["chat:send",{"message":"x"}]'])
        rng = chance(0)
        for _ in range(30):
            await send(world.server.url, [mutated(rng) for _ in range(10)])
        await world.fuzzed.ok("chat:history", {"sessionId": world.ids["«session»"]})
        await settled(world.server, before)
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_attachments_that_never_end_are_not_kept(data_dir: Path) -> None:
    """An event that announces thousands of attachments, or whose attachments are too large together, is passed over."""
    async with running_server(data_dir) as server, raw_client(server.url) as raw:
        for announced, size in ((2_000, 1), (100, MAX_PACKET_BYTES // 4)):
            await raw.socket.send(f'45{announced}-["chat:send",{{"_placeholder":true,"num":0}}]')
            for _ in range(5):
                await raw.socket.send(bytes(size))
            assert (await raw.call("chat:history", {"sessionId": "x"}))["error"]["code"] == "unknown_session"
        assert not server.app.sockets.server._binary_packet


async def settled(server: Server, connections: int) -> None:
    """Every connection that was closed is forgotten, within the patience of the tests."""
    async with asyncio.timeout(PATIENCE_S), listening(server.url, auth={"apiKey": "mine"}) as probe:
        while server.app.sockets.connections > connections + 1:
            await probe.call("chat:nothing", {})


async def test_an_oversized_packet_ends_its_connection_only(data_dir: Path) -> None:
    """A packet over the limit cuts the connection that sent it, over either transport, and nobody else."""
    async with reference(data_dir) as world:
        async with bare_socket(world.server.url) as bare:
            await bare.send('40{"apiKey":"mine"}')
            with contextlib.suppress(websockets.ConnectionClosed):
                await bare.send('42["chat:send",{"message":"' + "x" * MAX_PACKET_BYTES + '"}]')
            await asyncio.wait_for(bare.wait_closed(), PATIENCE_S)
        async with polling(world.server.url) as post:
            answer = await post('42["chat:send",{"message":"' + "x" * MAX_PACKET_BYTES + '"}]')
            assert answer.status_code == 400
        await world.fuzzed.ok("chat:history", {"sessionId": world.ids["«session»"]})


@asynccontextmanager
async def polling(url: str) -> AsyncIterator[Callable[[str | bytes], Any]]:
    """A long-polling connection, opened by hand; gives a function that posts a body."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as http:
        opened = await http.get("/socket.io/?EIO=4&transport=polling")
        sid = json.loads(opened.text[1:])["sid"]

        async def post(body: str | bytes) -> httpx.Response:
            content = body.encode("utf-8", "replace") if isinstance(body, str) else body
            return await http.post(f"/socket.io/?EIO=4&transport=polling&sid={sid}", content=content)

        async def poll() -> None:
            while (await http.get(f"/socket.io/?EIO=4&transport=polling&sid={sid}")).status_code == 200:
                pass

        # As every client does.
        polls = asyncio.create_task(poll())
        try:
            yield post
        finally:
            polls.cancel()
            await asyncio.wait([polls])


async def test_polling_garbage_harms_nobody(data_dir: Path) -> None:
    """Broken bodies, sids, versions and methods over long polling are answered; the server and the others go on."""
    async with reference(data_dir) as world:
        url = world.server.url
        for frame in FRAMES:
            async with polling(url) as post:
                assert (await post('40{"apiKey":"mine"}')).status_code == 200
                assert (await post(frame)).status_code in (200, 400)
        async with polling(url) as post:
            await post('40{"apiKey":"mine"}')
            assert (await post("\x1e".join(["42[1]"] * 1_000))).status_code in (200, 400)
            assert (await post(b"\xff\xfe\x00")).status_code in (200, 400)
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as http:
            for query in (
                "",
                "EIO=3&transport=polling",
                "EIO=4",
                "EIO=4&transport=flash",
                "EIO=4&transport=polling&sid=x",
            ):
                assert (await http.get(f"/socket.io/?{query}")).status_code in (200, 400)
                assert (await http.post(f"/socket.io/?{query}", content="42[]")).status_code == 400
            assert (await http.delete("/socket.io/?EIO=4&transport=polling")).status_code in (404, 405)
            assert (await http.get("/healthz")).status_code == 200
        await world.fuzzed.ok("chat:history", {"sessionId": world.ids["«session»"]})
