"""The scheduler on a virtual clock: whatever is asked of an engine that works in steps, and whenever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from tests.support.virtual_time import run_virtually

from unavoce.chain.chain import Chain
from unavoce.engines.base import InHand, Progress, Voice
from unavoce.engines.fake import FakeOptions, SteppedFakeEngine
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import NEVER_DUE, Claim, Synthesis
from unavoce.narration.upkeep import GaveWay

WORK_FACTOR = 0.1
DELAY_S = 0.2
PIECES = 5
ROUNDING_S = 1e-9


@dataclass(frozen=True)
class Wish:
    """A sentence that somebody wants."""

    asked_s: float
    due_in_s: float
    """From then on; infinite: late or warmed, for nobody who listens."""
    length: int
    patience_s: float
    """After which it is not wanted any more; infinite: it is taken whole."""


WISHES = st.lists(
    st.builds(
        Wish,
        asked_s=st.floats(0, 20).map(lambda value: round(value, 2)),
        due_in_s=st.one_of(st.floats(0, 30), st.just(NEVER_DUE)),
        length=st.integers(10, 200),
        patience_s=st.one_of(st.just(NEVER_DUE), st.just(NEVER_DUE), st.floats(0.01, 5)),
    ),
    min_size=1,
    max_size=12,
)


@dataclass
class Hall:
    """Everybody who wants something of one engine."""

    slots: int
    claims: dict[str, Claim] = field(default_factory=dict)
    asked_s: dict[str, float] = field(default_factory=dict)
    stepping: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)

    def begins(self, spoken: str) -> None:
        """A step begins: there is a slot for it, and nobody who waited before this moment is more urgent."""
        now_s = asyncio.get_running_loop().time()
        self.stepping.add(spoken)
        assert len(self.stepping) <= self.slots
        waiting = [name for name in self.claims.keys() - self.done if _waits(self.claims[name].synthesis)]
        before = [name for name in waiting if self.asked_s[name] < now_s and self.claims[name].synthesis.claims]
        mine_s = self.claims[spoken].synthesis.due_s
        assert all(self.claims[name].synthesis.due_s >= mine_s - ROUNDING_S for name in before), (
            "someone more urgent waits"
        )

    def ends(self, spoken: str) -> None:
        self.stepping.discard(spoken)


def _waits(synthesis: Synthesis) -> bool:
    """For a slot, the first or the next; one that was given one has not begun its step yet for a moment."""
    return synthesis.task is None or (synthesis.paused is not None and not synthesis.paused.done())


class Watched(SteppedFakeEngine):
    """Tells the hall of each step."""

    hall: Hall

    async def steps(self, spoken: str, voice: Voice, in_hand_s: InHand) -> AsyncGenerator[Progress, None]:
        self.hall.begins(spoken)
        try:
            async with aclosing(super().steps(spoken, voice, in_hand_s)) as steps:
                async for progress in steps:
                    self.hall.ends(spoken)
                    yield progress
                    if not progress.whole:
                        self.hall.begins(spoken)
        finally:
            self.hall.ends(spoken)


async def _want(stage: Stage, hall: Hall, number: int, wish: Wish) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(wish.asked_s)
    spoken = f"{number:02} ".ljust(wish.length, "x")
    hall.asked_s[spoken] = loop.time()
    claim = stage.claim(stage.chain.voices()[0], spoken, loop.time() + wish.due_in_s, lambda: hall.done.add(spoken))
    hall.claims[spoken] = claim
    try:
        async with asyncio.timeout(None if wish.patience_s == NEVER_DUE else wish.patience_s):
            async for piece, _ in claim.parts():
                claim.due_s += piece.duration_s  # as it is when it was sent: it lasts so much longer
    except TimeoutError:
        hall.done.add(spoken)
        claim.withdraw()
    except GaveWay:
        assert wish.due_in_s == NEVER_DUE, "only what nobody listens for gives its slot up"


async def _evening(wishes: list[Wish], slots: int) -> tuple[Hall, float]:
    """All wishes, and when the last was served."""
    options = FakeOptions(
        max_concurrency=slots, delay_s=DELAY_S, real_time_factor=WORK_FACTOR, pieces=PIECES, rate_hz=8_000
    )
    engine = Watched(options)
    engine.hall = Hall(slots)
    async with Stage(Chain([engine]), rehearse=False) as stage:
        await asyncio.gather(*(_want(stage, engine.hall, *wish) for wish in enumerate(wishes)))
        served_s = asyncio.get_running_loop().time()
        assert stage.running == stage.waiting == 0
    assert {call.outcome for call in engine.calls} <= {"done", "cancelled"}
    return engine.hall, served_s


def work_s(wish: Wish) -> float:
    """Of its engine, in all."""
    return DELAY_S + WORK_FACTOR * FakeOptions().s_per_char * wish.length


@given(wishes=WISHES, slots=st.integers(1, 3))
def test_whoever_runs_dry_first_goes_first_and_everybody_is_served(wishes: list[Wish], slots: int) -> None:
    """Never more sentences at a time than slots; each step goes to the most urgent; nobody starves, since the engine
    is never idle while somebody waits: all is served in the time that the work takes."""
    hall, served_s = run_virtually(_evening(wishes, slots))
    assert len(hall.claims) == len(wishes)
    assert served_s <= max(wish.asked_s for wish in wishes) + sum(map(work_s, wishes)) + 1e-6
