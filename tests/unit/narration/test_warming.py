"""Warming: what is sure to be said is ready before anybody asks, and nobody ever waits for it. On a virtual clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.support.listening import Ear
from tests.support.scripted_disk import ScriptedDisk
from tests.support.virtual_time import run_virtually

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineError, EngineUnavailable
from unavoce.narration.encoder import Encoder
from unavoce.narration.frequent import MOST_COUNTED, Frequent
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage
from unavoce.narration.upkeep import PROBE
from unavoce.narration.warming import FREQUENT_EVERY_S, LEAST_SAID, Warmer, warm

PHRASES = ["Certainly, sir.", "Right away.", "I'll look into that right away. Do sit down."]
SPOKEN = ["Certainly, sir.", "Right away.", "I'll look into that right away.", "Do sit down."]
DELAY_S = 10.0
QUICK = FakeOptions(rate_hz=8_000, delay_s=0.1, real_time_factor=0.0)


def engine(name: str, options: FakeOptions = QUICK, **settings: object) -> FakeEngine:
    return FakeEngine.named(name)(options, **settings)  # type: ignore[arg-type]


def asked(one: FakeEngine) -> list[str]:
    return [call.spoken for call in one.calls]


def big_cache(disk: ScriptedDisk | None = None) -> Cache:
    return Cache(MemoryCache(1 << 26), disk)


@asynccontextmanager
async def warming(
    *engines: FakeEngine, cache: Cache, phrases: list[str] = PHRASES, frequent: int = 0, recovery_interval_s: float = 30
) -> AsyncIterator[Stage]:
    """A stage over `engines`, and a warmer at work."""
    chain = Chain(engines)
    async with Stage(chain, cache=cache, rehearse=False, recovery_interval_s=recovery_interval_s) as stage:
        warmer = asyncio.create_task(Warmer(stage, phrases, delay_s=DELAY_S, frequent=frequent).run())
        try:
            yield stage
        finally:
            warmer.cancel()
            await asyncio.wait([warmer])


async def say(stage: Stage, text: str) -> Ear:
    async def tokens() -> AsyncIterator[str]:
        yield text

    ear = Ear()
    casting = stage.chain.casting(stage.chain.find_voice(None))
    await ReplyNarrator(stage, Plan(casting, Encoder()), ear).run(tokens())  # type: ignore[arg-type]
    return ear


def virtually(work: Callable[[], object]) -> None:
    run_virtually(work())  # type: ignore[arg-type]


def closing_lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, int, int]]:
    lines = [record for record in caplog.records if record.message == "phrases_warmed"]
    return [(line.engine, line.warmed, line.present, line.failed) for line in lines]  # type: ignore[attr-defined]


def test_phrases_are_warmed_for_every_engine_one_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    """After the delay each engine has said each phrase once, never two at a time, and a line for each counts them."""
    caplog.set_level(logging.INFO)
    primary, fallback = engine("primary"), engine("fallback")

    async def work() -> None:
        cache = big_cache(disk := ScriptedDisk())
        async with warming(primary, fallback, cache=cache):
            await asyncio.sleep(DELAY_S - 0.1)
            assert not primary.calls
            await asyncio.sleep(10)
        assert asked(primary) == asked(fallback) == SPOKEN
        starts = [call.started_at for call in (*primary.calls, *fallback.calls)]
        assert starts == pytest.approx([DELAY_S + 0.1 * number for number in range(8)])
        assert len(disk.phrases) == cache.entries == 8

    virtually(work)
    assert closing_lines(caplog) == [("primary", 3, 0, 0), ("fallback", 3, 0, 0)]


def test_what_is_on_disk_only_moves_to_memory(caplog: pytest.LogCaptureFixture) -> None:
    """After a restart no engine is asked: the phrases come from disk, and the closing line says so."""
    caplog.set_level(logging.INFO)

    async def work() -> None:
        disk = ScriptedDisk()
        async with warming(engine("primary"), cache=big_cache(disk)):
            await asyncio.sleep(60)
        again, cache = engine("primary"), big_cache(disk)
        async with warming(again, cache=cache) as stage:
            await asyncio.sleep(60)
            assert not again.calls
            assert cache.entries == 4
            assert {chunk.cache for _, chunk in (await say(stage, "Certainly, sir.")).chunks} == {"memory"}

    virtually(work)
    assert closing_lines(caplog) == [("primary", 3, 0, 0), ("primary", 0, 3, 0)]


def test_with_every_engine_stopped_a_phrase_is_said_from_disk() -> None:
    """Also before anything was warmed: the clip is looked for on disk when it is wanted."""

    async def work() -> None:
        disk = ScriptedDisk(lambda: 0.01)
        async with warming(engine("primary"), engine("fallback"), cache=big_cache(disk)):
            await asyncio.sleep(60)
        stopped = [engine(name, start_error=EngineUnavailable("not there")) for name in ("primary", "fallback")]
        async with Stage(Chain(stopped), cache=big_cache(disk), rehearse=False) as stage:
            await asyncio.sleep(1)
            ear = await say(stage, "Certainly, sir.")
            assert [(chunk.engine, chunk.cache) for _, chunk in ear.chunks] == [("primary", "disk")]
            assert ear.end.reason == "complete"

    virtually(work)


def test_a_phrase_that_fails_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged by its number, not its words, the others are warmed, and the closing line counts it."""
    caplog.set_level(logging.INFO)
    primary = engine("primary", script=[Step(), Step(fail_after=0), Step()])

    async def work() -> None:
        async with warming(primary, cache=big_cache()):
            await asyncio.sleep(60)

    virtually(work)
    assert asked(primary) == SPOKEN
    assert closing_lines(caplog) == [("primary", 2, 0, 1)]
    assert [record.phrase for record in caplog.records if record.message == "phrase_not_warmed"] == [1]  # type: ignore[attr-defined]
    assert not any(phrase in record.getMessage() for record in caplog.records for phrase in SPOKEN)


