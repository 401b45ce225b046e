"""The Pipecat adapter in a real Pipeline, against a real unavoce server and a narrator in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from pipecat.frames.frames import TTSAudioRawFrame, TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame, TTSTextFrame
from tests.agents.pipecat_pipeline import talking
from tests.agents.support import SENTENCES, TEXT, Overheard, engine, until
from tests.support.server import PATIENCE_S, Server, running_server, serving_process

from unavoce import Narrator, RemoteNarrator, load_settings
from unavoce.agents.pipecat import TTSService
from unavoce.chain.chain import Chain
from unavoce.engines.fake import Step
from unavoce.errors import EngineError, EngineUnavailable, RequestError
from unavoce.narration.stage import Stage

SETTINGS = load_settings(environ={})


@pytest.fixture
async def server(data_dir: Path) -> AsyncIterator[Server]:
    async with running_server(data_dir) as running:
        yield running


async def test_an_answer_is_one_reply(server: Server) -> None:
    """The whole answer is one unavoce reply of whole sentences, and its sound leaves the pipeline once."""
    async with asyncio.timeout(PATIENCE_S), talking(TTSService(url=server.url), list(TEXT)) as bot:
        await bot.answer("Hello")
        (reply,) = server.app.chat.replies
        assert [sentence.text for sentence in reply.narrator.sentences] == SENTENCES
        assert [len(bot.heard.of(kind)) for kind in (TTSStartedFrame, TTSStoppedFrame)] == [1, 1]
        assert {frame.sample_rate for frame in bot.heard.frames if isinstance(frame, TTSAudioRawFrame)} == {24_000}
        sent_s = sum(reply.narrator.clock._durations)
        assert len(bot.heard.samples) / 24_000 == pytest.approx(sent_s, abs=0.02)
        assert np.abs(bot.heard.samples).max() > 1000


async def test_the_words_follow_as_they_are_heard(server: Server) -> None:
    """Every word of the text comes out once and in order, timed, for the conversation's context."""
    async with asyncio.timeout(PATIENCE_S), talking(TTSService(url=server.url), list(TEXT)) as bot:
        await bot.answer("Hello")
        assert bot.heard.words == TEXT
        times = [frame.pts for frame in bot.heard.of(TTSTextFrame)]
        assert times == sorted(times)  # type: ignore[type-var]


async def test_sound_comes_while_the_model_writes(server: Server) -> None:
    """The first sentence is heard before the model has written the second."""
    go_on = asyncio.Event()
    steps = ["Good evening, sir. Dr. ", go_on, "Smith is here."]
    async with asyncio.timeout(PATIENCE_S), talking(TTSService(url=server.url), steps) as bot:
        await bot.hear("Hello")
        await bot.until(TTSAudioRawFrame)
        go_on.set()
        await bot.until(TTSStoppedFrame)
        assert server.app.chat.replies[0].text == "Good evening, sir. Dr. Smith is here."


async def test_an_interruption_stops_the_servers_synthesis(data_dir: Path) -> None:
    """Interrupted in mid-answer, the reply ends on the server and its engine is free; the next answer is spoken."""
    hanging = engine("hanging", lambda _, text: Step(hang_after=0) if "Smith" in text else Step())
    async with (
        asyncio.timeout(PATIENCE_S),
        running_server(data_dir, engine=hanging) as server,
        talking(TTSService(url=server.url), [TEXT]) as bot,
    ):
        await bot.hear("Hello")
        await bot.until(TTSAudioRawFrame)
        await until(lambda: hanging.running)
        await bot.interrupt()
        await server.app.chat.ended()
        assert (server.app.chat.replies[0].narrator.aborted, hanging.running) == (True, 0)
        bot.llm.steps = ["As you wish."]
        heard = len(bot.heard.samples)
        await bot.answer("Go on")
        assert len(bot.heard.samples) > heard
        assert bot.heard.words.endswith("As you wish.")


async def test_an_engine_that_fails_costs_nothing_but_the_voice(data_dir: Path) -> None:
    """Where the first engine fails before any sound, all of the answer is in the second's voice."""
    primary = engine("primary", lambda _, text: Step(fail_after=0))
    async with (
        running_server(data_dir, engine=primary, fallback=engine("second")) as server,
        asyncio.timeout(PATIENCE_S),
        RemoteNarrator(server.url) as narrator,
    ):
        overheard = Overheard(narrator)
        async with talking(TTSService(narrator=overheard), list(TEXT)) as bot:
            await bot.answer("Hello")
    assert overheard.engines == ["second"] * 3
    assert np.abs(bot.heard.samples).max() > 1000


