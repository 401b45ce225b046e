"""RemoteNarrator on a real server: the loop of the library, the engines of the server."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import soundfile
from tests.support.server import PATIENCE_S, quick_engine, running_server, wire_to

from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineError, EngineUnavailable, RequestError
from unavoce.narration.events import Chunk
from unavoce.remote import RemoteNarrator, feeder, replies, reply

TEXT = "Good evening, sir. Dinner is served. The car waits outside."
SENTENCES = ["Good evening, sir.", "Dinner is served.", "The car waits outside."]


@asynccontextmanager
async def narrating(url: str, api_key: str | None = None) -> AsyncIterator[RemoteNarrator]:
    async with asyncio.timeout(PATIENCE_S), RemoteNarrator(url, api_key) as narrator:
        yield narrator


async def heard(chunks: AsyncGenerator[Chunk, None], into: list[Chunk] | None = None) -> list[Chunk]:
    into = [] if into is None else into
    async for chunk in chunks:
        into.append(chunk)
    return into


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks if chunk.text]


async def tokens(*steps: str | asyncio.Event | Exception) -> AsyncIterator[str]:
    for step in steps:
        await asyncio.sleep(0)
        if isinstance(step, asyncio.Event):
            await step.wait()
        elif isinstance(step, Exception):
            raise step
        else:
            yield step


async def test_a_stream_of_tokens_becomes_the_servers_chunks(data_dir: Path) -> None:
    """Every sentence is heard once and in order, and each chunk is what the server sent, decoded."""
    async with running_server(data_dir) as server, narrating(server.url) as narrator:
        chunks = await heard(narrator.speak(tokens(*TEXT)))
    assert texts(chunks) == SENTENCES
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert {(chunk.engine, chunk.voice, chunk.content_type) for chunk in chunks} == {("fake", "tone", "audio/wav")}
    for chunk in chunks:
        samples, rate_hz = soundfile.read(io.BytesIO(chunk.audio), dtype="int16")
        assert rate_hz == chunk.rate_hz
        assert np.array_equal(samples, chunk.samples)
    assert [call.spoken for call in server.engine.calls if call.spoken in SENTENCES] == SENTENCES


async def test_sound_comes_while_the_text_is_being_written(data_dir: Path) -> None:
    """The first sentence is heard before the second has been written."""
    go_on = asyncio.Event()
    async with running_server(data_dir) as server, narrating(server.url) as narrator:
        stream = narrator.speak(tokens("Good evening, sir. Dinner ", go_on, "is served."))
        first = await anext(stream)
        go_on.set()
        rest = await heard(stream)
    assert texts([first, *rest]) == SENTENCES[:2]


async def test_opus_is_decoded_too(data_dir: Path) -> None:
    """Asked for Opus, the chunks hold Ogg files and the samples have the length of the same reply in WAV."""
    async with running_server(data_dir, sample_rate_hz=24_000) as server, narrating(server.url) as narrator:
        wav = await heard(narrator.speak(TEXT))
        opus = await heard(narrator.speak(TEXT, format="opus"))
    assert {chunk.content_type for chunk in opus} == {"audio/ogg; codecs=opus"}
    assert sum(len(chunk.samples) for chunk in opus) == sum(len(chunk.samples) for chunk in wav)
    assert max(np.abs(chunk.samples).max() for chunk in opus) > 500


async def test_replies_share_a_connection_and_not_their_sound(data_dir: Path) -> None:
    """Several at once over one connection each hear their own text in their own voice."""
    engine = quick_engine(voices=("butler", "maid"))
    async with running_server(data_dir, engine=engine) as server, narrating(server.url) as narrator:
        one, other = await asyncio.gather(
            heard(narrator.speak(tokens(*TEXT), voice="butler")), heard(narrator.speak("As you wish.", voice="maid"))
        )
        assert server.app.sockets.connections == 1
    assert (texts(one), {chunk.voice for chunk in one}) == (SENTENCES, {"butler"})
    assert (texts(other), {chunk.voice for chunk in other}) == (["As you wish."], {"maid"})


async def test_leaving_the_loop_stops_the_reply_on_the_server(data_dir: Path) -> None:
    """After a break nothing is synthesised there, and the source is closed here."""
    closed: list[bool] = []

    async def source() -> AsyncIterator[str]:
        try:
            yield "Good evening, sir. And now a long tale. "
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    hanging = FakeEngine(
        FakeOptions(rate_hz=8_000, delay_s=0, real_time_factor=0),
        script=lambda _, text: Step(hang_after=0) if "tale" in text else Step(),
    )
    async with running_server(data_dir, engine=hanging) as server, narrating(server.url) as narrator:
        async with aclosing(narrator.speak(source())) as stream:
            async for _ in stream:
                break
        await server.app.chat.ended()
        assert closed == [True]
        assert hanging.running == 0
        assert texts(await heard(narrator.speak("Good evening, sir."))) == ["Good evening, sir."]


async def test_leaving_before_the_server_has_answered_stops_it_too(data_dir: Path) -> None:
    """A reply that is given up while it is being begun does not go on unheard."""
    async with running_server(data_dir) as server, narrating(server.url) as narrator:
        task = asyncio.create_task(heard(narrator.speak(tokens("Good evening.", asyncio.Event()))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await heard(narrator.speak("Quite so."))  # what was sent before this has arrived
        await server.app.chat.ended()
    assert task.cancelled()


async def test_a_connection_lost_after_the_text_costs_nothing(data_dir: Path) -> None:
    """Cut in mid-reply, it is made anew and every chunk is heard once and in order."""
    engine = quick_engine(delay_s=0.3)
    async with (
        running_server(data_dir, engine=engine) as server,
        wire_to(server.url) as wire,
        narrating(wire.url) as narrator,
    ):
        stream = narrator.speak(TEXT)
        chunks = [await anext(stream)]
        wire.cut()
        await heard(stream, chunks)
    assert texts(chunks) == SENTENCES
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))


async def test_a_connection_lost_within_the_text_is_told(data_dir: Path) -> None:
    """What was heard until then stays, the reply ends with EngineUnavailable, and the next one is spoken."""
    async with running_server(data_dir) as server, wire_to(server.url) as wire, narrating(wire.url) as narrator:
        stream = narrator.speak(tokens("Good evening, sir. Dinner ", asyncio.Event()))
        chunks = [await anext(stream)]
        wire.cut()
        with pytest.raises(EngineUnavailable, match="while the text was being written"):
            await heard(stream, chunks)
        assert texts(chunks) == SENTENCES[:1]
        assert texts(await heard(narrator.speak("Here I am again."))) == ["Here I am again."]


async def test_a_server_that_stays_away_ends_the_reply(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the grace the reply ends with EngineUnavailable, and so does the next one."""
    monkeypatch.setattr(replies, "GRACE_S", 0.05)
    monkeypatch.setattr("unavoce.remote.narrator.CONNECT_TIMEOUT_S", 0.05)
    engine = quick_engine(delay_s=0.3)
    async with (
        running_server(data_dir, engine=engine) as server,
        wire_to(server.url) as wire,
        narrating(wire.url) as narrator,
    ):
        stream = narrator.speak(TEXT)
        await anext(stream)
        wire.far_url = "http://127.0.0.1:1"
        wire.cut()
        with pytest.raises(EngineUnavailable, match="lost for more than"):
            await heard(stream)
        with pytest.raises(EngineUnavailable):
            await heard(narrator.speak(TEXT))
        wire.far_url = server.url
        assert texts(await heard(narrator.speak(TEXT))) == SENTENCES