def test_an_engine_is_warmed_when_it_first_becomes_healthy() -> None:
    """One that is down at the start is warmed when it has come up, without waiting for anything else."""
    primary, fallback = engine("primary", start_error=EngineUnavailable("not yet")), engine("fallback")

    async def work() -> None:
        async with warming(primary, fallback, cache=big_cache(), recovery_interval_s=100):
            await asyncio.sleep(60)
            assert not primary.calls
            assert asked(fallback) == SPOKEN
            primary.start_error = None
            await asyncio.sleep(140)
        assert asked(primary)[1:] == SPOKEN  # the first is the probe

    virtually(work)


def test_one_that_falls_while_it_is_warmed_is_warmed_when_it_is_back() -> None:
    """The rest of the phrases is not burnt through while the engine is down."""
    primary = engine("primary", script=[Step(), *[Step(fail_after=0, error=EngineUnavailable)] * 3, Step()])

    async def work() -> None:
        async with warming(primary, cache=(cache := big_cache()), recovery_interval_s=20):
            await asyncio.sleep(300)
            assert cache.entries == 4

    virtually(work)


def test_a_listener_never_waits_for_it() -> None:
    """A reply takes the slot of what is being warmed, hears its sentence as if nothing else had been going on, and the
    phrase is warmed when it is quiet again."""
    slow = FakeOptions(rate_hz=8_000, delay_s=2.0, real_time_factor=0.0, max_concurrency=1)
    primary = engine("primary", slow)

    async def work() -> None:
        async with warming(primary, cache=big_cache(), phrases=["Certainly, sir."]) as stage:
            await asyncio.sleep(DELAY_S + 1.0)
            assert asked(primary) == ["Certainly, sir."]
            began_s = asyncio.get_running_loop().time()
            ear = await say(stage, "The kettle is on.")
            assert ear.chunks[0][0] - began_s == pytest.approx(2.0)
            assert primary.calls[0].outcome == "cancelled"
            await asyncio.sleep(60)
            assert asked(primary)[:3] == ["Certainly, sir.", "The kettle is on.", "Certainly, sir."]
            assert primary.calls[2].outcome == "done"

    virtually(work)


