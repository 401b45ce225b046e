"""A reply's trace: when each sentence was cut, asked for, made, sent and heard, and by whom. On a virtual clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from tests.support.listening import Ear
from tests.support.protocol import check_trace
from tests.support.scripted_disk import ScriptedDisk
from tests.support.virtual_time import run_virtually

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.chat import traces
from unavoce.chat.traces import TracedReply, Traces
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineUnavailable
from unavoce.narration import script
from unavoce.narration.encoder import Encoder, Encoding
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.renditions import Renditions
from unavoce.narration.stage import Stage
from unavoce.narration.trace import MAX_ATTEMPTS, MAX_REASON, ReplyTrace

FIRST, SECOND = "Certainly, sir.", "Dinner will be served at eight."
"""15 and 31 characters: at 0.1 s a character 1.5 and 3.1 s of sound, at a tenth of which 150 and 310 ms to make."""
STEADY = {"s_per_char": 0.1, "delay_s": 0.0, "real_time_factor": 0.1}
SILENT = {"startedMs": None, "synthesisedMs": None, "sentMs": None, "playsFromMs": None, "engine": None, "chunks": 0}


def engine(name: str = "primary", script: Any = (), **options: Any) -> FakeEngine:
    return FakeEngine.named(name)(FakeOptions(**{**STEADY, **options}), script=script)


@dataclass
class Narration:
    """A reply under way on the stage."""

    narrator: ReplyNarrator
    ear: Ear

    def told(self) -> dict[str, Any]:
        """Its trace as it goes over the wire."""
        wired = TracedReply("reply", "session", "", 1_764_000_000.0, self.narrator.trace).on_wire()
        check_trace(wired)
        assert json.loads(json.dumps(wired)) == wired
        return wired

    def sentences(self, *names: str) -> list[list[Any]]:
        return [[one[name] for name in names] for one in self.told()["sentences"]]

    def attempts(self, sentence: int = 0) -> list[tuple[Any, ...]]:
        """The sentence's attempts, each as engine, start, end, outcome, reason."""
        return [tuple(one.values()) for one in self.told()["sentences"][sentence]["attempts"]]


def narration(stage: Stage, *, speak: bool = True, **plan: Any) -> Narration:
    ear, chain = Ear(), stage.chain
    casting = chain.casting(chain.find_voice(None)) if speak else None
    return Narration(ReplyNarrator(stage, Plan(casting, Encoder(), **plan), ear), ear)


async def said(stage: Stage, *sentences: str, **plan: Any) -> Narration:
    """The sentences, all there at once, said to the end."""
    reply = narration(stage, **plan)
    await reply.narrator.run(text(*sentences))
    return reply


async def text(*sentences: str) -> AsyncGenerator[str, None]:
    yield " ".join(sentences)


