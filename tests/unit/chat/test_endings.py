"""What is told of a reply that is over: its line in the log, and whoever watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from tests.support.server import RATE_HZ, ScriptedModel, quick_engine
from tests.support.virtual_time import run_virtually as run

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller
from unavoce.chat.traces import TracedReply
from unavoce.engines.fake import Step
from unavoce.narration.planner import SoundSettings
from unavoce.narration.stage import Stage

TEXT = "Certainly, sir. The kettle is on. It sings."


@asynccontextmanager
async def chatting(silent_on: str = "", **options: Any) -> AsyncIterator[Chat]:
    engine = quick_engine()
    engine.script = lambda _, spoken: Step(fail_after=0) if spoken == silent_on else Step()
    stage = Stage(Chain([engine]), rehearse=False)
    async with stage, Chat(stage, ScriptedModel(), sound=SoundSettings(rate_hz=RATE_HZ), **options) as chat:
        yield chat


async def _recited(chat: Chat, text: AsyncIterator[str] | str = TEXT) -> str:
    async with chat.recite(Caller("digest-of-a-key", "10.0.0.1"), "openai", text) as recital:
        async for _ in recital:
            pass
    return recital.id


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.message == "reply_done"]


def test_a_reply_leaves_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Its id, door, end, engines, times and counts stand there; no text, no key and no address."""

    async def scenario() -> str:
        async with chatting(silent_on="The kettle is on.") as chat:
            return await _recited(chat)

    with caplog.at_level(logging.INFO, "unavoce"):
        reply = run(scenario())
    (line,) = _lines(caplog)
    assert (line["reply"], line["door"], line["end"], line["engines"]) == (reply, "openai", "failed", "fake")
    assert (line["sentences"], line["skipped"], line["from_engines"], line["from_memory"]) == (3, 1, 2, 0)
    assert 0 <= line["first_token_ms"] <= line["first_sentence_ms"] <= line["first_sound_ms"] <= line["last_sound_ms"]
    assert line["sound_ms"] > 0
    for private in ("kettle", "digest-of-a-key", "10.0.0.1"):
        assert private not in str(line)


def test_its_text_is_there_on_purpose_only(caplog: pytest.LogCaptureFixture) -> None:
    """With `log_text` the line has the whole text."""

    async def scenario() -> None:
        async with chatting(log_text=True) as chat:
            await _recited(chat)

    with caplog.at_level(logging.INFO, "unavoce"):
        run(scenario())
    assert [line["text"] for line in _lines(caplog)] == [TEXT]


def test_a_watcher_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; the other watchers are called, and the next reply runs."""

    def fails(_: TracedReply) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with chatting() as chat:
            seen: list[TracedReply] = []
            chat.watch(fails)
            chat.watch(seen.append)
            ids = [await _recited(chat), await _recited(chat)]
            assert [one.reply_id for one in seen] == ids

    run(scenario())
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "reply_watcher_failed",
        "reply_watcher_failed",
    ]


def test_silence_between_sentences_is_told_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    """A text that pauses leaves its listener dry before each sentence but the first; the silence in the log is that
    between their times in the trace."""

    async def pausing() -> AsyncIterator[str]:
        for sentence in TEXT.split(". "):
            yield f"{sentence.removesuffix('.')}. "
            await asyncio.sleep(10.0)

    async def scenario() -> float:
        async with chatting() as chat:
            told = chat.trace("digest-of-a-key", await _recited(chat, pausing()))
            plays = [(one["playsFromMs"], one["playsToMs"]) for one in told["sentences"]]
        return sum(begins - ended for (_, ended), (begins, _) in pairwise(plays))

    with caplog.at_level(logging.INFO, "unavoce"):
        silence_ms = run(scenario())
    (line,) = _lines(caplog)
    assert line["underruns"] == 2
    assert silence_ms > 10_000
    assert line["silence_ms"] == pytest.approx(silence_ms, abs=4)
