"""XTTS as the first of two engines, under the stage that all replies share."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.support.server import quick_engine
from tests.support.xtts_engine import KINDS, PATIENCE_S, each_kind, engine_for, pitch_hz
from tests.support.xtts_servers import Kind, standing_in

from unavoce import Narrator
from unavoce.chain.chain import Chain, EngineStatus
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim
from unavoce.settings import Settings

TEXTS = [f"The {nth} guest is at the door." for nth in ("first", "second", "third", "fourth", "fifth")]


async def _heard(claim: Claim) -> None:
    async for _ in claim.parts():
        pass


@each_kind
async def test_sentences_that_are_stopped_never_meet_the_next(kind: Kind) -> None:
    """Claims are withdrawn before, at and in the middle of their synthesis; what is wanted is whole, and alone."""
    async with standing_in(kind, speakers=["Uta Obando"]) as server:
        chain = Chain([engine_for(server.url)])
        async with Stage(chain, rehearse=False) as stage:
            await chain.ready("xtts")
            voice = chain.find_voice(None)
            claims = [stage.claim(voice, text, due, lambda: None) for due, text in enumerate(TEXTS)]
            await asyncio.wait_for(server.model.begun.wait(), PATIENCE_S)
            claims[0].withdraw()
            claims[2].withdraw()
            for claim in (claims[1], claims[3], claims[4]):
                await asyncio.wait_for(_heard(claim), PATIENCE_S)
                assert pitch_hz(claim.synthesis.clip()) == pytest.approx(220, abs=2)
            assert server.model.spoken == [text for text in TEXTS if text != TEXTS[2]]
            assert server.model.overlaps == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_comes_up_late_is_found_by_a_probe(kind: Kind) -> None:
    """The port is closed until the model is loaded: down, then healthy, with nobody talking."""
    async with standing_in(kind) as gone:
        port = int(gone.url.rpartition(":")[2])
    chain = Chain([engine_for(gone.url)])
    seen: asyncio.Queue[EngineStatus] = asyncio.Queue()
    chain.watch(seen.put_nowait)
    async with Stage(chain, rehearse=False, recovery_interval_s=0.05):
        down = await asyncio.wait_for(seen.get(), PATIENCE_S)
        assert (down.status, "UNAVOCE_XTTS__URL" in down.reason) == ("down", True)
        assert [voice.name for voice in chain.voices()] == ["default"]
        async with standing_in(kind, port):
            assert (await asyncio.wait_for(seen.get(), PATIENCE_S)).status == "healthy"
            assert {voice.name for voice in chain.voices()} == {"Claribel Dervla", "Uta Obando", "Lidiya O'Brien"}


async def test_a_speed_it_has_not_is_spoken_by_the_next_engine(data_dir: Path) -> None:
    """The whole reply, at the speed that was asked for; at its own speed the server speaks itself."""
    async with standing_in("coqui") as server:
        chain = Chain([engine_for(server.url), quick_engine()])
        async with Narrator(Settings(data_dir=data_dir), Stage(chain, rehearse=False)) as narrator:
            text = "Good evening. Everything is ready."
            fast = [chunk async for chunk in narrator.speak(text, speed=1.25)]
            own = [chunk async for chunk in narrator.speak(text)]
    assert {chunk.engine for chunk in fast} == {"fake"}
    assert {chunk.engine for chunk in own} == {"xtts"}
    assert server.model.overlaps == 0
