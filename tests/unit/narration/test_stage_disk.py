"""The stage with a disk tier behind the memory: looked into before an engine, once, and never at speech's expense.

On a virtual clock, over a tier that does as it is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.clips import ANY_SIZE
from tests.support.virtual_time import run_virtually

from unavoce.audio.pcm import Pcm
from unavoce.cache.cache import Cache, Tier
from unavoce.cache.disk.background import LOOK_S, BackgroundDisk
from unavoce.cache.disk.tier import DiskCache
from unavoce.cache.kept import Kept, Which
from unavoce.cache.key import key_of
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.engines.base import Voice
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineError, ImplausibleAudio
from unavoce.narration.stage import NEVER_DUE, Stage
from unavoce.narration.synthesis import Claim

TEXT = "Certainly, sir."
VOICE = Voice("fake", "tone", "en")
SOUND = Pcm(np.arange(-4_000, 4_000, dtype=np.int16), 8_000)
"""Unlike anything the engine says."""


class ScriptedTier:
    """`clips` are found after `look_s` seconds (virtual); `ended` tells how each look went."""

    problem = ""

    def __init__(self, look_s: float = 0.1, *texts: str, voice: Voice = VOICE) -> None:
        self.look_s = look_s
        self.clips = {key_of(VOICE, text): Kept(SOUND, voice, 0.0, 1.5, 0.01) for text in texts}
        self.looks: list[str] = []
        self.ended: list[str] = []
        self.kept: list[tuple[str, bool]] = []
        self.uses: list[str] = []
        self.closed = False

    async def fetch(self, key: str) -> Kept | None:
        self.looks.append(key)
        try:
            await asyncio.sleep(self.look_s)
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("done")
        return self.clips.get(key)

    def keep(self, key: str, kept: Kept, *, phrase: bool = False) -> None:
        self.kept.append((key, phrase))
        self.clips[key] = kept

    def used(self, key: str) -> None:
        self.uses.append(key)

    def count(self, counts: dict[str, float]) -> None:
        """Sums are the disk's own."""

    async def most_used(self, count: int, least: int) -> list[str]:
        return []

    async def run(self, on_clearing: Callable[[Which], None]) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True


Work = Callable[[Stage, FakeEngine], Coroutine[Any, Any, None]]


def on_stage(work: Work, tier: Tier, engine: FakeEngine | None = None, *, memory: int = 1 << 20) -> None:
    """Run `work` with a stage over one fake engine, memory and the tier."""
    fake = engine or FakeEngine(FakeOptions(max_concurrency=1, delay_s=1.0))

    async def run() -> None:
        cache = Cache(MemoryCache(memory), tier)
        async with Stage(Chain([fake]), cache=cache, rehearse=False) as stage:
            await asyncio.sleep(0.001)  # the engine has started
            await work(stage, fake)

    run_virtually(run())


def want(stage: Stage, text: str = TEXT, **options: Any) -> Claim:
    return stage.claim(VOICE, text, options.pop("due_s", 0.0), lambda: None, **options)


async def sound(claim: Claim) -> Pcm:
    pieces = [piece async for piece, _ in claim.parts()]
    return Pcm(np.concatenate([piece.samples for piece in pieces]), pieces[0].rate_hz)


def is_from_disk(heard: Pcm) -> bool:
    return heard.rate_hz == SOUND.rate_hz and np.array_equal(heard.samples, SOUND.samples)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_a_claim_is_heard_from_disk() -> None:
    """It waits for the look and no longer; no engine is asked, and the next time it comes from memory at once."""
    tier = ScriptedTier(0.1, TEXT)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        begin_s = now_s()
        claim = want(stage)
        assert not claim.done
        assert is_from_disk(await sound(claim))
        assert (claim.source, claim.done, now_s() - begin_s) == ("disk", True, pytest.approx(0.1))
        claim.withdraw()
        again = want(stage)
        assert (again.source, again.done) == ("memory", True)
        assert (fake.calls, len(tier.looks), stage.idle) == ([], 1, True)

    on_stage(work, tier)


