"""One voice, whatever breaks: engines that refuse, hang, die, lag and recover. On a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from tests.support.listening import Ear
from tests.support.virtual_time import run_virtually

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.chain.health import Measured
from unavoce.chain.member import EngineStatus
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineRefused, EngineUnavailable
from unavoce.narration.encoder import Encoder
from unavoce.narration.events import Failure
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage
from unavoce.narration.upkeep import PROBE

TEXT = [
    "Certainly, sir.",
    "The kettle is on, and the lights are low in every room.",
    "Dinner will be served at eight.",
    "The wine is open.",
]
HEALTHY = FakeOptions(delay_s=0.05, real_time_factor=0.1)


def engine(name: str, options: FakeOptions = HEALTHY, **settings: object) -> FakeEngine:
    return FakeEngine.named(name)(options, **settings)  # type: ignore[arg-type]


async def say(stage: Stage, texts: list[str] = TEXT, **plan: object) -> Ear:
    """Narrate the sentences, all there at once, to an ear."""

    async def tokens() -> AsyncGenerator[str, None]:
        yield " ".join(texts)

    ear, chain = Ear(), stage.chain
    casting = chain.casting(chain.find_voice(None))
    await ReplyNarrator(stage, Plan(casting, Encoder(), **plan), ear).run(tokens())  # type: ignore[arg-type]
    return ear


def on_stage(engines: list[FakeEngine], work: Callable[[Stage], object], **settings: object) -> None:
    async def run() -> None:
        async with Stage(Chain(engines), rehearse=False, **settings) as stage:  # type: ignore[arg-type]
            await asyncio.sleep(0)
            await work(stage)  # type: ignore[misc]

    run_virtually(run())


def test_a_primary_that_refuses_costs_nothing() -> None:
    """The whole reply is spoken by the fallback, as soon as the fallback could have done it alone."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert set(ear.engines) == {"fallback"}
        assert ear.end.reason == "complete"
        alone_s = HEALTHY.delay_s + HEALTHY.real_time_factor * HEALTHY.s_per_char * len(TEXT[0])
        assert abs(ear.chunks[0][0] - alone_s) < 0.001
        # The breaker is open: the next reply does not even ask.
        asked = len(primary.calls)
        await say(stage)
        assert len(primary.calls) == asked

    primary = engine("primary", script=lambda *_: Step(delay_s=0.0, fail_after=0, error=EngineUnavailable))
    on_stage([primary, engine("fallback")], work)


def test_a_primary_that_hangs_costs_the_time_out_and_no_more() -> None:
    """The fallback has begun before the deadline and speaks at it; without the hedge it begins at it."""

    async def work(stage: Stage) -> None:
        hedged = await say(stage, primary_timeout_s=3.0)
        plain = await say(stage, primary_timeout_s=3.0, hedge=False)
        assert set(hedged.engines) == set(plain.engines) == {"fallback"}
        assert hedged.chunks[0][0] == 3.0
        assert hedged.end.reason == plain.end.reason == "complete"

    on_stage([engine("primary", script=lambda *_: Step(hang_after=0)), engine("fallback")], work)


def test_a_hung_primary_is_left_alone_after_a_few() -> None:
    """Time-outs in a row open the breaker: later replies are spoken by the fallback at once."""

    async def work(stage: Stage) -> None:
        for _ in range(3):
            await say(stage)
        started_s = asyncio.get_running_loop().time()
        ear = await say(stage)
        assert ear.chunks[0][0] - started_s < 1.0
        assert stage.chain.is_down("primary")

    hung = engine("primary", script=lambda *_: Step(hang_after=0))
    on_stage([hung, engine("fallback")], work, recovery_interval_s=1e6)


