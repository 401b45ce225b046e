"""The LiveKit adapter in a real AgentSession without a room, against a real unavoce server and a narrator here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, APIStatusError
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString
from tests.agents.livekit_session import talking
from tests.agents.support import SENTENCES, TEXT, Overheard, engine, until
from tests.support.server import PATIENCE_S, Server, running_server, serving_process

from unavoce import Narrator, RemoteNarrator, load_settings
from unavoce.agents.livekit import TTS, SynthesizeStream
from unavoce.chain.chain import Chain
from unavoce.engines.fake import Step
from unavoce.narration.stage import Stage

ONCE = APIConnectOptions(max_retry=0)
SETTINGS = load_settings(environ={})


@pytest.fixture
async def server(data_dir: Path) -> AsyncIterator[Server]:
    async with running_server(data_dir) as running:
        yield running


@asynccontextmanager
async def speaking(url: str | None, **options: object) -> AsyncIterator[TTS]:
    tts = TTS(url=url, **options)  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield tts
    finally:
        await tts.aclose()


async def test_an_answer_is_one_reply(server: Server) -> None:
    """The whole answer is one unavoce reply of whole sentences, and its sound comes out of the session."""
    async with talking(TTS(url=server.url), list(TEXT)) as (session, capture):
        await session.generate_reply(user_input="Hello")
        (reply,) = server.app.chat.replies
        assert [sentence.text for sentence in reply.narrator.sentences] == SENTENCES
        assert {frame.sample_rate for frame in capture.frames} == {24_000}
        assert np.abs(capture.samples).max() > 1000
        sent_s = sum(reply.narrator.clock._durations)
        assert len(capture.samples) / 24_000 == pytest.approx(sent_s, abs=0.02)
        assert session.history.items[-1].text_content == TEXT


async def test_sound_comes_while_the_model_writes(server: Server) -> None:
    """The first sentence is heard before the model has written the second."""
    go_on = asyncio.Event()
    async with talking(TTS(url=server.url), ["Good evening, sir. Dr. ", go_on, "Smith is here."]) as (session, capture):
        answer = session.generate_reply(user_input="Hello")
        await capture.news.wait()
        go_on.set()
        await answer
    assert server.app.chat.replies[0].text == "Good evening, sir. Dr. Smith is here."


async def test_an_interruption_stops_the_servers_synthesis(data_dir: Path) -> None:
    """Interrupted in mid-answer, the reply ends on the server and its engine is free; the next answer is spoken."""
    never = asyncio.Event()
    hanging = engine("hanging", lambda _, text: Step(hang_after=0) if "Smith" in text else Step())
    async with (
        asyncio.timeout(PATIENCE_S),
        running_server(data_dir, engine=hanging) as server,
        talking(TTS(url=server.url), [TEXT, never]) as (session, capture),
    ):
        answer = session.generate_reply(user_input="Hello")
        await capture.news.wait()
        await until(lambda: hanging.running)
        answer.interrupt(force=True)
        await answer
        await server.app.chat.ended()
        assert (server.app.chat.replies[0].narrator.aborted, hanging.running) == (True, 0)
        session.llm.steps = ["As you wish."]  # type: ignore[union-attr]
        before = len(capture.frames)
        await session.generate_reply(user_input="Go on")
        assert len(capture.frames) > before


async def test_an_engine_that_fails_costs_nothing_but_the_voice(data_dir: Path) -> None:
    """Where the first engine fails before any sound, all of the answer is in the second's voice."""
    primary = engine("primary", lambda _, text: Step(fail_after=0))
    async with (
        running_server(data_dir, engine=primary, fallback=engine("second")) as server,
        RemoteNarrator(server.url) as narrator,
    ):
        overheard = Overheard(narrator)
        async with talking(TTS(narrator=overheard), list(TEXT)) as (session, capture):
            await session.generate_reply(user_input="Hello")
    assert overheard.engines == ["second"] * 3
    assert np.abs(capture.samples).max() > 1000


async def test_the_voice_changes_once_at_most_and_never_back(data_dir: Path) -> None:
    """An engine that fails in the middle and would work again does not get the answer back."""
    primary = engine("primary", lambda _, text: Step(fail_after=0) if "Smith" in text else Step())
    async with (
        running_server(data_dir, engine=primary, fallback=engine("second")) as server,
        RemoteNarrator(server.url) as narrator,
    ):
        overheard = Overheard(narrator)
        async with talking(TTS(narrator=overheard), list(TEXT)) as (session, _):
            await session.generate_reply(user_input="Hello")
    assert overheard.engines == ["primary", "second", "second"]


async def test_a_narrator_in_this_process_serves_too() -> None:
    """Given a Narrator, the adapter needs no server, and leaves it open."""
    stage = Stage(Chain([engine("fake")]), rehearse=False)
    async with asyncio.timeout(PATIENCE_S), Narrator(SETTINGS, stage) as narrator:
        async with talking(TTS(narrator=narrator), list(TEXT)) as (session, capture):
            await session.generate_reply(user_input="Hello")
            assert np.abs(capture.samples).max() > 1000
        assert [chunk.text async for chunk in narrator.speak("Quite so.")] == ["Quite so."]