async def test_the_voice_changes_once_at_most_and_never_back(data_dir: Path) -> None:
    """An engine that fails in the middle and would work again does not get the answer back."""
    primary = engine("primary", lambda _, text: Step(fail_after=0) if "Smith" in text else Step())
    async with (
        running_server(data_dir, engine=primary, fallback=engine("second")) as server,
        asyncio.timeout(PATIENCE_S),
        RemoteNarrator(server.url) as narrator,
    ):
        overheard = Overheard(narrator)
        async with talking(TTSService(narrator=overheard), list(TEXT)) as bot:
            await bot.answer("Hello")
    assert overheard.engines == ["primary", "second", "second"]


async def test_a_narrator_in_this_process_serves_too() -> None:
    """Given a Narrator, the adapter needs no server, and leaves it open."""
    stage = Stage(Chain([engine("fake")]), rehearse=False)
    async with asyncio.timeout(PATIENCE_S), Narrator(SETTINGS, stage) as narrator:
        async with talking(TTSService(narrator=narrator), list(TEXT)) as bot:
            await bot.answer("Hello")
            assert bot.heard.words == TEXT
        assert [chunk.text async for chunk in narrator.speak("Quite so.")] == ["Quite so."]


async def test_a_text_to_be_said_is_a_reply_of_its_own(server: Server) -> None:
    """A TTSSpeakFrame outside an answer is spoken whole."""
    async with asyncio.timeout(PATIENCE_S), talking(TTSService(url=server.url), []) as bot:
        await bot.worker.queue_frame(TTSSpeakFrame(TEXT))
        await bot.until(TTSStoppedFrame)
        assert bot.heard.words == TEXT
        assert [reply.text for reply in server.app.chat.replies] == [TEXT]


async def test_an_answer_without_words_is_no_fault(server: Server) -> None:
    """Answers of nothing but code end in peace: Pipecat would give up a service that is silent three times."""
    async with asyncio.timeout(PATIENCE_S), talking(TTSService(url=server.url), ["```\nprint('hello')\n```\n"]) as bot:
        for count in range(1, 5):
            await bot.answer("Hello", count)
        assert bot.llm.errors == []
        assert len(bot.heard.samples) / 24_000 < 0.1


@pytest.mark.parametrize(
    ("voice", "address", "kind"), [("tenor", "", RequestError), (None, "http://127.0.0.1:1", EngineUnavailable)]
)
async def test_what_goes_wrong_is_an_error_frame(server: Server, voice: str | None, address: str, kind: type) -> None:
    """An unknown voice, or no server, is told upstream with unavoce's own error, and the turn ends."""
    tts = TTSService(url=address or server.url, voice=voice)
    async with asyncio.timeout(PATIENCE_S), talking(tts, list(TEXT)) as bot:
        await bot.answer("Hello")
        await until(lambda: bot.llm.errors)
        assert isinstance(bot.llm.errors[0].exception, kind)


async def test_a_sentence_that_cannot_be_spoken_is_told_and_the_others_are_heard(data_dir: Path) -> None:
    """The error comes after the sound, and the next answer is spoken."""
    failing = engine("failing", lambda _, text: Step(fail_after=0) if "Smith" in text else Step())
    async with (
        running_server(data_dir, engine=failing) as server,
        asyncio.timeout(PATIENCE_S),
        talking(TTSService(url=server.url), list(TEXT)) as bot,
    ):
        await bot.answer("Hello")
        await until(lambda: bot.llm.errors)
        assert isinstance(bot.llm.errors[0].exception, EngineError)
        assert len(bot.heard.samples) / 24_000 > 0.5
        bot.llm.steps = ["As you wish."]
        await bot.answer("Go on", 2)
        assert bot.heard.words.endswith("As you wish.")


async def test_pipers_voice_speaks_an_answer(tmp_path: Path) -> None:
    """With the packaged voice on a server of its own, an answer is seconds of sound."""
    with serving_process(tmp_path, UNAVOCE_PREWARM_PHRASES="") as url:
        async with asyncio.timeout(PATIENCE_S), talking(TTSService(url=url), list(TEXT)) as bot:
            await bot.answer("Hello")
    assert 4 < len(bot.heard.samples) / 24_000 < 12
    assert np.abs(bot.heard.samples).max() > 3000
