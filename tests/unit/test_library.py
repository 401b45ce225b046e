"""unavoce as a library. On a virtual clock, with the fake engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from tests.support.virtual_time import run_virtually

import unavoce
from unavoce import Narrator, SettingsError, load_settings
from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineError, RequestError
from unavoce.narration.events import Chunk
from unavoce.narration.stage import Stage

TEXT = "Certainly, sir. The kettle is on. Dinner will be served at eight."
Work = Callable[[Narrator], Awaitable[None]]


def narrate(work: Work, engine: FakeEngine | None = None) -> FakeEngine:
    fake = engine or FakeEngine(FakeOptions(voices=("butler", "maid")))
    settings = load_settings(environ={})

    async def run() -> None:
        async with Narrator(settings, Stage(Chain([fake]), rehearse=False)) as narrator:
            await work(narrator)

    run_virtually(run())
    return fake


async def hear(stream: AsyncGenerator[Chunk, None], heard: list[str]) -> None:
    async for chunk in stream:
        heard.append(chunk.text)  # noqa: PERF401 - what was heard before an error counts


async def tokens(text: str = TEXT) -> AsyncIterator[str]:
    for word in text.split(" "):
        await asyncio.sleep(0.03)
        yield word + " "


def test_a_stream_of_tokens_becomes_chunks_in_order() -> None:
    """Every sentence is heard once, in order, and each chunk says what it is."""

    async def work(narrator: Narrator) -> None:
        chunks = [chunk async for chunk in narrator.speak(tokens())]
        assert [chunk.index for chunk in chunks] == [0, 1, 2]
        assert [chunk.sentence for chunk in chunks] == [0, 1, 2]
        assert [chunk.text for chunk in chunks] == [
            "Certainly, sir.",
            "The kettle is on.",
            "Dinner will be served at eight.",
        ]
        first = chunks[0]
        assert (first.engine, first.voice, first.content_type, first.rate_hz) == ("fake", "butler", "audio/wav", 24_000)
        assert first.last
        assert np.abs(first.samples).max() > 0

    narrate(work)


def test_sound_starts_while_text_is_still_being_written() -> None:
    """The first chunk is there before the last token."""

    async def work(narrator: Narrator) -> None:
        written: list[str] = []

        async def slow() -> AsyncIterator[str]:
            async for token in tokens(TEXT + " And so on, and so on, for a long while yet."):
                written.append(token)
                yield token

        heard_after = [len(written) async for _ in narrator.speak(slow())]
        assert heard_after[0] < len(written)

    narrate(work)


def test_synthesis_begins_before_text_that_is_ready_is_all_read() -> None:
    """A source that never pauses does not keep its own first sentence from the engine."""
    fake = FakeEngine()
    called_after: list[int] = []

    async def work(narrator: Narrator) -> None:
        async def eager() -> AsyncIterator[str]:
            for number, word in enumerate((TEXT * 20).split(" ")):
                if fake.calls and not called_after:
                    called_after.append(number)
                yield word + " "

        async for _ in narrator.speak(eager()):
            pass

    narrate(work, fake)
    assert called_after
    assert called_after[0] < 10


def test_a_long_text_is_made_as_fast_as_it_is_taken() -> None:
    """Nobody waits for a playback clock where the loop itself is the listener."""

    async def work(narrator: Narrator) -> None:
        started = asyncio.get_running_loop().time()
        spoken_s = sum([chunk.duration_s async for chunk in narrator.speak(TEXT * 20)])
        assert spoken_s > 60
        assert asyncio.get_running_loop().time() - started < spoken_s / 2

    narrate(work)


def test_leaving_the_loop_early_cancels_the_rest() -> None:
    """After a break nothing is synthesised any more and the source is closed."""
    closed: list[bool] = []

    async def work(narrator: Narrator) -> None:
        async def source() -> AsyncIterator[str]:
            try:
                async for token in tokens(TEXT * 50):
                    yield token
            finally:
                closed.append(True)

        stream = narrator.speak(source())
        async for _ in stream:
            break
        await stream.aclose()
        await asyncio.sleep(1)

    fake = narrate(work)
    assert closed == [True]
    assert len(fake.calls) < 12
    assert all(call.outcome != "running" for call in fake.calls)


def test_replies_may_run_side_by_side() -> None:
    """Two loops over one narrator each get their own text in their own voice."""

    async def work(narrator: Narrator) -> None:
        async def collect(text: str, voice: str) -> list[Chunk]:
            return [chunk async for chunk in narrator.speak(tokens(text), voice=voice)]

        one, other = await asyncio.gather(collect(TEXT, "butler"), collect("Nothing of the sort.", "maid"))
        assert {chunk.voice for chunk in one} == {"butler"}
        assert [(chunk.text, chunk.voice) for chunk in other] == [("Nothing of the sort.", "maid")]

    narrate(work)


def test_an_error_of_the_source_comes_after_what_was_said() -> None:
    """What came before the fault is spoken, then the fault is raised as it is."""

    async def work(narrator: Narrator) -> None:
        async def broken() -> AsyncIterator[str]:
            yield "This much is known. "
            raise LookupError("the rest is gone")

        heard: list[str] = []
        with pytest.raises(LookupError, match="the rest is gone"):
            await hear(narrator.speak(broken()), heard)
        assert heard == ["This much is known."]

    narrate(work)


def test_a_sentence_that_cannot_be_spoken_is_not_dropped_in_silence() -> None:
    """The others are spoken, then EngineError names the one that was not."""

    async def work(narrator: Narrator) -> None:
        heard: list[str] = []
        with pytest.raises(EngineError, match="number 1"):
            await hear(narrator.speak(TEXT), heard)
        assert heard == ["Certainly, sir.", "Dinner will be served at eight."]

    narrate(work, FakeEngine(script=lambda _, text: Step(fail_after=0) if "kettle" in text else Step()))


def test_an_error_of_the_caller_comes_out_as_it_is() -> None:
    """What the body of `async with` raises in mid-reply is not wrapped, and the reply is stopped."""

    async def work(narrator: Narrator) -> None:
        async for _ in narrator.speak(tokens(TEXT * 50)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        narrate(work)


def test_an_unknown_voice_is_named() -> None:
    """The error names the voice and those there are."""

    async def work(narrator: Narrator) -> None:
        with pytest.raises(RequestError, match=r"voice 'tenor' is not one of those here: butler, maid"):
            await anext(narrator.speak(TEXT, voice="tenor"))

    narrate(work)


def test_engines_made_in_code_stand_first(tmp_path: Path) -> None:
    """Their voices come before those of the configured engines, and the default is theirs."""
    settings = load_settings(environ={"UNAVOCE_ENGINES": '["fake"]', "UNAVOCE_DATA_DIR": str(tmp_path)})
    own = FakeEngine.named("own")(FakeOptions(voices=("butler",)))
    narrator = Narrator.from_settings(settings, own_engines=[lambda context: own])
    assert [(voice.engine, voice.name) for voice in narrator.voices()] == [("own", "butler"), ("fake", "tone")]


def test_two_engines_of_one_name_are_refused(tmp_path: Path) -> None:
    """An engine made in code does not take the place of a configured one in silence."""
    settings = load_settings(environ={"UNAVOCE_ENGINES": '["fake"]', "UNAVOCE_DATA_DIR": str(tmp_path)})
    with pytest.raises(SettingsError, match="fake"):
        Narrator.from_settings(settings, own_engines=[lambda context: FakeEngine()])


def test_every_public_name_is_there() -> None:
    """What `unavoce` says it has can be had, and anything else is an AttributeError."""
    for name in unavoce.__all__:
        assert getattr(unavoce, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = unavoce.nothing
