"""The fake engine: a real engine in tones, that does exactly what its script says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.virtual_time import run_virtually

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Voice
from unavoce.engines.fake import FakeEngine, FakeOptions, Step, tone_hz
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

AT_ONCE = FakeOptions(delay_s=0, real_time_factor=0)


def engine_at_once(script: Sequence[Step] = (), options: FakeOptions = AT_ONCE) -> FakeEngine:
    return FakeEngine(options, script=script)


async def heard(engine: FakeEngine, spoken: str = "Good morning.", voice: Voice | None = None) -> list[Pcm]:
    pieces: list[Pcm] = []
    await engine.synthesise(spoken, voice or engine.voices()[0], pieces.append)
    return pieces


def pitch_hz(pcm: Pcm) -> float:
    spectrum = np.abs(np.fft.rfft(pcm.samples.astype(float)))
    return float(np.argmax(spectrum)) * pcm.rate_hz / len(pcm.samples)


async def test_speaks_a_tone_as_long_as_its_text() -> None:
    """A call gives one clip whose duration is the text's length times the seconds per character."""
    (clip,) = await heard(engine_at_once(), "x" * 50)
    assert clip.duration_s == pytest.approx(3.0)
    assert clip.samples.dtype == np.int16


async def test_each_voice_has_its_own_pitch() -> None:
    """The pitch of the sound tells which voice spoke."""
    engine = engine_at_once(options=AT_ONCE.model_copy(update={"voices": ("low", "high")}))
    for voice in engine.voices():
        (clip,) = await heard(engine, "x" * 50, voice)
        assert pitch_hz(clip) == pytest.approx(tone_hz(voice.name), abs=1)
    assert tone_hz("low") != tone_hz("high")


async def test_twice_the_speed_is_half_the_sound() -> None:
    """A voice's speed shortens its sound."""
    engine = engine_at_once()
    voice = Voice("fake", "tone", "en", speed=2.0)
    assert engine.tone("x" * 50, voice).duration_s == pytest.approx(1.5)


@given(text=st.text(max_size=60), pieces=st.integers(1, 12))
def test_pieces_join_to_the_same_sound(text: str, pieces: int) -> None:
    """However many pieces a sentence comes in, joined they are its tone."""
    engine = engine_at_once([Step(pieces=pieces)])
    got = asyncio.run(heard(engine, text))
    joined = np.concatenate([piece.samples for piece in got])
    assert len(got) == pieces
    assert np.array_equal(joined, engine.tone(text, engine.voices()[0]).samples)


@pytest.mark.parametrize("count", [0, 1, 2])
async def test_fails_after_the_scripted_number_of_pieces(count: int) -> None:
    """A scripted failure comes after exactly that many pieces, and only in its call."""
    engine = engine_at_once([Step(pieces=3, fail_after=count, error=EngineUnavailable)])
    pieces: list[Pcm] = []
    with pytest.raises(EngineUnavailable):
        await engine.synthesise("Good morning.", engine.voices()[0], pieces.append)
    assert len(pieces) == engine.calls[0].emitted == count
    assert len(await heard(engine)) == 1
    assert [call.outcome for call in engine.calls] == ["failed", "done"]


async def test_a_script_may_depend_on_the_text() -> None:
    """A function of call number and text chooses the step."""
    engine = FakeEngine(AT_ONCE, script=lambda _, spoken: Step(fail_after=0 if "bad" in spoken else None))
    assert await heard(engine, "good")
    with pytest.raises(EngineError):
        await heard(engine, "bad")


async def test_a_hang_ends_only_by_cancellation() -> None:
    """A hung call stays open after its pieces, and a cancellation ends and records it."""
    engine = engine_at_once([Step(pieces=3, hang_after=2)])
    first_two = asyncio.Event()
    pieces: list[Pcm] = []

    def emit(pcm: Pcm) -> None:
        pieces.append(pcm)
        if len(pieces) == 2:
            first_two.set()

    call = asyncio.create_task(engine.synthesise("Good morning.", engine.voices()[0], emit))
    await first_two.wait()
    await asyncio.sleep(0)
    assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (len(pieces), engine.running, engine.calls[0].outcome) == (2, 0, "cancelled")
    assert engine.calls[0].cancelled_at is not None


