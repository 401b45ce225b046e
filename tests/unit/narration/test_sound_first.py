"""Text that is there already waits for the first sound, where both need the same cores. On a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from bench.replies import REPLIES, tokens_of
from tests.support.listening import Ear
from tests.support.virtual_time import run_virtually

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.narration.encoder import Encoder
from unavoce.narration.events import Event, Token
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.reader import BREATH_S, MOUTHFUL
from unavoce.narration.stage import Stage

DELAY_S = 0.06
HERE = FakeOptions(delay_s=DELAY_S, real_time_factor=0.05, pieces=3, in_process=True)
ELSEWHERE = HERE.model_copy(update={"in_process": False})
TEXT = REPLIES["twenty"]
LONGEST_TOKEN = 12


class TimedEar(Ear):
    """Notes when it was told each part of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.began_s = asyncio.get_running_loop().time()
        self.text: list[tuple[float, str]] = []

    def tell(self, event: Event) -> None:
        super().tell(event)
        if isinstance(event, Token):
            self.text.append((asyncio.get_running_loop().time() - self.began_s, event.text))

    def told_by(self, at_s: float) -> str:
        return "".join(text for told_s, text in self.text if told_s < at_s)

    @property
    def first_sound_s(self) -> float:
        return self.chunks[0][0] - self.began_s


async def _at_once() -> AsyncGenerator[str, None]:
    for token in tokens_of(TEXT):
        yield token


def hear(options: FakeOptions, times: int = 1) -> TimedEar:
    """The text narrated, its tokens all at once: the last time of so many."""
    ears: list[TimedEar] = []

    async def run() -> None:
        async with Stage(Chain([FakeEngine(options)]), cache=Cache(MemoryCache(1 << 26)), rehearse=False) as stage:
            for _ in range(times):
                ears.append(TimedEar())
                casting = stage.chain.casting(stage.chain.find_voice(None))
                await ReplyNarrator(stage, Plan(casting, Encoder()), ears[-1]).run(_at_once())

    run_virtually(run())
    return ears[-1]


def test_while_a_first_sound_is_made_here_text_is_taken_in_mouthfuls() -> None:
    """The first sentence whole, then no more than the breaths leave room for; after the sound all the rest."""
    ear = hear(HERE)
    first_sentence = TEXT.index(".") + 1
    told = ear.told_by(ear.first_sound_s)
    mouthfuls = ear.first_sound_s / BREATH_S + 1
    assert first_sentence <= len(told) <= first_sentence + mouthfuls * (MOUTHFUL + LONGEST_TOKEN)
    assert ear.told_by(ear.first_sound_s + 2 * BREATH_S) == TEXT


def test_text_does_not_wait_for_an_engine_elsewhere() -> None:
    """All of it is told at once, since no sound is hindered by it."""
    ear = hear(ELSEWHERE)
    assert ear.told_by(BREATH_S) == TEXT
    assert ear.first_sound_s >= DELAY_S


def test_text_does_not_wait_for_a_clip_at_hand() -> None:
    """The second time the first sentence is in memory: nothing is computed that cutting could hinder."""
    assert hear(HERE, times=2).told_by(BREATH_S) == TEXT
