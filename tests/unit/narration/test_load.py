"""How much of what the engines can do is spoken for."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.virtual_time import run_virtually

from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import EngineUnavailable
from unavoce.narration.load import LATE_S, Demand, Workload, peak
from unavoce.narration.stage import Stage

EPSILON = 1e-9

seconds = st.floats(0.0, 100.0).map(lambda value: round(value, 2))
demands = st.builds(Demand, st.just("fake"), seconds, st.one_of(seconds, st.just(math.inf)))
shares = st.floats(0.01, 1.0)


def open_ended(in_hand_s: float = 0.0, engine: str = "fake") -> Demand:
    return Demand(engine, in_hand_s, math.inf)


def test_replies_that_go_on_take_their_share_each() -> None:
    """While their text goes on, replies take as much as they will in the long run, however far ahead they are."""
    assert peak([]) == 0
    assert peak([(0.1, open_ended())] * 3) == pytest.approx(0.3)
    assert peak([(0.1, open_ended(30.0))] * 3) == pytest.approx(0.3)


def test_who_is_far_ahead_and_near_the_end_takes_little() -> None:
    """Ten seconds of sound that are wanted in half a minute take a quarter of what they would take if wanted now."""
    assert peak([(0.4, Demand("fake", 30.0, 10.0))]) == pytest.approx(0.1)
    assert peak([(0.4, Demand("fake", 0.0, 10.0))]) == pytest.approx(0.4)
    assert peak([(0.4, Demand("fake", 0.0, 10.0)), (0.4, Demand("fake", 30.0, 10.0))]) == pytest.approx(0.4)


@given(st.lists(st.tuples(shares, demands), max_size=8), st.lists(st.floats(0.01, 300.0), max_size=20))
def test_no_moment_is_busier_than_the_peak(parts: Sequence[tuple[float, Demand]], moments: list[float]) -> None:
    """At any moment the work that is due by then takes no greater share of the time than said, and at one it does."""

    def due(at_s: float) -> float:
        return sum(share * min(max(at_s - one.in_hand_s, 0.0), one.unmade_s) for share, one in parts)

    highest = peak(parts)
    ends = [one.in_hand_s + one.unmade_s for _, one in parts if math.isfinite(one.unmade_s)]
    for at_s in (*moments, *ends):
        if at_s > 0:
            assert due(at_s) <= highest * at_s * (1 + EPSILON) + EPSILON
    busiest = [due(at_s) / at_s for at_s in (1e-7, *ends, 1e12) if at_s > 0]
    # At once whoever has nothing in hand counts whole, also one who wants next to nothing.
    at_once = sum(share for share, one in parts if one.in_hand_s == 0)
    assert highest <= max(*busiest, at_once) * (1 + 1e-6) + 1e-6


def engine(name: str, *, slots: int, in_process: bool = False) -> FakeEngine:
    return FakeEngine.named(name)(FakeOptions(max_concurrency=slots, in_process=in_process))


def measured(stage: Stage, name: str, slot_s: float, work_s: float) -> None:
    """The engine has made enough clips to know what a second of its sound costs."""
    for _ in range(20):
        stage.chain.member(name).effort.add(4.0, 4 * slot_s, 4 * work_s)


def with_load(engines: Sequence[FakeEngine], demands: list[Demand], limit: float = 1.0) -> tuple[Stage, Workload]:
    stage = Stage(Chain(engines), rehearse=False)
    return stage, Workload(stage, lambda: demands, limit=limit, cores=2)


def test_an_engine_takes_as_many_listeners_as_its_slots_can_serve() -> None:
    """Two slots that each make a second in 0.4 s have room for five listeners, less where the limit says so."""

    async def scenario() -> None:
        listeners: list[Demand] = []
        stage, workload = with_load([engine("fake", slots=2)], listeners, limit=1.001)
        assert workload.capacity("fake") is None
        assert workload.load("fake") is None
        async with stage:
            await stage.chain.started("fake")
            measured(stage, "fake", 0.4, 0.4)
            assert workload.capacity("fake") == pytest.approx(5, rel=0.01)
            while workload.has_room("fake"):
                listeners.append(open_ended())
            assert len(listeners) == 5
            assert workload.load("fake") == pytest.approx(1.0)
            workload.limit = 0.7
            assert workload.capacity("fake") == pytest.approx(3.5)
            assert not workload.has_room("fake")

    run_virtually(scenario())


def test_engines_in_this_process_share_its_cores() -> None:
    """What one takes of the cores the other has not; an engine elsewhere is not concerned."""

    async def scenario() -> None:
        engines = [engine("one", slots=4, in_process=True), engine("two", slots=4, in_process=True)]
        listeners = [open_ended(engine="one")] * 3
        stage, workload = with_load([*engines, engine("far", slots=1)], listeners)
        async with stage:
            for each in ("one", "two", "far"):
                await stage.chain.started(each)
                measured(stage, each, 0.3, 0.6)
            assert workload.load("one") == pytest.approx(0.9)
            assert workload.load("two") == pytest.approx(0.9)
            assert not workload.has_room("two")
            assert workload.load("far") == 0
            assert workload.has_room("far")

    run_virtually(scenario())


def test_nobody_is_refused_for_what_is_not_known() -> None:
    """An engine that was not measured has room, so has one that is down, and every one where there is no limit."""

    async def scenario() -> None:
        listeners = [open_ended()] * 50
        stage, workload = with_load([engine("fake", slots=1)], listeners)
        async with stage:
            await stage.chain.started("fake")
            assert workload.has_room("fake")
            measured(stage, "fake", 0.5, 0.5)
            assert not workload.has_room("fake")
            workload.limit = 0
            assert workload.has_room("fake")
            workload.limit = 1
            stage.chain.failed("fake", EngineUnavailable("gone"))
            assert workload.has_room("fake")

    run_virtually(scenario())


def test_somebody_may_always_speak() -> None:
    """An engine that cannot even serve one listener in time serves one, and not two."""

    async def scenario() -> None:
        listeners: list[Demand] = []
        stage, workload = with_load([engine("fake", slots=1)], listeners)
        async with stage:
            await stage.chain.started("fake")
            measured(stage, "fake", 3.0, 3.0)
            assert workload.has_room("fake")
            listeners.append(open_ended())
            assert not workload.has_room("fake")

    run_virtually(scenario())


def test_who_waits_past_the_time_shows_that_there_is_no_room() -> None:
    """While a listener's sentence is overdue and has no slot yet nobody else finds room, whatever was measured."""

    async def scenario() -> None:
        listeners = [open_ended()]
        stage, workload = with_load([FakeEngine(FakeOptions(max_concurrency=1, delay_s=9.0))], listeners)
        async with stage:
            await stage.chain.started("fake")
            measured(stage, "fake", 0.1, 0.1)
            voice, now_s = stage.chain.voices()[0], asyncio.get_running_loop().time()
            claims = [stage.claim(voice, text, now_s + 1.0, lambda: None) for text in ("One.", "Two.")]
            await asyncio.sleep(1.0 + LATE_S)
            assert workload.has_room("fake")
            await asyncio.sleep(0.1)
            assert not workload.has_room("fake")
            for claim in claims:
                claim.withdraw()
            await asyncio.sleep(0.1)
            assert workload.has_room("fake")

    run_virtually(scenario())
