"""What a reply keeps of its own sound once that has been sent."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator

from tests.support.listening import Ear
from tests.support.virtual_time import run_virtually

from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.narration.encoder import Encoder
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim


async def text() -> AsyncGenerator[str, None]:
    for number in range(12):
        yield f"This is sentence number {number}, sir. "


def claims() -> list[Claim]:
    """All that are held by anything."""
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, Claim)]


def test_a_sentence_that_was_sent_is_let_go() -> None:
    """A reply that is over, and still kept for a client that may come back, holds none of its clips."""

    async def run() -> None:
        async with Stage(Chain([FakeEngine(FakeOptions())]), rehearse=False) as stage:
            await asyncio.sleep(0)
            others = claims()
            casting = stage.chain.casting(stage.chain.find_voice(None))
            narrator = ReplyNarrator(stage, Plan(casting, Encoder()), Ear())
            await narrator.run(text())
            assert [one for one in claims() if one not in others] == []
            assert len(narrator.sentences) == 12

    run_virtually(run())