@pytest.mark.parametrize(("into_it_s", "heard", "first_s"), [(2.0, "fallback", 0.1), (8.5, "primary", 1.6)])
def test_a_server_that_will_not_stop_is_not_waited_for(into_it_s: float, heard: str, first_s: float) -> None:
    """While it goes on with a long phrase that was given up, the fallback speaks at once, and not only when patience
    with the primary has ended; where it will soon be done, it is worth the wait."""
    even = FakeOptions(rate_hz=8_000, delay_s=0.1, real_time_factor=0.6, max_concurrency=1)
    long = "The kettle is on, " * 14 + "sir."
    rest_s = 0.1 + 0.6 * 0.06 * len(long) - into_it_s
    primary = engine("primary", even, script=[Step(), Step(stop_s=rest_s)])

    async def work() -> None:
        async with warming(
            primary, engine("fallback"), cache=big_cache(), phrases=["Everything is ready, sir.", long]
        ) as stage:
            await stage.chain.started("fallback")
            while len(primary.calls) < 2:  # noqa: ASYNC110 - time itself is the event
                await asyncio.sleep(0.01)
            assert stage.chain.is_healthy("primary")
            await asyncio.sleep(into_it_s)
            began_s = asyncio.get_running_loop().time()
            ear = await say(stage, "Dinner is served.")
            assert set(ear.engines) == {heard}
            assert ear.chunks[0][0] - began_s == pytest.approx(first_s, abs=0.4)

    virtually(work)


def test_a_listener_who_wants_the_same_hears_it_and_it_is_not_made_again() -> None:
    """A reply may ask for the very phrase that is being warmed: it is heard, kept, and done with."""
    primary = engine("primary", FakeOptions(rate_hz=8_000, delay_s=2.0, real_time_factor=0.0, max_concurrency=1))

    async def work() -> None:
        async with warming(primary, cache=(cache := big_cache()), phrases=["Certainly, sir."]) as stage:
            await asyncio.sleep(DELAY_S + 1.0)
            ear = await say(stage, "Certainly, sir.")
            assert ear.end.reason == "complete"
            await asyncio.sleep(60)
            assert cache.entries == 1
            assert [call.outcome for call in primary.calls if call.spoken != PROBE] == ["cancelled", "done"]

    virtually(work)


def test_frequent_sentences_are_learnt_by_a_voice_that_rests() -> None:
    """What the fallback says again and again the slow primary learns when it is quiet, and then says it itself."""
    slow = FakeOptions(rate_hz=8_000, delay_s=0.1, real_time_factor=3.0, max_concurrency=1)
    primary, fallback = engine("primary", slow), engine("fallback")
    text = "The kettle is on, sir."

    async def work() -> None:
        async with warming(primary, fallback, cache=big_cache(), phrases=[], frequent=8) as stage:
            await stage.probe("primary")
            assert not stage.chain.is_healthy("primary")
            for _ in range(LEAST_SAID):
                assert set((await say(stage, text)).engines) == {"fallback"}
            await asyncio.sleep(DELAY_S + 2 * FREQUENT_EVERY_S)
            assert text in asked(primary)
            assert set((await say(stage, text)).engines) == {"primary"}

    virtually(work)


def test_the_clips_heard_most_often_are_in_memory_after_a_restart() -> None:
    """A count in the index is enough: no text is kept for it."""

    async def work() -> None:
        disk = ScriptedDisk()
        async with warming(engine("primary"), cache=big_cache(disk), phrases=[]) as stage:
            for _ in range(LEAST_SAID):
                await say(stage, "The kettle is on, sir.")
            await say(stage, "It is raining, sir.")
        cache = big_cache(disk)
        async with warming(engine("primary"), cache=cache, phrases=[], frequent=8):
            await asyncio.sleep(DELAY_S + 1)
            assert cache.entries == 1

    virtually(work)


def test_what_is_frequent_is_counted_in_bounded_space() -> None:
    """However much is said, few texts are held, and one that is said often enough is among them."""
    frequent = Frequent()
    for number in range(20 * MOST_COUNTED):
        frequent.said(f"Sentence {number}.")
        if number % 10 == 0:
            frequent.said("Certainly, sir.")
    assert frequent.often(8, 1)[0] == "Certainly, sir."
    assert len(frequent.often(10**6, 1)) <= MOST_COUNTED
    assert frequent.often(8, 10**6) == []


def test_warming_alone_raises_what_the_engine_raised() -> None:
    """For whoever warms a list of their own: a phrase that fails is an EngineError, not silence."""
    primary = engine("primary", script=lambda *_: Step(fail_after=0))

    async def work() -> None:
        async with Stage(Chain([primary]), cache=big_cache(), rehearse=False) as stage:
            await stage.chain.started("primary")
            with pytest.raises(EngineError):
                await warm(stage, stage.chain.find_voice(None), ["Certainly, sir."])

    virtually(work)