def test_a_server_that_cannot_be_told_to_stop_outlasts_every_cancellation() -> None:
    """With `stop_s` the call returns when that time is over and not before, cancelled once or often."""
    engine = engine_at_once([Step(hang_after=0, stop_s=5.0)])

    async def cancel_often() -> None:
        call = asyncio.create_task(heard(engine))
        await asyncio.sleep(1.0)
        for _ in range(3):
            call.cancel()
            await asyncio.sleep(0.5)
        with pytest.raises(asyncio.CancelledError):
            await call

    run_virtually(cancel_often())
    (record,) = engine.calls
    assert (record.started_at, record.cancelled_at) == (0.0, 1.0)
    assert record.ended_at == pytest.approx(6.0)


def test_delays_are_those_of_the_script() -> None:
    """The first sound comes after the delay and its own synthesis, the rest at the real-time factor."""
    engine = FakeEngine(FakeOptions(s_per_char=0.1), script=[Step(delay_s=2.0, real_time_factor=0.5, pieces=2)])
    times: list[float] = []

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        await engine.synthesise("x" * 40, engine.voices()[0], lambda _: times.append(loop.time()))

    run_virtually(listen())
    assert times == pytest.approx([3.0, 4.0])


@pytest.mark.parametrize(
    ("step", "ratio", "loud"),
    [
        (Step(sound="silence"), 1.0, False),
        (Step(sound="empty"), 0.0, False),
        (Step(sound="short"), 0.1, True),
        (Step(sound="long"), 10.0, True),
    ],
)
async def test_wrong_sound_on_demand(step: Step, ratio: float, loud: bool) -> None:
    """The scripted kinds of wrong sound have the length and level they say."""
    engine = engine_at_once([step])
    (clip,) = await heard(engine, "x" * 50)
    assert clip.duration_s == pytest.approx(3.0 * ratio)
    assert bool(np.any(clip.samples)) is loud


async def test_a_change_of_rate_within_a_call() -> None:
    """`rate_change` gives the later pieces another rate."""
    first, second = await heard(engine_at_once([Step(sound="rate_change", pieces=2)]))
    assert (first.rate_hz, second.rate_hz) == (24_000, 12_000)


async def test_the_tone_has_no_click() -> None:
    """No step between samples is larger than the tone's own slope, the edges with silence included."""
    (clip,) = await heard(engine_at_once(), "x" * 20)
    levels = [0, *clip.samples.tolist(), 0]
    steepest = 2 * np.pi * 800 / clip.rate_hz * 8000
    assert max(abs(b - a) for a, b in pairwise(levels)) <= steepest + 1


async def test_counts_calls_that_run_together() -> None:
    """`most_running` is the largest number of calls that were open at once."""
    engine = engine_at_once()
    await asyncio.gather(*(heard(engine) for _ in range(3)))
    await heard(engine)
    assert (engine.running, engine.most_running, len(engine.calls)) == (0, 3, 4)


async def test_refuses_a_voice_it_does_not_have() -> None:
    """An unknown voice is refused by name and nothing is recorded as spoken."""
    engine = engine_at_once()
    with pytest.raises(EngineRefused, match="'nobody'"):
        await heard(engine, voice=Voice("fake", "nobody", "en"))
    assert engine.calls == []


async def test_can_be_down_at_the_start() -> None:
    """`start_error` is what `start` raises."""
    with pytest.raises(EngineUnavailable, match="no power"):
        await FakeEngine(start_error=EngineUnavailable("no power")).start()


def test_takes_another_name_for_a_chain() -> None:
    """`named` gives the same engine under another name, which its voices carry."""
    primary, second = FakeEngine.named("primary")(AT_ONCE), FakeEngine(AT_ONCE)
    assert [engine.name for engine in (primary, second)] == ["primary", "fake"]
    assert primary.voices()[0].engine == "primary"
