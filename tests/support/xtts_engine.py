"""The engine for XTTS before a stand-in, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.xtts_servers import Kind, Server, standing_in

from unavoce.audio.pcm import Pcm
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.xtts import XttsEngine, XttsOptions

KINDS: tuple[Kind, ...] = ("coqui", "streaming", "api-server", "openai")
TITLES = {
    "coqui": "coqui-tts tts-server",
    "streaming": "xtts-streaming-server",
    "api-server": "xtts-api-server",
    "openai": "OpenAI-style server",
}
TEXT = "Good evening, everything is ready."
LONG = ", ".join(["and then the kettle sang its quiet song again"] * 16) + "."
PATIENCE_S = 30.0
CONTEXT = EngineContext(data_dir=Path("unused"), cores=Cores())

each_kind = pytest.mark.parametrize("kind", KINDS)
streams = pytest.mark.parametrize("kind", ["streaming", "api-server", "openai"])


def engine_for(url: str, **section: Any) -> XttsEngine:
    return XttsEngine(XttsOptions(url=url, **section), CONTEXT)


@asynccontextmanager
async def speaking(kind: Kind, section: Any = None, **about: Any) -> AsyncIterator[tuple[XttsEngine, Server]]:
    """A started engine and its server."""
    async with standing_in(kind, **about) as server:
        engine = engine_for(server.url, **(section or {}))
        try:
            await engine.start()
            yield engine, server
        finally:
            await engine.close()


async def say(engine: XttsEngine, text: str = TEXT, **change: Any) -> Pcm:
    heard: list[Pcm] = []
    await engine.synthesise(text, replace(engine.voices()[0], **change), heard.append)
    return Pcm(np.concatenate([piece.samples for piece in heard]), heard[0].rate_hz)


def pitch_hz(sound: Pcm) -> float:
    """Of a pure tone."""
    spectrum = np.abs(np.fft.rfft(sound.samples))
    return float(np.argmax(spectrum) * sound.rate_hz / sound.samples.size)
