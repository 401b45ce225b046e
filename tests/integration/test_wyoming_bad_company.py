"""Clients that leave, stall, lie and send garbage at the Wyoming door, and clients that are not let in."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fuzz.wyoming_bytes import throw
from tests.support.server import PATIENCE_S, Server, quick_engine
from tests.support.wyoming import Talker, door, place, talking
from wyoming.error import Error
from wyoming.ping import Ping
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from unavoce.engines.fake import Step
from unavoce.server.limits.buckets import Buckets
from unavoce.server.wyoming.frames import HEADER_BYTES, Bounds

FIRST, REST = "Certainly, sir. The kettle", " is on. It sings."
PLAIN = ["audio-start", "audio-chunk", "audio-stop"]


async def nothing_runs(server: Server) -> None:
    """Returns when no reply runs and the engine has stopped."""
    async with asyncio.timeout(PATIENCE_S):
        await server.app.chat.ended()
        while server.engine.running:  # noqa: ASYNC110 - the engine has nothing that tells
            await asyncio.sleep(0)


def bound(monkeypatch: pytest.MonkeyPatch, **bounds: float) -> None:
    """The door keeps these instead of its own."""
    usual = Bounds.of_texts
    monkeypatch.setattr(Bounds, "of_texts", lambda characters: replace(usual(characters), **bounds))  # type: ignore[arg-type]


@pytest.mark.parametrize("leave", ["close", "half", "reset"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_who_leaves_stops_its_synthesis(data_dir: Path, leave: str, streamed: bool) -> None:
    """A client that closes, closes its side only, or breaks off, while the engine works: that is stopped at once."""
    engine, asked = quick_engine(), asyncio.Event()

    def script(_call: int, spoken: str) -> Step:
        if spoken == "Wait for me.":
            asked.set()
            return Step(hang_after=0)
        return Step()

    engine.script = script
    async with door(data_dir, engine=engine) as server:
        reader, writer = await asyncio.open_connection(*place(server.app.wyoming))
        talker = Talker("", 0)
        talker._reader, talker._writer = reader, writer
        if streamed:
            await talker.tell(SynthesizeStart(), SynthesizeChunk("Wait for me. And"))
        else:
            await talker.tell(Synthesize("Wait for me."), Synthesize("Not any more."))
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
        {"close": writer.close, "half": writer.write_eof, "reset": writer.transport.abort}[leave]()
        await nothing_runs(server)
        calls = {call.spoken: call.outcome for call in engine.calls}
        assert calls["Wait for me."] == "cancelled"
        assert "Not any more." not in calls
        if leave == "half":
            assert [event.type for event in await talker.closed()] == []
        writer.close()


async def test_what_needs_no_speech_is_answered_to_a_half_closed_connection(data_dir: Path) -> None:
    """`echo … | nc`, which closes its side at once, is told what can speak here."""
    async with door(data_dir) as server, talking(server) as talker:
        assert talker._writer
        talker._writer.write(b'{"type": "describe"}\n{"type": "ping", "data": {"text": "x"}}\n')
        talker._writer.write_eof()
        assert [event.type for event in await talker.closed()] == ["info", "pong"]


async def test_who_does_not_read_is_cut_off(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stops taking its sound loses the connection, and its reply ends; others go on."""
    bound(monkeypatch, write_s=0.3)
    engine = quick_engine(s_per_char=1.0, rate_hz=48_000)
    text = "A sentence of one minute, more or less, which nobody takes."
    async with door(data_dir, engine=engine, sample_rate_hz=48_000) as server:
        deaf = socket.create_connection(place(server.app.wyoming))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b'{"type": "synthesize", "data": {"text": "' + text.encode() + b'"}}\n')
        async with talking(server) as talker:
            assert (await talker.say("One.")).kinds == PLAIN
        await nothing_runs(server)
        deaf.close()


