"""Kokoro with its real model, installed once by the command itself into the cache folder of the tests."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.hearing import word_error_rate

from unavoce.audio.pcm import Pcm
from unavoce.cli.install import install
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.kokoro import KokoroEngine, KokoroOptions
from unavoce.engines.kokoro_files import missing

CACHE = Path(__file__).parents[2] / ".cache" / "kokoro"
TEXT = "The kettle is on, and dinner will be ready in a quarter of an hour."


@pytest.fixture(scope="module")
def installed() -> Path:
    """A data directory with Kokoro in it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        install(CACHE / "kokoro", Console(quiet=True))
    assert missing(CACHE / "kokoro") == []
    return CACHE


@pytest.mark.parametrize("voice", ["bm_george", "af_heart"])
async def test_says_the_words_and_stops_when_told(installed: Path, voice: str) -> None:
    """A British and an American voice are understood; a cancelled call ends with nothing running or emitted."""
    engine = KokoroEngine(KokoroOptions(voice=voice), EngineContext(installed, Cores(2)))
    try:
        await engine.start()
        clips: list[Pcm] = []
        await engine.synthesise(TEXT, engine.voices()[0], clips.append)
        call = asyncio.create_task(engine.synthesise(TEXT * 4, engine.voices()[0], clips.append))
        while not engine.running:  # noqa: ASYNC110 - the engine has no event for it
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert engine.running == 0
    finally:
        await engine.close()
    (clip,) = clips
    assert clip.rate_hz == 24_000
    assert word_error_rate(TEXT, clip.samples, clip.rate_hz) < 0.15
