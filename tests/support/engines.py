"""An engine by itself: started, asked, and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import numpy as np
import pytest

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineUnavailable

E = TypeVar("E", bound=Engine)


@asynccontextmanager
async def started(engine: E) -> AsyncIterator[E]:
    """The engine, once it has started; closed when the block ends."""
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


async def refused(starting: AbstractAsyncContextManager[Any], secret: str) -> str:
    """The message of the EngineUnavailable with which an engine refuses to start; the secret is no part of it."""
    with pytest.raises(EngineUnavailable) as caught:
        async with starting:
            pass
    assert secret not in str(caught.value)
    return str(caught.value)


async def said(engine: Engine, text: str, voice: Voice | None = None) -> Pcm:
    """All the sound of `text`, in the engine's default voice where none is given."""
    pieces: list[Pcm] = []
    await engine.synthesise(text, voice or engine.voices()[0], pieces.append)
    assert len({piece.rate_hz for piece in pieces}) == 1
    return Pcm(np.concatenate([piece.samples for piece in pieces]), pieces[0].rate_hz)
