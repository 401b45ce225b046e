"""XTTS servers stand one request at a time, go on with what nobody wants any more, and break in many ways."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.xtts_engine import LONG, PATIENCE_S, TEXT, each_kind, engine_for, pitch_hz, say, speaking, streams
from tests.support.xtts_servers import Kind, standing_in

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.chain.health import Breaker
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable, ImplausibleAudio

# -- one at a time


@each_kind
async def test_the_stand_in_is_damaged_by_overlapping_requests(kind: Kind) -> None:
    """What the engine must never cause really happens: two requests at once, and one answer has another's sound."""
    async with standing_in(kind) as server:
        server.model.gate.clear()
        engines = [engine_for(server.url, speaker=name) for name in ("Claribel Dervla", "Uta Obando")]
        for engine in engines:
            await engine.start()
        first, second = [asyncio.create_task(say(engine)) for engine in engines]
        await asyncio.wait_for(server.model.overlapping.wait(), PATIENCE_S)
        server.model.gate.set()
        sounds = [await first, await second]
        assert server.model.overlaps == 1
        assert pitch_hz(sounds[0]) == pytest.approx(pitch_hz(sounds[1]), abs=2)
        for engine in engines:
            await engine.close()


@each_kind
async def test_an_abandoned_sentence_is_over_before_the_next_begins(kind: Kind) -> None:
    """A cancelled call hands on nothing more, and returns only when the server has finished; then the next is whole."""
    async with speaking(kind, {"speaker": "Uta Obando"}) as (engine, server):
        server.model.gate.clear()
        heard: list[Pcm] = []
        call = asyncio.create_task(engine.synthesise(LONG, engine.voices()[0], heard.append))
        await asyncio.wait_for(server.model.begun.wait(), PATIENCE_S)
        call.cancel()
        for _ in range(50):  # the cancellation arrives, and the sound that was on its way
            await asyncio.sleep(0)
        before = len(heard)
        assert not call.done()
        assert server.model.running == 1
        server.model.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(call, PATIENCE_S)
        assert (server.model.running, len(server.model.spoken), len(heard)) == (0, 1, before)
        assert pitch_hz(await say(engine)) == pytest.approx(220, abs=2)
        assert server.model.overlaps == 0


@each_kind
async def test_sound_that_is_refused_on_the_way_is_heard_out(kind: Kind) -> None:
    """Where the stage refuses a piece, the server is left only when it has finished with that sentence."""
    async with speaking(kind) as (engine, server):
        running: list[int] = []

        def refuse(_: Pcm) -> None:
            raise ImplausibleAudio("as scripted")

        with pytest.raises(ImplausibleAudio, match="as scripted"):
            await engine.synthesise("Good evening, sir, it is nine. " * 5, engine.voices()[0], refuse)
        running.append(server.model.running)
        assert running == [0]


@streams
async def test_a_streamed_sentence_is_heard_while_it_is_made(kind: Kind) -> None:
    """The first piece leaves while the server still speaks, though samples come in any pieces."""
    async with speaking(kind) as (engine, server):
        server.model.gate.clear()
        heard: asyncio.Queue[Pcm] = asyncio.Queue()
        call = asyncio.create_task(engine.synthesise(TEXT, engine.voices()[0], heard.put_nowait))
        first = await asyncio.wait_for(heard.get(), PATIENCE_S)
        assert first.duration_s > 0.05
        assert server.model.running == 1
        server.model.gate.set()
        await call


@streams
async def test_a_header_is_no_sound(kind: Kind) -> None:
    """A server that sends its header and then nothing has not begun to speak."""
    async with speaking(kind) as (engine, server):
        server.fault = "silent"
        server.model.gate.clear()
        heard: list[Pcm] = []
        call = asyncio.create_task(engine.synthesise(TEXT, engine.voices()[0], heard.append))
        await asyncio.wait_for(server.model.begun.wait(), PATIENCE_S)
        for _ in range(50):
            await asyncio.sleep(0)
        assert (heard, call.done()) == ([], False)
        server.model.gate.set()
        await asyncio.wait_for(call, PATIENCE_S)
        assert heard == []