def test_a_primary_that_dies_after_the_first_sentence() -> None:
    """Everything is said once, with one change of voice at a sentence's end and no gap."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert ear.engines == ["primary", "fallback", "fallback", "fallback"]
        assert [chunk.text for _, chunk in ear.chunks] == TEXT
        assert ear.end.reason == "complete"
        assert ear.silence_s == 0.0

    dead = lambda number, _: Step() if number == 0 else Step(fail_after=0, error=EngineUnavailable)  # noqa: E731
    on_stage([engine("primary", script=dead), engine("fallback")], work)


def test_never_keeps_the_voice_and_says_what_is_missing() -> None:
    """With `never`, what the first voice cannot say any more stands in `skipped`, and nothing else is heard."""

    async def work(stage: Stage) -> None:
        ear = await say(stage, voice_switch="never")
        assert ear.engines == ["primary"]
        assert [one.sentence for one in ear.end.skipped] == [1, 2, 3]
        assert ear.end.reason == "failed"
        assert sum(isinstance(event, Failure) for event in ear.events) == 1

    dead = lambda number, _: Step() if number == 0 else Step(fail_after=0)  # noqa: E731
    on_stage([engine("primary", script=dead), engine("fallback")], work)


def test_a_sentence_that_breaks_off_goes_on_at_its_clause() -> None:
    """When an engine dies in mid-sentence the rest is spoken from the clause that was being heard, under its number."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert ear.end.reason == "complete"
        second = [chunk for _, chunk in ear.chunks if chunk.sentence == 1]
        # Three pieces, and what was kept back of them, faded out.
        assert [chunk.engine for chunk in second] == ["primary"] * 4 + ["fallback"]
        assert [chunk.last for chunk in second] == [False] * 4 + [True]
        assert fallback.calls[0].spoken == "and the lights are low in every room."

    def dies(number: int, _: str) -> Step:
        return Step() if number == 0 else Step(pieces=4, fail_after=3, error=EngineUnavailable)

    fallback = engine("fallback")
    on_stage([engine("primary", script=dies), fallback], work)


def test_a_sentence_that_breaks_off_once_is_finished_by_its_own_engine() -> None:
    """While the listener has sound in hand, the same voice gets a second chance."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert set(ear.engines) == {"primary"}
        assert ear.end.reason == "complete"
        assert [call.spoken for call in primary.calls].count("and the lights are low in every room.") == 1

    breaks_once = lambda _, text: Step(pieces=4, fail_after=3) if text == TEXT[1] else Step()  # noqa: E731
    primary = engine("primary", script=breaks_once)
    on_stage([primary, engine("fallback")], work)


def test_what_an_engine_refuses_to_say_is_said_by_the_next() -> None:
    """A refusal is no reason for silence, and does not count against the engine."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert ear.engines == ["primary", "primary", "fallback", "fallback"]
        assert ear.end.reason == "complete"
        assert not stage.chain.is_down("primary")

    picky = lambda _, text: Step(fail_after=0, error=EngineRefused) if "Dinner" in text else Step()  # noqa: E731
    on_stage([engine("primary", script=picky), engine("fallback")], work)


def test_a_slow_primary_is_heard_without_a_gap() -> None:
    """At 0.3 s and 0.9 of the sound a call, two at a time, the primary speaks the whole reply without a gap."""

    async def work(stage: Stage) -> None:
        dishes = ["soup", "fish", "lamb", "tart", "fruit", "cheese"]
        ear = await say(stage, [f"There will be some {dish} for dinner." for dish in dishes])
        assert set(ear.engines) == {"primary"}
        assert ear.silence_s == 0.0

    slow = FakeOptions(delay_s=0.3, real_time_factor=0.9, max_concurrency=2)
    on_stage([engine("primary", slow), engine("fallback")], work)


def test_an_engine_too_slow_for_listening_is_not_begun_with() -> None:
    """An engine that cannot hold the pace is `slow` once measured: the first reply moves whole, others pass it over."""

    async def work(stage: Stage) -> None:
        seen: list[EngineStatus] = []
        stage.chain.watch(seen.append)
        first = await say(stage)
        asked = len(primary.calls)
        second = await say(stage)
        assert set(first.engines) == set(second.engines) == {"fallback"}
        assert len(primary.calls) == asked > 0
        assert [(one.engine, one.status) for one in seen if one.engine == "primary"] == [("primary", "slow")]

    primary = engine("primary", FakeOptions(delay_s=0.1, real_time_factor=2.0, max_concurrency=1))
    on_stage([primary, engine("fallback")], work)


