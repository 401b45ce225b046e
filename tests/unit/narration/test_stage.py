"""The stage: slots, deadlines, single flight, cancellation. On a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.support.virtual_time import run_virtually

from unavoce.chain.chain import Chain
from unavoce.engines.base import Voice
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineError, EngineUnavailable, ImplausibleAudio
from unavoce.narration.stage import SYNTHESIS_LIMIT_S, Stage
from unavoce.narration.synthesis import Claim
from unavoce.narration.upkeep import REHEARSAL

Work = Callable[[Stage, FakeEngine], Coroutine[Any, Any, None]]


def on_stage(work: Work, engine: FakeEngine | None = None) -> FakeEngine:
    """Run `work` with a stage over one fake engine."""
    fake = engine or FakeEngine(FakeOptions(max_concurrency=1, delay_s=1.0))

    async def run() -> None:
        async with Stage(Chain([fake]), rehearse=False) as stage:
            await work(stage, fake)

    run_virtually(run())
    return fake


def want(stage: Stage, spoken: str, due_s: float = 0.0, done: Callable[[], None] = lambda: None) -> Claim:
    return stage.claim(voice(stage), spoken, due_s, done)


def voice(stage: Stage) -> Voice:
    return stage.chain.voices()[0]


async def samples_of(claim: Claim) -> int:
    return sum([len(piece.samples) async for piece, _ in claim.parts()])


def test_the_most_urgent_sentence_gets_the_slot() -> None:
    """Slots go by deadline, not by order of asking, also when a deadline was changed while waiting."""

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claims = [want(stage, f"Sentence {name}.", due_s) for name, due_s in [("a", 9), ("b", 8), ("c", 3), ("d", 5)]]
        claims[1].due_s = 1.0
        await asyncio.gather(*map(samples_of, claims))
        assert [call.spoken[-2] for call in fake.calls] == ["a", "b", "c", "d"]

    on_stage(work)


def test_a_clip_wanted_by_many_is_synthesised_once() -> None:
    """All claimants of one voice and text share one call, late joiners included, and all hear all of it."""

    async def work(stage: Stage, fake: FakeEngine) -> None:
        first = [want(stage, "Certainly, sir.") for _ in range(3)]
        await asyncio.sleep(1.2)
        late = want(stage, "Certainly, sir.")
        lengths = await asyncio.gather(*map(samples_of, [*first, late]))
        assert len(fake.calls) == 1
        assert set(lengths) == {len(fake.tone("Certainly, sir.", voice(stage)).samples)}

    on_stage(work)


def test_the_last_claim_to_go_cancels_the_work() -> None:
    """While one claimant is left the synthesis goes on; with the last one it is cancelled and its slot is free."""

    async def work(stage: Stage, fake: FakeEngine) -> None:
        one, other = want(stage, "Long."), want(stage, "Long.")
        await asyncio.sleep(0.5)
        one.withdraw()
        one.withdraw()
        await asyncio.sleep(0.1)
        assert fake.calls[0].outcome == "running"
        other.withdraw()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert fake.calls[0].outcome == "cancelled"
        assert stage.idle

    on_stage(work)


def test_what_waits_is_never_begun_when_nobody_wants_it() -> None:
    """A claim withdrawn while it waits for a slot costs the engine nothing."""

    async def work(stage: Stage, fake: FakeEngine) -> None:
        running, waiting = want(stage, "One."), want(stage, "Two.")
        waiting.withdraw()
        await samples_of(running)
        assert [call.spoken for call in fake.calls] == ["One."]

    on_stage(work)


def test_a_slot_is_free_only_when_the_engine_has_really_stopped() -> None:
    """An engine that goes on after a cancellation keeps its slot until it is done."""

    async def work(stage: Stage, fake: FakeEngine) -> None:
        want(stage, "One.").withdraw()
        claim = want(stage, "Two.")
        claim.withdraw()
        stubborn = want(stage, "Three.")
        await asyncio.sleep(0.5)
        stubborn.withdraw()
        next_one = want(stage, "Four.")
        await samples_of(next_one)
        third, fourth = fake.calls[-2:]
        assert third.outcome == "cancelled"
        assert third.ended_at is not None
        assert fourth.started_at >= third.ended_at > (third.cancelled_at or 0)

    options = FakeOptions(max_concurrency=1, delay_s=1.0)
    on_stage(work, FakeEngine(options, script=lambda _number, _text: Step(stop_s=3.0)))


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step(fail_after=0), EngineError),
        (Step(hang_after=0), EngineError),
        (Step(sound="empty"), ImplausibleAudio),
        (Step(sound="silence"), ImplausibleAudio),
        (Step(sound="rate_change", pieces=2), ImplausibleAudio),
    ],
)
def test_every_way_of_failing_is_an_engine_error(step: Step, kind: type[EngineError]) -> None:
    """Failing, hanging and lying all reach the claimant as an EngineError, and the slot is free again."""

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claim = want(stage, "This will not be said properly.")
        with pytest.raises(kind):
            await samples_of(claim)
        assert asyncio.get_running_loop().time() < SYNTHESIS_LIMIT_S + 5
        claim.withdraw()
        assert await samples_of(want(stage, "This will.")) > 0

    on_stage(work, FakeEngine(FakeOptions(max_concurrency=1), script=[step]))


def test_an_engine_that_crashes_is_named() -> None:
    """A foreign exception becomes an EngineError with the engine's name; nothing else falls."""

    class Crashing(FakeEngine):
        async def synthesise(self, spoken: str, voice: Voice, emit: object) -> None:
            raise ZeroDivisionError

    async def work(stage: Stage, fake: FakeEngine) -> None:
        with pytest.raises(EngineError, match="engine fake crashed: ZeroDivisionError"):
            await samples_of(want(stage, "Hello."))

    on_stage(work, Crashing())