# -- when it breaks


@each_kind
@pytest.mark.parametrize("fault", ["cut", "cut at once", "page", "error"])
async def test_what_breaks_is_an_error_and_the_next_sentence_is_whole(kind: Kind, fault: Any) -> None:
    """Status 200 and a cut, a page, status 500: never a whole sentence, and never the end of the engine."""
    async with speaking(kind) as (engine, server):
        server.fault = fault
        with pytest.raises(EngineError) as failed:
            await say(engine)
        assert not isinstance(failed.value, EngineRefused | EngineUnavailable)
        server.fault = ""
        assert implausible(await say(engine), TEXT) is None
        assert server.model.overlaps == 0


@streams
async def test_an_abandoned_sentence_may_end_in_a_cut(kind: Kind) -> None:
    """The server broke while nobody listened any more: the call ends cancelled, and the next sentence is whole."""
    async with speaking(kind) as (engine, server):
        server.fault = "cut"
        server.model.gate.clear()
        call = asyncio.create_task(say(engine))
        await asyncio.wait_for(server.model.begun.wait(), PATIENCE_S)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(call, PATIENCE_S)
        server.fault = ""
        server.model.gate.set()
        assert implausible(await say(engine), TEXT) is None
        assert server.model.overlaps == 0


async def test_a_text_of_too_many_tokens_is_not_the_servers_fault() -> None:
    """It comes as status 500, and is refused: the breaker stays closed."""
    async with speaking("coqui") as (engine, _):
        engine.max_chars = 10_000
        breaker = Breaker()
        for _ in range(5):
            with pytest.raises(EngineRefused, match="too long") as failed:
                await say(engine, "word " * 200)
            breaker.failed(failed.value)
        assert breaker.reason is None


async def test_what_was_to_be_said_is_in_no_error() -> None:
    """Servers repeat requests in their answers; the error does not."""
    async with speaking("api-server", {"speaker": "maid"}, speakers=["maid"]) as (engine, server):
        engine._found.dialect._streams = False  # type: ignore[union-attr, attr-defined]
        server.speakers[:] = []
        secret = "maid not found."
        with pytest.raises(EngineError) as failed:
            await say(engine, secret)
        assert "not found" not in str(failed.value)


@each_kind
async def test_a_server_that_went_away_is_asked_anew_when_it_is_back(kind: Kind) -> None:
    """While it is gone the engine is unavailable; afterwards it speaks, with the speakers there are then."""
    async with standing_in(kind) as server:
        port = int(server.url.rpartition(":")[2])
        engine = engine_for(server.url)
        await engine.start()
        voice = engine.voices()[0]
        await say(engine)
    for _ in range(2):  # the first may still find a connection that just closed
        with pytest.raises(EngineError) as failed:
            await engine.synthesise(TEXT, voice, lambda _: None)
    assert isinstance(failed.value, EngineUnavailable)
    async with standing_in(kind, port, speakers=["Uta Obando"]):
        with pytest.raises(EngineRefused, match="no speaker"):
            await engine.synthesise(TEXT, voice, lambda _: None)
        assert [one.name for one in engine.voices()] == ["Uta Obando"]
        assert implausible(await say(engine), TEXT) is None
        await engine.close()


async def test_a_voice_of_another_model_is_refused() -> None:
    """A clip of one model is never kept under the name of another."""
    async with speaking("streaming", {"revision": "v1"}) as (engine, _):
        voice = engine.voices()[0]
        assert voice.model.endswith(";v1")
        assert {one.model for one in engine.voices()} >= {voice.model}
        assert len({one.model for one in engine.voices()}) == len(engine.voices())
        with pytest.raises(EngineRefused, match="another model"):
            await say(engine, model="streaming;0123;v1")
