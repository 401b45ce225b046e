"""The packaged Piper voice for tests that listen to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import onnxruntime  # type: ignore[import-untyped]
from tests.support.engines import said

from unavoce.audio.pcm import Pcm
from unavoce.cores import Cores
from unavoce.engines.base import Engine, EngineContext
from unavoce.engines.registry import create_engine

SEED = 20


def said_by_piper(texts: Sequence[str], data_dir: Path) -> list[Pcm]:
    """Each text as one clip. The voice's noise is seeded, so that a test which passed once passes again."""
    onnxruntime.set_seed(SEED)
    engine = create_engine("piper", {"threads": 1}, EngineContext(data_dir, Cores()))
    return asyncio.run(_said(engine, texts))


async def _said(engine: Engine, texts: Sequence[str]) -> list[Pcm]:
    await engine.start()
    try:
        return [await said(engine, text) for text in texts]
    finally:
        await engine.close()
