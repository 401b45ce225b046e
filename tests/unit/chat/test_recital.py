"""A recital: text in, sound out to the same caller, within the limits of all replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from tests.support.server import RATE_HZ, ScriptedModel, quick_engine
from tests.support.virtual_time import run_virtually as run

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat, Limits
from unavoce.chat.client import Caller
from unavoce.chat.traces import TracedReply
from unavoce.engines.fake import Step
from unavoce.errors import EngineError, RequestError
from unavoce.narration.planner import SoundSettings
from unavoce.narration.stage import Stage

ANNA, BEN = Caller("anna", "10.0.0.1"), Caller("ben", "10.0.0.2")
TEXT = "Certainly, sir. The kettle is on. It sings."


@asynccontextmanager
async def chatting(replies: int = 64, silent_on: str = "") -> AsyncIterator[Chat]:
    engine = quick_engine()
    engine.script = lambda _, spoken: Step(fail_after=0) if spoken == silent_on else Step()
    stage = Stage(Chain([engine]), rehearse=False)
    sound, limits = SoundSettings(rate_hz=RATE_HZ), Limits(replies=replies)
    async with stage, Chat(stage, ScriptedModel(), sound=sound, limits=limits) as chat:
        yield chat


def test_its_sound_comes_in_order_and_is_the_whole_text() -> None:
    """Every sentence's chunks come one after the other, as WAV and as the same samples."""

    async def scenario() -> None:
        async with chatting() as chat, chat.recite(ANNA, "openai", TEXT) as recital:
            chunks = [chunk async for chunk in recital]
            recital.check()
        assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
        assert [chunk.text for chunk in chunks if chunk.text] == ["Certainly, sir.", "The kettle is on.", "It sings."]
        for chunk in chunks:
            assert np.array_equal(np.frombuffer(chunk.audio[-2 * len(chunk.samples) :], "<i2"), chunk.samples)

    run(scenario())


def test_it_speaks_at_the_rate_that_the_door_asks_for() -> None:
    """`rate_hz` of a recital wins over the operator's."""

    async def scenario() -> None:
        async with chatting() as chat, chat.recite(ANNA, "openai", TEXT, rate_hz=24_000) as recital:
            assert {chunk.rate_hz async for chunk in recital} == {24_000}

    run(scenario())


def test_leaving_early_stops_it() -> None:
    """Who leaves after the first chunk leaves nothing running, and the trace says so."""

    async def scenario() -> None:
        async with chatting() as chat:
            async with chat.recite(ANNA, "openai", TEXT) as recital:
                assert chat.running == 1
                async for _ in recital:
                    break
            assert chat.running == 0
            assert chat.trace("anna", recital.id)["status"] == "aborted"

    run(scenario())


def test_cancelled_twice_it_is_forgotten_all_the_same() -> None:
    """A door that is torn down while it waits for the end of its recital leaves nothing behind."""

    async def visit(chat: Chat) -> None:
        async with chat.recite(ANNA, "openai", TEXT) as recital:
            async for _ in recital:
                await asyncio.Event().wait()

    async def scenario() -> None:
        async with chatting() as chat:
            visiting = asyncio.create_task(visit(chat))
            await asyncio.sleep(1)
            assert chat.running == 1
            visiting.cancel()
            await asyncio.sleep(0)  # it has left the loop, and waits
            visiting.cancel()
            await asyncio.wait([visiting])
            await asyncio.sleep(1)
            assert chat.running == 0
            assert chat._replies.all == ()

    run(scenario())


def test_it_counts_as_a_reply() -> None:
    """Where as many replies run as may, it is refused as busy; it holds others off likewise."""

    async def scenario() -> None:
        async with chatting(replies=1) as chat, chat.recite(ANNA, "openai", TEXT):
            with pytest.raises(RequestError) as refused:
                async with chat.recite(BEN, "wyoming", TEXT):
                    pass
            assert refused.value.code == "busy"

    run(scenario())


@pytest.mark.parametrize(
    ("text", "voice", "code"),
    [(" ", None, "empty"), ("a" * 8_001, None, "too_long"), ("Hello.", "nobody", "unknown_voice")],
)
def test_what_cannot_be_spoken_is_refused_at_once(text: str, voice: str | None, code: str) -> None:
    """An empty or too long text and an unknown voice are refused before anything is spoken."""

    async def scenario() -> None:
        async with chatting() as chat:
            with pytest.raises(RequestError) as refused:
                async with chat.recite(ANNA, "openai", text, voice=voice):
                    pass
            assert refused.value.code == code
            assert chat.running == 0

    run(scenario())


def test_a_sentence_that_nobody_can_speak_is_told_at_the_end() -> None:
    """The others are spoken, and `check` names what was not."""

    async def scenario() -> None:
        async with chatting(silent_on="The kettle is on.") as chat, chat.recite(ANNA, "openai", TEXT) as recital:
            spoken = [chunk.text async for chunk in recital if chunk.text]
            assert spoken == ["Certainly, sir.", "It sings."]
            with pytest.raises(EngineError, match="1 sentence"):
                recital.check()
            assert [one.sentence for one in recital.skipped] == [1]

    run(scenario())


def test_a_text_that_breaks_off_is_spoken_as_far_as_it_came() -> None:
    """The error of the caller's own stream is raised by `check`, after the sound."""

    async def breaking() -> AsyncIterator[str]:
        yield "Certainly, sir. "
        await asyncio.sleep(0)
        raise ConnectionError("gone")

    async def scenario() -> None:
        async with chatting() as chat, chat.recite(ANNA, "wyoming", breaking()) as recital:
            assert [chunk.text async for chunk in recital if chunk.text] == ["Certainly, sir."]
            with pytest.raises(ConnectionError):
                recital.check()

    run(scenario())


def test_its_trace_is_its_callers_alone() -> None:
    """Another key is told that there is no such reply."""

    async def scenario() -> None:
        async with chatting() as chat:
            async with chat.recite(ANNA, "openai", TEXT) as recital:
                async for _ in recital:
                    pass
            assert chat.trace("anna", recital.id)["status"] == "complete"
            with pytest.raises(RequestError, match="not known"):
                chat.trace("ben", recital.id)

    run(scenario())


def test_whoever_watches_sees_each_reply_that_is_over() -> None:
    """A watcher is told of a recital once, with the door it came through."""

    async def scenario() -> None:
        seen: list[TracedReply] = []
        async with chatting() as chat:
            chat.watch(seen.append)
            async with chat.recite(ANNA, "openai", TEXT) as recital:
                async for _ in recital:
                    pass
        assert [(one.reply_id, one.door) for one in seen] == [(recital.id, "openai")]

    run(scenario())


def test_a_chat_that_stops_taking_lets_what_runs_come_to_its_end() -> None:
    """Whatever would begin is refused as `stopping`, before anything else about it is looked at; a recital goes on."""

    async def scenario() -> None:
        async with chatting() as chat:
            async with chat.recite(ANNA, "openai", TEXT) as recital:
                chat.stop_taking()
                for text, voice in ((TEXT, None), (" ", "nobody")):
                    with pytest.raises(RequestError) as refused:
                        async with chat.recite(BEN, "wyoming", text, voice=voice):
                            pass
                    assert refused.value.code == "stopping"
                assert len([chunk.text async for chunk in recital if chunk.text]) == 3
            assert chat.trace("anna", recital.id)["status"] == "complete"

    run(scenario())
