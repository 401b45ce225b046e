"""A sentence at hand: its sound is the one that was heard before, to the last sample, whichever way it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.listening import Ear
from tests.support.virtual_time import run_virtually

from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.wav import parse_wav
from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import AudioError
from unavoce.narration.encoder import LEAST_OPUS_S, Encoded, Encoder, Form, Format
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.renditions import OVERHEAD, Look, Renditions
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import FIRST_PART_S, in_parts

SENTENCE = "The kettle is on, the lights are low, and dinner will be served at eight by the window, sir."
SHORT = "Done."
ENOUGH = 1 << 26
RATE_HZ = 22_050


def engine(**options: object) -> FakeEngine:
    return FakeEngine(FakeOptions(delay_s=0.1, rate_hz=RATE_HZ, **options))  # type: ignore[arg-type]


async def say(stage: Stage, text: str, renditions: Renditions, format: Format = "wav", rate_hz: int = 24_000) -> Ear:
    async def tokens() -> AsyncGenerator[str, None]:
        yield text

    ear, chain = Ear(), stage.chain
    plan = Plan(chain.casting(chain.find_voice(None)), Encoder(format), renditions=renditions, rate_hz=rate_hz)
    await ReplyNarrator(stage, plan, ear).run(tokens())
    return ear


def heard(ear: Ear) -> Samples:
    return np.concatenate([chunk.samples for _, chunk in ear.chunks])


def sources(ear: Ear) -> set[str]:
    return {chunk.cache for _, chunk in ear.chunks}


async def on_stage(
    texts: list[str], renditions: list[Renditions], format: Format = "wav", pieces: int = 1
) -> list[Ear]:
    """Say the texts in turn, each with the renditions given for that turn, over one engine and one cache."""
    one = engine(pieces=pieces)
    async with Stage(Chain([one]), cache=Cache(MemoryCache(ENOUGH)), rehearse=False) as stage:
        await asyncio.sleep(0)
        stage.levels.learn(one.voices()[0], one.tone(SENTENCE, one.voices()[0]))
        return [await say(stage, text, kept, format) for text, kept in zip(texts, renditions, strict=True)]


@pytest.mark.parametrize("text", [SENTENCE, SHORT])
@pytest.mark.parametrize("pieces", [1, 5])
def test_a_hit_has_the_samples_of_the_original(text: str, pieces: int) -> None:
    """Made by an engine, shaped anew from memory, and sent as it left before: three times the same samples."""
    kept = Renditions(ENOUGH)
    turns = [Renditions(), kept, kept]
    made, anew, again = run_virtually(on_stage([text] * 3, turns, pieces=pieces))
    assert (sources(made), sources(anew), sources(again)) == ({"none"}, {"memory"}, {"memory"})
    assert np.array_equal(heard(anew), heard(made))
    assert np.array_equal(heard(again), heard(made))


def test_what_is_sent_is_what_is_said_to_be_sent() -> None:
    """Each chunk's bytes decode to its samples, and only the sentence's final chunk is the last, on every path."""
    kept = Renditions(ENOUGH)
    for ear in run_virtually(on_stage([SENTENCE] * 3, [Renditions(), kept, kept])):
        assert all(np.array_equal(parse_wav(chunk.audio).samples, chunk.samples) for _, chunk in ear.chunks)
        assert [chunk.last for _, chunk in ear.chunks] == [*[False] * (len(ear.chunks) - 1), True]
        assert [chunk.index for _, chunk in ear.chunks] == list(range(len(ear.chunks)))


def test_the_first_part_of_a_clip_at_hand_leaves_before_the_rest_is_shaped() -> None:
    """A long clip's first chunk holds no more than the first part."""
    _, anew = run_virtually(on_stage([SENTENCE] * 2, [Renditions()] * 2))
    assert len(anew.chunks) > 1
    assert 0 < anew.chunks[0][1].duration_s <= FIRST_PART_S


def test_a_clip_at_hand_leaves_in_parts_as_opus_too() -> None:
    """Its first chunk is as short as WAV's, none of the others is short, and joined they have its samples."""
    made, anew = asyncio.run(on_stage([SENTENCE] * 2, [Renditions()] * 2, "opus"))
    assert sources(anew) == {"memory"}
    assert 0 < anew.chunks[0][1].duration_s <= FIRST_PART_S
    assert all(chunk.duration_s >= LEAST_OPUS_S for _, chunk in anew.chunks[1:])
    assert np.array_equal(heard(anew), heard(made))