def test_an_engine_that_recovers_is_found_without_traffic() -> None:
    """A probe with a phrase of its own closes the breaker; the next reply is spoken by the primary again."""

    async def work(stage: Stage) -> None:
        assert set((await say(stage)).engines) == {"fallback"}
        await asyncio.sleep(100)
        assert not stage.chain.is_down("primary")
        assert primary.calls[-1].spoken == PROBE
        assert set((await say(stage)).engines) == {"primary"}

    primary = engine(
        "primary", script=lambda number, _: Step(fail_after=0, error=EngineUnavailable) if number < 2 else Step()
    )
    on_stage([primary, engine("fallback")], work, recovery_interval_s=10)


def test_a_chain_without_a_working_engine_says_so() -> None:
    """Every sentence is tried and stands in `skipped`; the text goes on; the reply ends failed, once."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert ear.chunks == []
        assert [one.sentence for one in ear.end.skipped] == [0, 1, 2, 3]
        assert ear.end.reason == "failed"

    broken = lambda *_: Step(fail_after=0)  # noqa: E731
    on_stage([engine("primary", script=broken), engine("fallback", script=broken)], work)


# -- clips at hand


def with_cache(engines: list[FakeEngine], kept: dict[str, list[str]]) -> Cache:
    """A cache that holds those sentences in the voice of the engine of that name."""
    cache = Cache(MemoryCache(1 << 26))
    for one in engines:
        for text in kept.get(one.name, []):
            cache.keep(one.voices()[0], text, one.tone(text, one.voices()[0]))
    return cache


def test_a_sentence_at_hand_needs_no_engine() -> None:
    """What was said before comes from memory at once, and is not synthesised again."""

    async def work(stage: Stage) -> None:
        ear = await say(stage, TEXT[:1])
        assert [(at_s, chunk.cache) for at_s, chunk in ear.chunks] == [(0.0, "memory")]
        assert primary.calls == []

    primary = engine("primary")
    on_stage([primary], work, cache=with_cache([primary], {"primary": TEXT[:1]}))


def test_a_cached_first_sentence_does_not_decide_for_an_engine_that_is_down() -> None:
    """With the primary down, its clip of the first sentence is left alone: the rest could not be said in that voice."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert set(ear.engines) == {"fallback"}

    engines = [engine("primary", start_error=EngineUnavailable("away")), engine("fallback")]
    on_stage(engines, work, cache=with_cache(engines, {"primary": TEXT[:1]}))


def test_a_reply_wholly_at_hand_is_heard_in_the_voice_of_an_engine_that_is_down() -> None:
    """When every sentence is known and cached in the primary's voice, it is heard, though the primary is away."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert set(ear.engines) == {"primary"}
        assert {chunk.cache for _, chunk in ear.chunks} == {"memory"}
        assert ear.end.reason == "complete"

    engines = [engine("primary", start_error=EngineUnavailable("away")), engine("fallback")]
    on_stage(engines, work, cache=with_cache(engines, {"primary": TEXT}))


def test_when_no_engine_works_what_is_at_hand_is_still_said() -> None:
    """Cached sentences are heard, within the voice lock; the others stand in `skipped`."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        heard = dict.fromkeys((chunk.sentence, chunk.engine) for _, chunk in ear.chunks)
        assert list(heard) == [(0, "primary"), (2, "fallback")]
        assert [one.sentence for one in ear.end.skipped] == [1, 3]

    away = EngineUnavailable("away")
    engines = [engine("primary", start_error=away), engine("fallback", start_error=away)]
    kept = {"primary": [TEXT[0], TEXT[3]], "fallback": [TEXT[2]]}
    on_stage(engines, work, cache=with_cache(engines, kept))