def on_stage(engines: list[FakeEngine], work: Callable[[Stage], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with Stage(Chain(engines), rehearse=False, **settings) as stage:
            await asyncio.sleep(0)
            await work(stage)

    run_virtually(run())


# -- the ordinary way


def test_a_plain_reply() -> None:
    """Each sentence has its slot, its clip, its chunk and its place in the sound at the moment it had them."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST, SECOND)
        told = reply.told()
        assert told["status"] == "complete"
        assert told["nowMs"] == 310
        assert told["startedAt"] == 1_764_000_000_000
        assert (told["timings"]["firstAudio"], told["timings"]["lastAudio"]) == (150, 310)
        made = ("cutMs", "queuedMs", "startedMs", "synthesisedMs", "sentMs", "lastSentMs")
        assert reply.sentences(*made) == [[0, 0, 0, 150, 150, 150], [0, 0, 0, 310, 310, 310]]
        assert (
            reply.sentences("engine", "voice", "cache", "chunks", "skipped")
            == [["primary", "tone", "none", 1, None]] * 2
        )
        assert reply.attempts(0) == [("primary", 0, 150, "spoken", "")]
        assert reply.attempts(1) == [("primary", 0, 310, "spoken", "")]
        lengths = [round(chunk.duration_s * 1000) for _, chunk in reply.ear.chunks]
        assert reply.sentences("durationMs") == [[length] for length in lengths]
        assert reply.sentences("playsFromMs") == [[150], [150 + lengths[0]]]
        assert reply.sentences("playsToMs") == [[150 + lengths[0]], [150 + sum(lengths)]]

    on_stage([engine()], work)


def test_a_sentence_waits_for_its_slot() -> None:
    """Where the engine takes one at a time, the second sentence is queued until the first is done."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST, SECOND)
        assert reply.sentences("queuedMs", "startedMs", "synthesisedMs") == [[0, 0, 150], [0, 150, 460]]
        assert reply.attempts(1) == [("primary", 150, 460, "spoken", "")]

    on_stage([engine(max_concurrency=1)], work)


def test_a_streamed_sentence_is_sent_before_it_is_whole() -> None:
    """The first chunk leaves with the first piece, the last when the clip is whole."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, SECOND)
        (first, last, whole, chunks), *_ = reply.sentences("sentMs", "lastSentMs", "synthesisedMs", "chunks")
        # The fade of its edges and what is kept back (0.15 s) leave with the next piece.
        assert (first, last, whole, chunks) == (155, 310, 310, 2)

    on_stage([engine(pieces=2)], work)


def test_encoding_counts_while_it_lasts() -> None:
    """`encodeMs` is the time between the beginning and the end of shaping and encoding."""

    async def work(stage: Stage) -> None:
        encode = Encoding.rest

        async def slow(self: Encoding, *sound: Any) -> Any:
            await asyncio.sleep(0.02)
            return await encode(self, *sound)

        with patch.object(Encoding, "rest", slow):
            reply = await said(stage, FIRST)
        assert reply.sentences("synthesisedMs", "encodeMs", "sentMs") == [[150, 20.0, 170]]

    on_stage([engine()], work)


# -- from the cache


def test_a_clip_in_memory_needs_no_engine() -> None:
    """It was there when it was asked for, with no slot and no attempt; also where it leaves as it left before."""

    async def work(stage: Stage) -> None:
        kept = Renditions(1 << 26)
        await said(stage, FIRST, renditions=kept)
        shaped, repeated = await said(stage, FIRST, renditions=Renditions()), await said(stage, FIRST, renditions=kept)
        for reply in (shaped, repeated):
            assert reply.sentences("queuedMs", "startedMs", "synthesisedMs", "sentMs") == [[0, None, 0, 0]]
            assert reply.sentences("engine", "cache", "attempts") == [["primary", "memory", []]]

    cache = Cache(MemoryCache(1 << 26))
    loud = engine()
    on_stage([loud], work, cache=cache)
    assert len(loud.calls) == 1


def test_a_clip_on_disk_comes_when_it_was_found() -> None:
    """Between being asked for and being there lies the look on disk, and no engine."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST)
        assert reply.sentences("queuedMs", "startedMs", "synthesisedMs", "sentMs") == [[0, None, 10, 10]]
        assert reply.sentences("cache", "attempts") == [["disk", []]]
        missed = await said(stage, SECOND)
        assert missed.sentences("queuedMs", "startedMs", "synthesisedMs", "cache") == [[0, 10, 320, "none"]]
        assert missed.attempts() == [("primary", 10, 320, "spoken", "")]

    one, cache = engine(), Cache(MemoryCache(0), ScriptedDisk(lambda: 0.01))
    voice = one.voices()[0]
    cache.keep(voice, FIRST, one.tone(FIRST, voice))
    on_stage([one], work, cache=cache)


# -- when the fallback takes over


def test_a_late_primary_and_its_fallback() -> None:
    """The primary is late at the deadline, its other sentence withdrawn; the fallback began in time and has spoken."""

    async def work(stage: Stage) -> None:
        await said(stage, FIRST)  # the fallback is measured
        reply = await said(stage, FIRST, SECOND, primary_timeout_s=3.0)
        late, spoken = reply.attempts()
        assert late == ("primary", 0, 3000, "late", "no sound in time")
        # Begun sooner than the deadline by 1.2 of the expected 150 ms, and 50 ms.
        assert spoken == ("fallback", 2770, 2920, "spoken", "")
        assert reply.attempts(1)[0] == ("primary", 0, 3000, "withdrawn", "the reply moved on: late")
        assert reply.attempts(1)[1] == ("fallback", 3000, 3310, "spoken", "")
        times = ("startedMs", "synthesisedMs", "sentMs", "engine")
        assert reply.sentences(*times) == [[0, 2920, 3000, "fallback"], [0, 3310, 3310, "fallback"]]

    on_stage([engine(script=lambda *_: Step(hang_after=0)), engine("fallback")], work)


def test_a_hedge_that_lost() -> None:
    """A primary that speaks just in time has spoken, and the clip of the fallback beside it was not needed."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST, primary_timeout_s=3.0)
        assert reply.attempts() == [
            ("primary", 0, 2990, "spoken", ""),
            ("fallback", 2350, 2500, "withdrawn", "not needed"),
        ]
        assert reply.sentences("engine", "startedMs", "synthesisedMs") == [["primary", 0, 2990]]

    on_stage([engine(delay_s=2.84), engine("fallback")], work)


def test_a_primary_that_fails_says_why() -> None:
    """The failure stands with its reason before the fallback's attempt."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST)
        assert reply.attempts() == [("primary", 0, 0, "failed", "as scripted"), ("fallback", 0, 150, "spoken", "")]
        assert reply.sentences("engine", "startedMs", "synthesisedMs") == [["fallback", 0, 150]]

    refuses = lambda *_: Step(fail_after=0, error=EngineUnavailable)  # noqa: E731
    on_stage([engine(script=refuses), engine("fallback")], work)


LONG = "The kettle is on, and the lights are low in every room."


def test_a_sentence_that_broke_off_has_both_attempts() -> None:
    """Who began it failed, who went on with it spoke; the sentence is the later one's and whole when that is done."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST, LONG)
        failed, spoken = reply.attempts(1)
        assert failed == ("primary", 0, 413, "failed", "as scripted")
        assert spoken == ("fallback", 413, 413 + 370, "spoken", "")
        told = reply.told()["sentences"][1]
        assert (told["engine"], told["cache"], told["synthesisedMs"]) == ("fallback", "none", 413 + 370)
        assert told["chunks"] == sum(chunk.sentence == 1 for _, chunk in reply.ear.chunks) > 1

    def dies(_: int, spoken: str) -> Step:
        return Step(pieces=4, fail_after=3, error=EngineUnavailable) if spoken == LONG else Step()

    on_stage([engine(script=dies), engine("fallback")], work)


def test_a_sentence_that_fell_silent_was_late() -> None:
    """An engine that stops in mid-sentence is late with the rest, which the fallback says."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, LONG)
        late, spoken = reply.attempts()
        assert (late[0], late[3], late[4]) == ("primary", "late", "primary fell silent in mid-sentence")
        assert (spoken[0], spoken[3]) == ("fallback", "spoken")
        assert spoken[1] < late[2]

    on_stage([engine(script=lambda *_: Step(pieces=4, hang_after=2)), engine("fallback")], work)


def test_a_reply_that_moves_to_hold_the_pace() -> None:
    """What a too slow engine had made or begun is withdrawn with that reason, and the next engine speaks."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST, SECOND)
        assert reply.attempts(0) == [
            ("primary", 0, 2250, "withdrawn", "the reply moved on: pace"),
            ("fallback", 2250, 2400, "spoken", ""),
        ]
        assert reply.sentences("engine") == [["fallback"], ["fallback"]]

    on_stage([engine(real_time_factor=1.5, max_concurrency=1), engine("fallback")], work)


def test_a_sentence_that_nobody_could_speak() -> None:
    """It stands as skipped with its reason, with everybody who tried; nothing of it was sent."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST, SECOND)
        assert reply.told()["status"] == "failed"
        skipped, spoken = reply.told()["sentences"]
        assert {**skipped, **SILENT, "startedMs": 0} == skipped
        assert skipped["skipped"] == "as scripted"
        assert [one["outcome"] for one in skipped["attempts"]] == ["failed", "failed", "failed"]
        assert (spoken["skipped"], spoken["chunks"]) == (None, 1)

    def refuses(_: int, spoken: str) -> Step:
        return Step(fail_after=0) if spoken == FIRST else Step()

    on_stage([engine(script=refuses), engine("fallback", script=refuses)], work)


# -- stopped, silent, under way


def test_a_reply_that_is_stopped() -> None:
    """What was not heard by then has no place in the sound; the one under way ends at the stop."""

    async def work(stage: Stage) -> None:
        reply = narration(stage)
        running = asyncio.create_task(reply.narrator.run(text(FIRST, SECOND, LONG)))
        await asyncio.sleep(0.4)
        reply.narrator.abort()
        await running
        assert reply.told()["status"] == "aborted"
        assert reply.sentences("playsFromMs", "playsToMs") == [[150, 400], [None, None], [None, None]]
        assert reply.sentences("sentMs") == [[150], [310], [None]]
        assert reply.attempts(2) == [("primary", 150, 400, "withdrawn", "the reply ended")]

    on_stage([engine()], work)


def test_a_reply_without_sound() -> None:
    """Its sentences were cut, and that is all."""

    async def work(stage: Stage) -> None:
        told = (await said(stage, FIRST, SECOND, speak=False)).told()
        assert told["status"] == "complete"
        assert [one["cutMs"] for one in told["sentences"]] == [0, 0]
        for one in told["sentences"]:
            assert {**one, **SILENT, "queuedMs": None, "encodeMs": None, "cache": None, "attempts": []} == one

    on_stage([engine()], work)


def test_a_reply_under_way() -> None:
    """While it runs, what has not happened yet is null, and an attempt has no outcome."""

    async def work(stage: Stage) -> None:
        reply = narration(stage)
        running = asyncio.create_task(reply.narrator.run(text(FIRST, SECOND)))
        await asyncio.sleep(0.2)
        told = reply.told()
        assert (told["status"], told["nowMs"]) == ("running", 200)
        assert reply.sentences("startedMs", "synthesisedMs", "sentMs") == [[0, 150, 150], [0, None, None]]
        assert reply.attempts(1) == [("primary", 0, None, None, "")]
        await running

    on_stage([engine()], work)


def test_what_the_listener_says_moves_the_sound_on() -> None:
    """`chat:played` corrects where sentences are heard; none before it was sent, or before the one in front."""

    async def work(stage: Stage) -> None:
        reply = await said(stage, FIRST, SECOND)
        (first_s, _), (second_s, _) = [(chunk.duration_s, at_s) for at_s, chunk in reply.ear.chunks]
        loop_s = asyncio.get_running_loop().time()
        reply.narrator.clock.played(loop_s, 0, 0.1)
        begins = 310 - 100
        assert reply.sentences("playsFromMs") == [[begins], [begins + round(first_s * 1000)]]
        reply.narrator.clock.played(loop_s, 1, second_s)
        assert reply.sentences("playsFromMs") == [[150], [310]]

    on_stage([engine()], work)


# -- bounds


def test_a_trace_lets_go_of_its_reply() -> None:
    """After the end every attempt is closed, so that no clip is kept in memory for the trace."""

    async def work(stage: Stage) -> None:
        await said(stage, FIRST)
        reply = await said(stage, FIRST, SECOND, LONG)
        attempts = [attempt for sentence in reply.narrator.trace.sentences for attempt in sentence.attempts]
        assert len(attempts) == 5
        assert all(attempt.outcome and not attempt.claims for attempt in attempts)

    on_stage([engine(script=lambda *_: Step(hang_after=0)), engine("fallback")], work)


def test_only_so_much_is_traced_of_a_reply() -> None:
    """Sentences beyond the bound are spoken and not traced; of one asked for very often the latest attempts stand."""

    async def work(stage: Stage) -> None:
        with patch.object(script, "MAX_SENTENCES", 1):
            reply = await said(stage, FIRST, SECOND)
        assert [one["sentence"] for one in reply.told()["sentences"]] == [0]
        assert len(reply.ear.chunks) == 2
        sentence = reply.narrator.trace.sentences[0]
        voice = stage.chain.find_voice(None)
        for number in range(MAX_ATTEMPTS + 3):
            claim = stage.claim(voice, f"number {number}", 0.0, lambda: None)
            sentence.asked(claim)
            sentence.let_go(claim, "x" * 2 * MAX_REASON)
            claim.withdraw()
        assert len(reply.attempts()) == MAX_ATTEMPTS
        assert sentence.attempts[-1].reason == "x" * MAX_REASON
        assert sentence.started_s == 0.0

    on_stage([engine()], work)


def traced(name: str, trace: ReplyTrace) -> TracedReply:
    return TracedReply(name, "session", "", 0.0, trace)


@pytest.mark.parametrize("bound", ["MAX_TRACES", "MAX_BYTES"])
def test_traces_of_old_replies_go_first(bound: str) -> None:
    """The store holds so many traces, and so many bytes; the oldest makes room."""

    async def work(stage: Stage) -> None:
        trace, kept = (await said(stage, FIRST)).narrator.trace, Traces()
        size = traced("", trace).bytes
        assert size > 0
        with patch.object(traces, bound, 3 if bound == "MAX_TRACES" else 3 * size):
            for number in range(5):
                kept.keep(traced(f"r{number}", trace))
        assert [kept.get(f"r{number}") is not None for number in range(5)] == [False, False, True, True, True]
        assert (len(kept), kept.bytes) == (3, 3 * size)

    on_stage([engine()], work)
