"""The first sound of a long sentence comes from its beginning, and nothing runs dry. On a virtual clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any

import pytest
from bench.replies import REPLIES, tokens_of
from tests.support.listening import Ear
from tests.support.virtual_time import run_virtually

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.chain.health import Measured
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.narration.encoder import Encoder
from unavoce.narration.events import SentenceCut
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage
from unavoce.narration.warming import sentences_of

LONG = REPLIES["very long first sentence"]
OPENING = "When the last of the guests had gone"
PIPER = FakeOptions(delay_s=0.03, real_time_factor=0.05, s_per_char=0.065, pieces=3, in_process=True)
"""About as fast as streamed Piper on two cores."""
SERVER = FakeOptions(delay_s=0.3, real_time_factor=0.9, s_per_char=0.065, max_concurrency=1)
"""A slow one that makes whole clips, one at a time."""
AT_ONCE = None
Pace = float | None | Sequence[float]


class Heard:
    """A reply as it was heard; times in seconds from its first token."""

    def __init__(self, ear: Ear, began_s: float) -> None:
        self.first_s = ear.chunks[0][0] - began_s
        self.silence_s = ear.silence_s
        self.sentences = [event.sentence for event in ear.events if isinstance(event, SentenceCut)]
        self.spoken = [sentence.spoken for sentence in self.sentences]
        self.sources = [chunk.cache for _, chunk in ear.chunks]
        self.reason = ear.end.reason


async def say(stage: Stage, pieces: Sequence[str], pace: Pace, **plan: Any) -> Heard:
    """Narrate the pieces, `pace` of them a second, or each after the seconds that `pace` lists for it."""
    waits = pace if isinstance(pace, Sequence) else [0, *[1 / pace if pace else 0] * len(pieces)]

    async def tokens() -> AsyncGenerator[str, None]:
        for wait_s, piece in zip(waits, pieces, strict=False):
            await asyncio.sleep(wait_s)
            yield piece

    ear, casting = Ear(), stage.chain.casting(stage.chain.find_voice(None))
    began_s = asyncio.get_running_loop().time()
    await ReplyNarrator(stage, Plan(casting, Encoder(), **plan), ear).run(tokens())
    return Heard(ear, began_s)


def on_stage(
    options: FakeOptions, work: Callable[[Stage], Coroutine[Any, Any, None]], *, measured: bool = True
) -> None:
    """On a stage whose engine has spoken before: its speed is known."""

    async def run() -> None:
        engine = FakeEngine(options)
        async with Stage(Chain([engine]), cache=Cache(MemoryCache(1 << 26)), rehearse=False) as stage:
            await asyncio.sleep(0)
            for characters in (40, 120, 300) * 4 if measured else ():
                stage.chain.spoke(engine.voices()[0], as_measured(options, characters))
            await work(stage)

    run_virtually(run())


def as_measured(options: FakeOptions, characters: int) -> Measured:
    sound_s = options.s_per_char * characters
    work_s = options.real_time_factor * sound_s
    return Measured(characters, options.delay_s + work_s / options.pieces, options.delay_s + work_s, sound_s)


def heard(text: str, pace: Pace, options: FakeOptions = PIPER, **plan: Any) -> Heard:
    """The text in tokens, as a model that writes `pace` of them a second would give them."""
    found: list[Heard] = []

    async def work(stage: Stage) -> None:
        found.append(await say(stage, tokens_of(text), pace, **plan))

    on_stage(options, work)
    return found[0]


@pytest.mark.parametrize(("pace", "latest_s"), [(30, 0.6), (AT_ONCE, 0.15)])
def test_a_very_long_sentence_is_heard_soon(pace: float | None, latest_s: float) -> None:
    """Its first clause is heard while the rest is being written, with the tone of going on."""
    reply = heard(LONG, pace)
    assert reply.first_s <= latest_s
    assert reply.sentences[0].text == OPENING
    assert reply.spoken[0] == f"{OPENING},"
    assert reply.silence_s == 0


@pytest.mark.parametrize("pace", [AT_ONCE, 100, 30, 20, 10, 7, 5, 4])
@pytest.mark.parametrize("options", [PIPER, SERVER], ids=["piper", "server"])
def test_a_long_sentence_never_runs_dry(pace: float | None, options: FakeOptions) -> None:
    """At every pace of the text, and with a slow engine, there is no silence within it, nor before the next."""
    reply = heard(LONG, pace, options)
    assert reply.silence_s == 0
    assert reply.reason == "complete"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pace", [30, 15, 10])
def test_a_text_that_comes_unevenly_never_runs_dry(pace: float, seed: int) -> None:
    """Its tokens come one by one with gaps of every length, or several at a time."""
    rng, tokens = random.Random(seed), tokens_of(LONG)  # noqa: S311 - no secret
    uneven = [rng.lognormvariate(-0.5, 1.0) / pace for _ in tokens]
    bursts = [0 if number % 6 else 6 / pace for number in range(len(tokens))]
    for waits in (uneven, bursts):
        assert heard(LONG, waits).silence_s == 0


@pytest.mark.parametrize("pace", [30, 10, 5])
def test_a_text_that_comes_slowly_is_parted_all_the_same(pace: float) -> None:
    """The slower it comes, the more is kept in hand; but a listener need not wait for three hundred characters."""
    assert heard(LONG, pace).first_s < 0.6 * heard(LONG, pace, early_clauses=False).first_s


def test_what_comes_more_slowly_than_it_is_spoken_is_not_parted() -> None:
    """It cannot but run dry, and does so between sentences."""
    text = "I have turned off the lights in the whole house because you said that you would be away until Sunday. Good."
    assert heard(text, 3).sentences[0].text.endswith("Sunday.")
    assert heard(text, 30).sentences[0].text.endswith("house")


@pytest.mark.parametrize("pace", [30, AT_ONCE])
@pytest.mark.parametrize("name", [name for name in REPLIES if REPLIES[name] != LONG])
def test_ordinary_sentences_stay_whole(name: str, pace: float | None) -> None:
    """A reply whose sentences are of the usual length is cut as it would be without any hurry."""
    assert heard(REPLIES[name], pace).spoken == heard(REPLIES[name], pace, early_clauses=False).spoken


def test_where_whole_sentences_come_soon_they_stay_whole() -> None:
    """With the text all there and an engine that begins any sentence at once, a seam would bring nothing."""
    instant = FakeOptions(delay_s=0.02, real_time_factor=0.01, s_per_char=0.065, pieces=40)
    assert heard(LONG, 1e4, instant).sentences[0].text != OPENING


def test_an_engine_of_unknown_speed_speaks_whole_sentences() -> None:
    """Nothing is known of when the rest would be there."""

    async def work(stage: Stage) -> None:
        reply = await say(stage, tokens_of(LONG), 30)
        assert reply.sentences[0].end > 200

    on_stage(PIPER, work, measured=False)


def test_a_long_sentence_after_a_short_one_leaves_no_gap() -> None:
    """A short first sentence is over before a long second one is written: that one is begun with its first clause."""
    text = (
        "Certainly, sir. The house at the end of the lane belonged for many years to a quiet doctor from the north, "
        "who kept bees in the orchard, sold the honey at the market every Saturday morning, and never told anybody why."
    )
    assert heard(text, 30, early_clauses=False).silence_s > 0
    assert heard(text, 30).silence_s == 0


def test_a_repeated_sentence_is_at_hand_again() -> None:
    """The same text, all at once or at thirty tokens a second, has the same pieces: none is made twice."""

    async def work(stage: Stage) -> None:
        first = await say(stage, tokens_of(LONG), 30)
        for pace in (30, 25, 50, AT_ONCE):
            again = await say(stage, tokens_of(LONG), pace)
            assert again.spoken == first.spoken
            assert set(again.sources) == {"memory"}

    on_stage(PIPER, work)


def test_the_pieces_are_the_text() -> None:
    """Parted or not, each word is told once, in order, and each piece is what stands at its place in the text."""
    parted, whole = heard(LONG, 30), heard(LONG, 30, early_clauses=False)
    assert len(parted.sentences) > len(whole.sentences)
    assert [s.number for s in parted.sentences] == list(range(len(parted.sentences)))
    assert all(LONG[s.start : s.end] == s.text for s in parted.sentences)
    assert " ".join(s.text for s in parted.sentences) == " ".join(s.text for s in whole.sentences)


def test_a_warm_phrase_is_at_hand_parted_or_whole() -> None:
    """Whether a reply with that text will be parted is not known yet: both are made."""

    async def work(stage: Stage) -> None:
        made = sentences_of(LONG, [stage.chain.find_voice(None)], stage)
        for early in (True, False):
            reply = await say(stage, tokens_of(LONG), 30, early_clauses=early)
            assert reply.spoken[0] in made

    on_stage(PIPER, work)