def test_a_clip_at_hand_does_not_choose_the_voice_a_heard_reply_moves_to() -> None:
    """A reply moves only once, so whoever it moves to has to show that it works: the third engine finishes it."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert ear.engines == ["primary", "third", "third", "third"]

    dead = lambda number, _: Step() if number == 0 else Step(fail_after=0, error=EngineUnavailable)  # noqa: E731
    broken = lambda *_: Step(fail_after=0)  # noqa: E731
    engines = [engine("primary", script=dead), engine("second", script=broken), engine("third")]
    on_stage(engines, work, cache=with_cache(engines, {"second": TEXT[1:2]}))


# -- late clips


def test_a_late_clip_is_kept_for_next_time() -> None:
    """The primary's clip that came after its deadline is in the cache; the same reply is then heard in its voice."""

    async def work(stage: Stage) -> None:
        assert set((await say(stage, TEXT[:1])).engines) == {"fallback"}
        await asyncio.sleep(10)
        ear = await say(stage, TEXT[:1])
        assert [(chunk.engine, chunk.cache) for _, chunk in ear.chunks] == [("primary", "memory")]
        assert len(primary.calls) == 1

    primary = engine("primary", FakeOptions(delay_s=6.0, max_concurrency=1))
    on_stage([primary, engine("fallback")], work, cache=with_cache([], {}))


def test_a_late_clip_makes_room_for_a_listener() -> None:
    """A late clip gives up its slot at once when a sentence that somebody waits for needs it."""

    async def work(stage: Stage) -> None:
        await say(stage, TEXT[:1], primary_timeout_s=1.0)
        ear = await say(stage, TEXT[1:2], primary_timeout_s=1.0)
        assert [call.outcome for call in primary.calls] == ["cancelled", "done"]
        assert set(ear.engines) == {"primary"}

    primary = engine("primary", FakeOptions(max_concurrency=1), script=[Step(delay_s=30.0)])
    on_stage([primary, engine("fallback")], work, cache=with_cache([], {}))


def test_a_server_that_hangs_on_an_abandoned_call_is_found_out() -> None:
    """While the only slot is held by a call that nobody waits for any more, its silence counts: the breaker opens."""

    async def work(stage: Stage) -> None:
        for _ in range(3):
            ear = await say(stage)
            assert set(ear.engines) == {"fallback"}
        assert stage.chain.is_down("primary")
        assert len(primary.calls) == 1

    options = FakeOptions(max_concurrency=1)
    primary = engine("primary", options, script=lambda *_: Step(hang_after=0, stop_s=120.0))
    on_stage([primary, engine("fallback")], work, recovery_interval_s=1e6)


# -- silence in mid-sentence, and a third engine


def test_an_engine_that_falls_silent_in_mid_sentence_is_relieved_as_the_listener_runs_dry() -> None:
    """The fallback has begun the rest of the sentence before the listener runs dry; there is no gap."""

    async def work(stage: Stage) -> None:
        await say(stage, [text.replace("e", "a") for text in TEXT])  # so that speeds are known
        ear = await say(stage)
        second = [chunk.engine for _, chunk in ear.chunks if chunk.sentence == 1]
        assert second[-1] == "fallback"
        assert second[0] == "primary"
        assert ear.end.reason == "complete"
        assert ear.silence_s < 0.3

    stalls = lambda _, text: Step(pieces=4, hang_after=2) if "every" in text else Step(pieces=4)  # noqa: E731
    on_stage([engine("primary", script=stalls), engine("fallback")], work)


def test_an_only_engine_that_falls_silent_in_mid_sentence_is_tried_again() -> None:
    """Without an understudy the sentence is taken up again by the same engine after a while, not after a minute."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert ear.end.reason == "complete"
        assert ear.silence_s < 5

    once = lambda number, _: Step(pieces=4, hang_after=2) if number == 1 else Step()  # noqa: E731
    on_stage([engine("only", script=once)], work)


def test_a_third_engine_speaks_when_two_hang() -> None:
    """A hung fallback costs little: the third engine is asked after the fallback's own usual time."""

    async def work(stage: Stage) -> None:
        ear = await say(stage)
        assert set(ear.engines) == {"third"}
        assert ear.chunks[0][0] < 5.0

    hung = lambda *_: Step(hang_after=0)  # noqa: E731
    on_stage([engine("primary", script=hung), engine("second", script=hung), engine("third")], work)


def test_failures_and_changes_are_counted() -> None:
    """Each failure is counted by its kind, each change of state once."""

    async def work(stage: Stage) -> None:
        for _ in range(4):
            await say(stage)
        tally = stage.chain.members[0].tally
        assert tally.failures == {"implausible": 3}
        assert tally.changes == {"healthy": 1, "down": 1}
        assert stage.chain.members[1].tally.clips == 4 * len(TEXT)

    silent = engine("primary", script=lambda *_: Step(sound="silence"))
    on_stage([silent, engine("fallback")], work, recovery_interval_s=1e6)