async def test_a_server_that_was_started_anew_does_not_know_the_reply(tmp_path: Path) -> None:
    """The reply ends with EngineUnavailable that says so; the same narrator goes on with the new server."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with (
        running_server(tmp_path / "one", engine=quick_engine(delay_s=0.3)) as old,
        running_server(tmp_path / "two") as new,
        wire_to(old.url) as wire,
        narrating(wire.url) as narrator,
    ):
        stream = narrator.speak(TEXT)
        await anext(stream)
        wire.far_url = new.url
        wire.cut()
        with pytest.raises(EngineUnavailable, match="started anew"):
            await heard(stream)
        assert texts(await heard(narrator.speak(TEXT))) == SENTENCES


async def test_no_server_is_told_at_once() -> None:
    """Nobody there is EngineUnavailable that names the address."""
    with pytest.raises(EngineUnavailable, match="no unavoce server answers at"):
        async with narrating("http://127.0.0.1:1"):
            pass


async def test_a_server_that_is_stopping_is_one_that_is_not_there(data_dir: Path) -> None:
    """It takes no new reply, over an old connection or a new one: EngineUnavailable, for which trying again helps."""
    async with running_server(data_dir) as server, narrating(server.url) as narrator:
        server.app.stopping.told()
        with pytest.raises(EngineUnavailable, match="stopping"):
            await heard(narrator.speak(TEXT))
        with pytest.raises(EngineUnavailable, match="stopping"):
            await heard(RemoteNarrator(server.url).speak(TEXT))


async def test_a_key_is_asked_for_where_keys_are_set(data_dir: Path) -> None:
    """Without one it is RequestError `unauthorised`; with it the server speaks."""
    async with running_server(data_dir, api_keys=("k1",)) as server:
        with pytest.raises(RequestError) as refused:
            async with narrating(server.url):
                pass
        assert refused.value.code == "unauthorised"
        async with narrating(server.url, "k1") as narrator:
            assert texts(await heard(narrator.speak(TEXT))) == SENTENCES


async def test_what_the_server_refuses_keeps_its_code(data_dir: Path) -> None:
    """An unknown voice is RequestError `unknown_voice`, a text too long `too_long`; the next reply is spoken."""
    async with running_server(data_dir, max_reply_chars=1_000) as server, narrating(server.url) as narrator:
        for code, text, voice in (("unknown_voice", TEXT, "tenor"), ("too_long", "x" * 1_001, None)):
            with pytest.raises(RequestError) as refused:
                await heard(narrator.speak(text, voice=voice))
            assert refused.value.code == code
        assert texts(await heard(narrator.speak(TEXT))) == SENTENCES


async def test_a_sentence_that_cannot_be_spoken_is_told_at_the_end(data_dir: Path) -> None:
    """The others are heard, then EngineError names its number."""
    engine = quick_engine()
    engine.script = lambda _, text: Step(fail_after=0) if "Dinner" in text else Step()
    chunks: list[Chunk] = []
    async with running_server(data_dir, engine=engine) as server, narrating(server.url) as narrator:
        with pytest.raises(EngineError, match="number 1"):
            await heard(narrator.speak(TEXT), chunks)
    assert texts(chunks) == [SENTENCES[0], SENTENCES[2]]


async def test_an_error_of_the_source_comes_after_what_was_said(data_dir: Path) -> None:
    """What came before it is spoken, then it is raised as it is."""
    chunks: list[Chunk] = []
    async with running_server(data_dir) as server, narrating(server.url) as narrator:
        with pytest.raises(LookupError, match="gone"):
            await heard(narrator.speak(tokens("Good evening, sir. ", LookupError("gone"))), chunks)
    assert texts(chunks) == SENTENCES[:1]


async def test_a_source_that_thinks_long_is_waited_for(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence between tokens beyond the server's patience does not end the text."""
    monkeypatch.setattr(feeder, "ALIVE_S", 0.02)
    monkeypatch.setattr("unavoce.chat.speech_input.IDLE_S", 1.0)

    async def slow() -> AsyncIterator[str]:
        yield "Good evening, sir. "
        await asyncio.sleep(2)
        yield "Dinner is served."

    async with running_server(data_dir) as server, narrating(server.url) as narrator:
        assert texts(await heard(narrator.speak(slow()))) == SENTENCES[:2]