async def test_a_text_at_once_is_spoken_by_synthesize(server: Server) -> None:
    """`synthesize` gives the frames of the whole text."""
    async with speaking(server.url, sample_rate=8_000) as tts:
        frame = await tts.synthesize(TEXT).collect()
    assert (frame.sample_rate, frame.num_channels) == (8_000, 1)
    assert frame.duration == pytest.approx(sum(server.app.chat.replies[0].narrator.clock._durations), abs=0.02)


async def test_the_words_come_with_their_times(server: Server) -> None:
    """Every displayed word has its place in the sound, in order, the last one ending within it."""
    words: list[TimedString] = []
    async with speaking(server.url) as tts, tts.stream(conn_options=ONCE) as stream:
        stream.push_text(TEXT)
        stream.end_input()
        heard_s = 0.0
        async for event in stream:
            words += event.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])
            heard_s += event.frame.duration
    assert "".join(words).split() == TEXT.split()
    starts, ends = [word.start_time for word in words], [word.end_time for word in words]
    assert starts == sorted(starts)
    assert ends[-1] == pytest.approx(heard_s, abs=0.02)


async def test_a_session_can_take_the_transcript_from_the_words(server: Server) -> None:
    """With `use_tts_aligned_transcript` the conversation holds what was said, word by word."""
    async with talking(TTS(url=server.url), list(TEXT), use_tts_aligned_transcript=True) as (session, _):
        await session.generate_reply(user_input="Hello")
        assert session.history.items[-1].text_content.strip() == TEXT


async def test_an_answer_without_words_is_no_fault(server: Server) -> None:
    """An answer of nothing but code ends in peace: LiveKit would try one without any sound again and again."""
    async with speaking(server.url) as tts, tts.stream(conn_options=ONCE) as stream:
        stream.push_text("```\nprint('hello')\n```\n")
        stream.end_input()
        heard_s = sum([event.frame.duration async for event in stream])
    assert heard_s < 0.05


async def test_a_server_that_is_not_there_is_a_connection_error() -> None:
    """LiveKit learns that trying again may help."""
    async with speaking("http://127.0.0.1:1") as tts:
        with pytest.raises(APIConnectionError, match="no unavoce server answers") as raised:
            await tts.synthesize(TEXT, conn_options=ONCE).collect()
    assert raised.value.retryable


async def test_what_the_server_refuses_is_not_tried_again(server: Server) -> None:
    """An unknown voice is a status error of the 400s, with unavoce's own code."""
    async with speaking(server.url, voice="tenor") as tts:
        with pytest.raises(APIStatusError, match="tenor") as raised:
            await tts.synthesize(TEXT).collect()
    assert (raised.value.status_code, raised.value.retryable, raised.value.body) == (
        400,
        False,
        {"code": "unknown_voice"},
    )


async def test_a_key_is_asked_for_where_keys_are_set(data_dir: Path) -> None:
    """Without one it is status 401; with it the server speaks."""
    async with running_server(data_dir, api_keys=("k1",)) as server, speaking(server.url) as tts:
        with pytest.raises(APIStatusError) as raised:
            await tts.synthesize(TEXT).collect()
        assert raised.value.status_code == 401
        async with speaking(server.url, api_key="k1") as known:
            assert (await known.synthesize(TEXT).collect()).duration > 1


async def test_a_sentence_that_cannot_be_spoken_is_an_error_at_the_end(data_dir: Path) -> None:
    """The others are heard first; the framework is told which one was not."""
    failing = engine("failing", lambda _, text: Step(fail_after=0) if "Smith" in text else Step())
    async with running_server(data_dir, engine=failing) as server, speaking(server.url) as tts:
        heard: list[float] = []
        async with tts.stream(conn_options=ONCE) as stream:
            stream.push_text(TEXT)
            stream.end_input()
            with pytest.raises(APIError, match="number 1"):
                await _hear(stream, heard)
    assert sum(heard) > 0.5


async def _hear(stream: SynthesizeStream, durations_s: list[float]) -> None:
    async for event in stream:
        durations_s.append(event.frame.duration)  # noqa: PERF401 - what was heard before an error counts


async def test_pipers_voice_speaks_an_answer(tmp_path: Path) -> None:
    """With the packaged voice on a server of its own, an answer is seconds of sound."""
    with serving_process(tmp_path, UNAVOCE_PREWARM_PHRASES="") as url:
        async with asyncio.timeout(PATIENCE_S), talking(TTS(url=url), list(TEXT)) as (session, capture):
            await session.generate_reply(user_input="Hello")
    assert 4 < len(capture.samples) / 24_000 < 12
    assert np.abs(capture.samples).max() > 3000