def test_an_engine_that_could_not_start_says_why() -> None:
    """Claims on an engine that is down fail with the reason of its start."""

    async def work(stage: Stage, fake: FakeEngine) -> None:
        with pytest.raises(EngineUnavailable, match="no such model"):
            await samples_of(want(stage, "Hello."))
        assert [(one.status, one.reason) for one in stage.chain.statuses] == [("down", "no such model")]

    on_stage(work, FakeEngine(start_error=EngineUnavailable("no such model")))


def test_leaving_the_stage_ends_everything() -> None:
    """Work under way is cancelled when the stage closes; nothing is left behind."""
    fake = FakeEngine(FakeOptions(max_concurrency=2, delay_s=100.0))

    async def work(stage: Stage, fake: FakeEngine) -> None:
        for number in range(5):
            want(stage, f"Sentence {number}.")
        await asyncio.sleep(1)

    on_stage(work, fake)
    assert [call.outcome for call in fake.calls] == ["cancelled", "cancelled"]


def test_leaving_the_stage_does_not_wait_for_a_server() -> None:
    """An engine that hears its server out when cancelled is cancelled again when the stage is left, long before the
    limit of a synthesis; a sentence that was given up before is among those."""
    hung_up_at: list[float] = []

    class Listening(FakeEngine):
        async def synthesise(self, *_: Any) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                try:
                    await asyncio.Event().wait()  # until cancelled again
                finally:
                    hung_up_at.append(asyncio.get_running_loop().time())

    async def work(stage: Stage, _: FakeEngine) -> None:
        given_up = want(stage, "One sentence.")
        want(stage, "Another one.")
        await asyncio.sleep(1)
        given_up.withdraw()
        await asyncio.sleep(1)

    on_stage(work, Listening(FakeOptions(max_concurrency=2)))
    assert len(hung_up_at) == 2
    assert max(hung_up_at) < SYNTHESIS_LIMIT_S  # virtual seconds


def test_a_rehearsal_gives_way_to_a_listener() -> None:
    """A sentence that somebody waits for does not stand behind the phrase an engine is warmed with."""

    async def run() -> None:
        fake = FakeEngine(FakeOptions(max_concurrency=1, real_time_factor=0.5))
        async with Stage(Chain([fake])) as stage:
            await asyncio.sleep(1)
            assert [call.spoken for call in fake.calls] == [REHEARSAL]
            claim = want(stage, "Certainly, sir.")
            assert await samples_of(claim) > 0
            assert [call.outcome for call in fake.calls] == ["cancelled", "done"]
            assert asyncio.get_running_loop().time() < 2
            assert not stage.chain.is_down("fake")

    run_virtually(run())