async def test_idle_clients_are_parted_with(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is said for too long, the connection is closed."""
    bound(monkeypatch, idle_s=0.05)
    async with door(data_dir) as server, talking(server) as silent, talking(server) as polite:
        await polite.tell(Ping())
        assert [event.type for event in await polite.closed()] == ["pong"]
        assert await silent.closed() == []


async def test_slow_clients_are_parted_with(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an event, and then nothing for too long: the connection is closed, and the reason told."""
    bound(monkeypatch, event_s=0.05)
    async with door(data_dir) as server, talking(server) as slow:
        assert slow._writer
        slow._writer.write(b'{"type": "ping"')
        (event,) = await slow.closed()
        assert Error.from_event(event).code == "too_slow"


async def test_a_client_that_listens_is_not_idle(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While something is spoken, a connection may say nothing for as long as that takes."""
    bound(monkeypatch, idle_s=0.02)
    engine = quick_engine(delay_s=0.3)
    async with door(data_dir, engine=engine) as server, talking(server) as talker:
        assert (await talker.say(FIRST + REST)).kinds == PLAIN


@pytest.mark.parametrize(
    "content",
    [
        lambda: b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        lambda: b'{"type": "' + b"x" * (HEADER_BYTES + 1),
        lambda: b'{"type": "synthesize", "data_length": 1000000000}\n{',
        lambda: b'{"type": "synthesize", "payload_length": -1}\n',
        lambda: b"[" * 100_000 + b"\n",
        lambda: b"\x92\x00{}" * 300 + b"\n" + bytes(100_000),
    ],
)
async def test_what_is_no_frame_ends_the_connection(data_dir: Path, content: Callable[[], bytes]) -> None:
    """One error says why, then the connection is closed; what was being spoken on it stops."""
    async with door(data_dir) as server, talking(server) as talker:
        await talker.tell(SynthesizeStart(), SynthesizeChunk(FIRST))
        await talker.until("audio-chunk")
        assert talker._writer
        talker._writer.write(content())
        errors = [Error.from_event(event) for event in await talker.closed() if event.type == "error"]
        assert [error.code for error in errors] in (["malformed"], ["too_long"])
        await nothing_runs(server)


@pytest.mark.parametrize("seed", range(4))
async def test_garbage_harms_nobody(data_dir: Path, caplog: pytest.LogCaptureFixture, seed: int) -> None:
    """Sixty connections of garbage beside a stream: it sounds as it would alone, nothing crashes or is left running."""
    rng = random.Random(seed)  # noqa: S311 - so that it can be repeated
    async with door(data_dir) as server, talking(server) as talker:
        alone = (await talker.stream(FIRST, REST)).samples
        await talker.tell(SynthesizeStart(), SynthesizeChunk(FIRST))
        await throw(*place(server.app.wyoming), rng, 60)
        await talker.tell(SynthesizeChunk(REST), SynthesizeStop())
        assert np.array_equal((await talker.until("synthesize-stopped")).samples, alone)
        await nothing_runs(server)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_connections_are_bounded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit of an address, or of all, a client is told `busy`; when one leaves, the next is let in."""
    monkeypatch.setattr("unavoce.server.wyoming.door.MAX_CONNECTIONS", 3)
    monkeypatch.setattr("unavoce.server.wyoming.door.MAX_CONNECTIONS_PER_ADDRESS", 2)
    async with door(data_dir) as server, talking(server) as one, talking(server) as two:
        for talker in (one, two):
            await talker.tell(Ping())
            await talker.until("pong")
        async with talking(server) as three:
            assert [Error.from_event(event).code for event in await three.closed()] == ["busy"]
        async with from_address(server, "127.0.0.2") as four:
            await four.tell(Ping())
            await four.until("pong")
            async with from_address(server, "127.0.0.3") as five:
                assert [Error.from_event(event).code for event in await five.closed()] == ["busy"]
        await two.disconnect()
        async with asyncio.timeout(PATIENCE_S):
            while not await answers(server):
                pass


async def answers(server: Server) -> bool:
    async with talking(server) as talker:
        await talker.tell(Ping())
        return (await talker.next()).type == "pong"


async def test_events_that_come_too_fast_wait(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event counts for its address; those past the rate are read later, and none is lost."""
    waits: list[tuple[str, bool]] = []
    owe = Buckets.owe

    def noted(self: Buckets, caller: str) -> float:
        wait_s = owe(self, caller)
        waits.append((caller, wait_s > 0))
        return wait_s

    monkeypatch.setattr(Buckets, "owe", noted)
    async with door(data_dir, max_events_per_s=10) as server, talking(server) as talker:
        await talker.tell(*(Ping(str(number)) for number in range(120)))
        assert [(await talker.next()).data["text"] for _ in range(120)] == [str(number) for number in range(120)]
    assert {caller for caller, _ in waits} == {"127.0.0.1"}
    assert len(waits) == 120
    assert any(waited for _, waited in waits)


async def test_only_those_that_were_named_are_let_in(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where keys are set, an address that was named needs none; another is told so, in the log once, and not served."""
    settings = {"api_keys": ("secret",), "wyoming_clients": ("127.0.0.2/32",)}
    async with door(data_dir, **settings) as server:
        for _ in range(3):
            async with talking(server) as stranger:
                await stranger.tell(Synthesize("Hello."))
                assert [Error.from_event(event).code for event in await stranger.closed()] == ["unauthorised"]
        assert [record.message for record in caplog.records].count("wyoming_client_refused") == 1
        async with from_address(server, "127.0.0.2") as friend:
            assert (await friend.say("Hello.")).kinds == PLAIN


async def test_refusals_are_bounded_too(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many are being refused at once, the next is cut without a word."""
    monkeypatch.setattr("unavoce.server.wyoming.door.MAX_REFUSED", 1)
    bound(monkeypatch, part_s=PATIENCE_S)
    async with door(data_dir, wyoming_clients=()) as server, talking(server) as told:
        assert (await told.next()).type == "error"  # it has not closed its side yet
        async with talking(server) as cut:
            with suppress(ConnectionError):
                assert await cut.closed() == []


class from_address(Talker):  # noqa: N801 - used as a function
    """A client that comes from another of this machine's addresses."""

    def __init__(self, server: Server, address: str) -> None:
        super().__init__(*place(server.app.wyoming))
        self._own = address

    async def connect(self) -> None:
        made = await asyncio.open_connection(self.host, self.port, local_addr=(self._own, 0))
        self._reader, self._writer = made