def test_a_miss_goes_on_to_the_engine() -> None:
    """What is not on disk is synthesised, whole, and kept in both tiers under its key."""
    tier = ScriptedTier(0.1)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        begin_s = now_s()
        claim = want(stage)
        assert np.array_equal((await sound(claim)).samples, fake.tone(TEXT, VOICE).samples)
        assert claim.source == "none"
        assert [call.started_at - begin_s for call in fake.calls] == [pytest.approx(0.1)]
        assert tier.kept == [(key_of(VOICE, TEXT), False)]
        claim.withdraw()
        assert want(stage).source == "memory"

    on_stage(work, tier)


def test_the_clip_of_another_voice_is_never_heard() -> None:
    """A tier that gives back what belongs to another voice is not believed."""
    tier = ScriptedTier(0.1, TEXT, voice=Voice("fake", "tone", "de"))

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claim = want(stage)
        assert not is_from_disk(await sound(claim))
        assert claim.source == "none"

    on_stage(work, tier)


@pytest.mark.parametrize("there", [True, False])
def test_two_replies_look_once(there: bool) -> None:
    """Claims on the same clip share the look, late joiners too, and what comes of it: a hit or one synthesis."""
    tier = ScriptedTier(0.1, *([TEXT] if there else []))

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claims = [want(stage), want(stage)]
        await asyncio.sleep(0.05)
        claims.append(want(stage))
        sounds = await asyncio.gather(*map(sound, claims))
        assert [is_from_disk(one) for one in sounds] == [there] * 3
        assert (len(tier.looks), len(fake.calls)) == (1, 0 if there else 1)

    on_stage(work, tier)


def test_the_last_claim_to_go_cancels_the_look() -> None:
    """While one is left it goes on; with the last it is cancelled, nothing is asked of the engine, none is owed."""
    tier = ScriptedTier(0.1)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        one, other = want(stage), want(stage)
        await asyncio.sleep(0.05)
        one.withdraw()
        await asyncio.sleep(0)
        assert tier.ended == []
        other.withdraw(late=True)
        await asyncio.sleep(1)
        assert (tier.ended, fake.calls, stage.idle, stage.waiting, stage.running) == (["cancelled"], [], True, 0, 0)
        later = want(stage)
        await sound(later)
        assert (len(tier.looks), len(fake.calls)) == (2, 1)

    on_stage(work, tier)


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 0.2, 0.5])
def test_withdrawing_at_any_moment_leaves_nothing(after_s: float) -> None:
    """Before, at and after the end of a look, a claim that goes leaves no work and no slot behind."""
    tier = ScriptedTier(0.1)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claim = want(stage)
        await asyncio.sleep(after_s)
        claim.withdraw()
        claim.withdraw()
        await asyncio.sleep(5)
        assert (stage.idle, stage.waiting, stage.running) == (True, 0, 0)
        assert [call.outcome for call in fake.calls] in ([], ["cancelled"])
        assert tier.kept == []

    on_stage(work, tier)


def test_a_fresh_claim_never_takes_the_clip_from_disk() -> None:
    """Who wants to hear the engine itself hears it, and the disk is not looked into for long."""
    tier = ScriptedTier(0.1, TEXT)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claim = want(stage, fresh=True)
        assert not is_from_disk(await sound(claim))
        assert (claim.source, len(fake.calls)) == ("none", 1)

    on_stage(work, tier)


def test_a_fresh_claim_that_joins_a_look_ends_it() -> None:
    """The engine is asked at once, for both; the clip on disk is heard by neither, and nothing happens twice."""
    tier = ScriptedTier(0.1, TEXT)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        waiting = want(stage)
        await asyncio.sleep(0.05)
        fresh = want(stage, fresh=True)
        sounds = await asyncio.gather(sound(waiting), sound(fresh))
        assert [is_from_disk(one) for one in sounds] == [False, False]
        assert (tier.ended, len(fake.calls)) == (["cancelled"], 1)

    on_stage(work, tier)