async def test_a_loop_that_takes_little_holds_the_server_back(data_dir: Path) -> None:
    """Where sound waits here, the server is told that it has not been played yet."""
    told: asyncio.Future[tuple[int, float]] = asyncio.get_running_loop().create_future()
    engine = quick_engine(s_per_char=0.5)
    async with running_server(data_dir, engine=engine) as server, narrating(server.url) as narrator:

        def played(_client: object, _reply_id: str, index: int, position_s: float) -> None:
            if not told.done():
                told.set_result((index, position_s))

        with patch.object(server.app.chat, "played", played):
            async with aclosing(narrator.speak(TEXT * 30)) as stream:
                first = await anext(stream)
                assert await told == (first.index, 0)
        await server.app.chat.ended()


async def test_sound_that_nobody_takes_is_bounded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply with more sound waiting than the bound ends with EngineError, here and on the server."""
    monkeypatch.setattr(reply, "MAX_WAITING_BYTES", 20_000)
    async with running_server(data_dir) as server, narrating(server.url) as narrator:
        stream = narrator.speak(TEXT * 3)
        await anext(stream)
        running = server.app.chat.replies[0]
        while not running.over and running.next_index < 6:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
        with pytest.raises(EngineError, match="20000 bytes"):
            await heard(stream)
        await server.app.chat.ended()