def test_an_encoded_clip_is_not_encoded_again() -> None:
    """Whoever says the sentence next sends the very bytes of the first time, piece by piece, and encodes nothing."""

    async def work() -> tuple[Ear, Ear]:
        kept, one = Renditions(ENOUGH), engine(pieces=5)
        async with Stage(Chain([one]), cache=Cache(MemoryCache(ENOUGH)), rehearse=False) as stage:
            await asyncio.sleep(0)
            stage.levels.learn(one.voices()[0], one.tone(SENTENCE, one.voices()[0]))
            first = await say(stage, SENTENCE, kept, "opus")
            with patch("unavoce.narration.encoder.OpusPieces", side_effect=AudioError("nothing is to be encoded")):
                return first, await say(stage, SENTENCE, kept, "opus")

    first, again = asyncio.run(work())
    assert len(first.chunks) > 1
    assert [chunk.audio for _, chunk in again.chunks] == [chunk.audio for _, chunk in first.chunks]
    assert {chunk.content_type for _, chunk in again.chunks} == {Form("opus").content_type}


def test_a_failed_encode_is_tried_again() -> None:
    """WAV that was sent because Opus failed is not what the next listener has to take."""
    kept = Renditions(ENOUGH)

    async def work() -> tuple[Ear, Ear]:
        async with Stage(Chain([engine()]), cache=Cache(MemoryCache(ENOUGH)), rehearse=False) as stage:
            await asyncio.sleep(0)
            with patch("unavoce.narration.encoder.OpusPieces", side_effect=AudioError("as told")):
                failed = await say(stage, SHORT, kept, "opus")
            return failed, await say(stage, SHORT, kept, "opus")

    failed, again = asyncio.run(work())
    assert {chunk.content_type for _, chunk in failed.chunks} == {"audio/wav"}
    assert {chunk.content_type for _, chunk in again.chunks} == {Form("opus").content_type}


def test_another_rate_is_another_form() -> None:
    """A listener at another rate gets sound of that rate, though the sentence left before."""

    async def work() -> list[Ear]:
        kept = Renditions(ENOUGH)
        async with Stage(Chain([engine()]), cache=Cache(MemoryCache(ENOUGH)), rehearse=False) as stage:
            await asyncio.sleep(0)
            return [await say(stage, SHORT, kept, rate_hz=rate_hz) for rate_hz in (24_000, 16_000)]

    high, low = run_virtually(work())
    assert [parse_wav(chunk.audio).rate_hz for _, chunk in [*high.chunks, *low.chunks]] == [24_000, 16_000]
    assert len(heard(low)) == pytest.approx(len(heard(high)) * 2 / 3, rel=0.01)


# -- bounds


def look(number: int, gain: float | None = None, pause_s: float = 0.38) -> Look:
    return Look(engine().voices()[0], str(number), gain, pause_s, 24_000, Form())


def sound(size: int) -> Encoded:
    """Takes `size` bytes as kept: half of them encoded."""
    return Encoded("audio/wav", bytes(size // 2), np.zeros(size // 4, np.int16))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1_000), st.booleans())), st.integers(0, 4_000))
def test_never_more_is_kept_than_may_be(uses: list[tuple[int, int, bool]], max_bytes: int) -> None:
    """Whatever is kept and asked for, the bytes stay within the bound and are those of what is there."""
    kept = Renditions(max_bytes)
    for number, size, asked in uses:
        if asked:
            kept.get(look(number))
        else:
            kept.put(look(number), [sound(size * 4)])
        assert 0 <= kept.bytes <= max_bytes
        assert kept.bytes >= len(kept) * OVERHEAD
    assert sum(kept.get(look(number)) is not None for number in range(6)) == len(kept)


def test_the_least_recently_used_goes_first() -> None:
    """Of three that do not fit together, the one not asked for since goes."""
    kept = Renditions(2 * (OVERHEAD + 400))
    kept.put(look(1), [sound(400)])
    kept.put(look(2), [sound(400)])
    assert kept.get(look(1)) is not None
    kept.put(look(3), [sound(400)])
    assert [kept.get(look(number)) is not None for number in (1, 2, 3)] == [True, False, True]


def test_gain_and_pause_are_part_of_the_form() -> None:
    """A sentence at another level, or before another pause, did not leave before."""
    kept = Renditions(ENOUGH)
    kept.put(look(1, gain=2.0), [sound(400)])
    assert kept.get(look(1, gain=2.0)) is not None
    assert kept.get(look(1, gain=2.5)) is None
    assert kept.get(look(1)) is None
    assert kept.get(look(1, gain=2.0, pause_s=0.75)) is None


@given(st.integers(0, 20 * RATE_HZ))
def test_parts_are_the_clip(count: int) -> None:
    """Joined, the parts are the clip; none is longer than thrice all before it, or shorter than
    half the one before it."""
    clip = Pcm((np.arange(count) % 30_000).astype(np.int16), RATE_HZ)
    parts = in_parts(clip)
    assert np.array_equal(np.concatenate([part.samples for part in parts]), clip.samples)
    assert {part.rate_hz for part in parts} == {RATE_HZ}
    lengths = [len(part.samples) for part in parts]
    assert all(lengths[at] <= 3 * sum(lengths[:at]) for at in range(1, len(lengths)))
    assert all(length >= lengths[at] // 2 for at, length in enumerate(lengths[1:]))