def test_a_fresh_claim_after_a_hit_asks_the_engine() -> None:
    """Also while a reply still holds the clip that was found on disk, which it keeps."""
    tier = ScriptedTier(0.1, TEXT)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        first = want(stage)
        await first.wait()
        fresh = want(stage, fresh=True)
        assert not is_from_disk(await sound(fresh))
        assert is_from_disk(await sound(first))
        assert len(fake.calls) == 1

    on_stage(work, tier)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step(fail_after=0), EngineError),
        (Step(pieces=3, fail_after=2), EngineError),
        (Step(sound="silence"), ImplausibleAudio),
        (Step(sound="short"), ImplausibleAudio),
        (Step(sound="empty"), ImplausibleAudio),
        (Step(sound="rate_change", pieces=2), ImplausibleAudio),
    ],
)
def test_what_is_not_the_whole_sentence_is_never_kept(step: Step, error: type[EngineError]) -> None:
    """Failed, partial or implausible sound reaches neither tier."""
    tier = ScriptedTier(0.0)
    text = "This will not be said as it should be said, not at all."

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claim = want(stage, text)
        with pytest.raises(error):
            await sound(claim)
        claim.withdraw()
        assert (tier.kept, stage.cache.entries) == ([], 0)

    on_stage(work, tier, FakeEngine(FakeOptions(max_concurrency=1), script=[step]))


def test_what_was_aborted_is_never_kept() -> None:
    """A sentence that was withdrawn with half of its sound made is not kept as if it were whole."""
    tier = ScriptedTier(0.0)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        claim = want(stage)
        await claim.wait()
        assert claim.sounds
        claim.withdraw()
        await asyncio.sleep(60)
        assert [call.outcome for call in fake.calls] == ["cancelled"]
        assert (tier.kept, stage.cache.entries) == ([], 0)

    on_stage(work, tier, FakeEngine(FakeOptions(max_concurrency=1, pieces=4, real_time_factor=1.0)))


def test_a_look_takes_no_slot() -> None:
    """While one sentence is looked for, another one that is not on disk either is not kept from the engine."""
    tier = ScriptedTier(0.2)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        begin_s = now_s()
        urgent = want(stage, "One.", fresh=True)
        looked_for = want(stage, "Two.")
        await asyncio.gather(sound(urgent), sound(looked_for))
        assert fake.calls[0].spoken == "One."
        assert fake.calls[0].started_at - begin_s < 0.2

    on_stage(work, tier)


def test_warming_looks_before_it_asks() -> None:
    """A phrase on disk is only moved into memory, and noted as one; another is synthesised and kept as one."""
    tier = ScriptedTier(0.1, TEXT)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        assert await stage.warm(VOICE, TEXT, phrase=True) == "present"
        assert fake.calls == []
        assert await stage.warm(VOICE, "Right away.", phrase=True) == "warmed"
        assert tier.kept == [(key_of(VOICE, TEXT), True), (key_of(VOICE, "Right away."), True)]
        assert want(stage).source == "memory"

    on_stage(work, tier)


def test_leaving_the_stage_ends_a_look() -> None:
    """Nothing is left behind, and the tier is closed."""
    tier = ScriptedTier(1_000.0)

    async def work(stage: Stage, fake: FakeEngine) -> None:
        want(stage, due_s=NEVER_DUE)
        await asyncio.sleep(1)

    on_stage(work, tier)
    assert (tier.ended, tier.closed) == (["cancelled"], True)


class HangingThreads(Executor):
    """A disk from which no answer ever comes."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        return Future()


def test_a_disk_that_hangs_delays_speech_by_its_limit() -> None:
    """The engine is asked when the look has had its time, and the stage can be left."""
    tier = BackgroundDisk(DiskCache(Path("/nowhere/unavoce"), ANY_SIZE))
    tier._readers = tier._writer = HangingThreads()  # type: ignore[assignment]

    async def work(stage: Stage, fake: FakeEngine) -> None:
        begin_s = now_s()
        claim = want(stage)
        assert np.array_equal((await sound(claim)).samples, fake.tone(TEXT, VOICE).samples)
        assert [call.started_at - begin_s for call in fake.calls] == [pytest.approx(LOOK_S)]
        assert "remedy" in stage.cache.problem

    on_stage(work, tier)