# -- a slow engine


def test_a_slow_engines_first_sentence_waits_for_those_behind_it() -> None:
    """Two calls at a time, each 0.3 s and 0.9 of its sound: a short first sentence is held back, within the listener's
    patience, so that the longer second one comes in time, in the primary's voice."""

    async def work(stage: Stage) -> None:
        await say(stage, ["One two three four five six seven.", "And then some more of it, at some length."])
        ear = await say(stage, ["Good evening, sir.", "The heating is on in the library and the study.", TEXT[2]])
        assert set(ear.engines) == {"primary"}
        assert ear.silence_s == 0.0

    slow = FakeOptions(delay_s=0.3, real_time_factor=0.9, max_concurrency=2)
    on_stage([engine("primary", slow), engine("fallback")], work)


def test_a_reply_that_cannot_be_held_back_long_enough_moves_whole() -> None:
    """Where even the listener's patience does not suffice, the reply is spoken by the fallback from its first word."""

    async def work(stage: Stage) -> None:
        await say(stage, [TEXT[0]])
        ear = await say(stage, ["Good evening, sir.", TEXT[1], TEXT[2]])
        assert set(ear.engines) == {"fallback"}
        assert ear.silence_s == 0.0

    slow = FakeOptions(delay_s=0.3, real_time_factor=0.9, max_concurrency=1)
    on_stage([engine("primary", slow), engine("fallback")], work)


def test_a_fast_engine_is_never_held_back() -> None:
    """The first sound of an engine that holds the pace easily leaves as soon as it is there."""

    async def work(stage: Stage) -> None:
        await say(stage, TEXT[1:3])
        started_s = asyncio.get_running_loop().time()
        ear = await say(stage)
        alone_s = HEALTHY.delay_s + HEALTHY.real_time_factor * HEALTHY.s_per_char * len(TEXT[0])
        assert abs(ear.chunks[0][0] - started_s - alone_s) < 0.001

    on_stage([engine("primary"), engine("fallback")], work)


def test_a_first_sentence_that_takes_too_long_is_not_waited_for() -> None:
    """Where the primary is known to take longer over the first sentence than the listener waits for it, the fallback
    speaks at once instead of at the deadline."""

    async def work(stage: Stage) -> None:
        await say(stage, [TEXT[0]])
        started_s = asyncio.get_running_loop().time()
        ear = await say(
            stage, ["Whoever reads this long line aloud needs rather more breath than most people have.", TEXT[2]]
        )
        assert set(ear.engines) == {"fallback"}
        assert ear.chunks[0][0] - started_s < 1.0

    slow = FakeOptions(delay_s=0.3, real_time_factor=0.95, max_concurrency=2)
    on_stage([engine("primary", slow), engine("fallback")], work)


def test_a_slow_engine_is_asked_for_a_first_part_that_comes_in_time() -> None:
    """A first sentence that takes too long whole is parted at a clause, or before a preposition, and stays one sentence
    to its listener: its number, its text once, one last chunk, no gap."""

    async def work(stage: Stage) -> None:
        for sound_s in (1.0, 4.0, 2.0):
            spent_s = 0.3 + 0.9 * sound_s
            measured = Measured(round(sound_s / slow.s_per_char), spent_s, spent_s, sound_s)
            stage.chain.spoke(stage.chain.find_voice(None), measured)
        eight = ["The house was built in the spring of that year by two brothers.", "They had never laid a brick."]
        ear = await say(stage, eight)
        assert set(ear.engines) == {"primary"}
        assert ear.silence_s == 0.0
        first = [chunk for _, chunk in ear.chunks if chunk.sentence == 0]
        assert [(chunk.text, chunk.last) for chunk in first] == [(eight[0], False), ("", True)]
        spoken = [call.spoken for call in primary.calls[-3:]]
        assert spoken == ["The house was built in the spring of that year,", "by two brothers.", eight[1]]

    slow = FakeOptions(delay_s=0.3, real_time_factor=0.9, max_concurrency=2)
    primary = engine("primary", slow)
    on_stage([primary, engine("fallback")], work)
