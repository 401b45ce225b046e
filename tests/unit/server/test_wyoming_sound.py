"""Sound on Wyoming's wire: a client that takes it too slowly is given up, and no other."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from tests.support.virtual_time import run_virtually as run
from wyoming.event import Eventable

from unavoce.narration.events import Chunk
from unavoce.server.wyoming.sound import Sound

RATE_HZ = 8000
SECOND = Chunk(0, 0, True, "audio/wav", b"", np.zeros(RATE_HZ, np.int16), RATE_HZ, "fake", "tone", "none", "Hello.")


async def _taken(seconds: int, per_second_s: float) -> None:
    """So much sound goes to a client that needs so long for a second of it."""

    async def say(_event: Eventable) -> None:
        await asyncio.sleep(per_second_s / 10)

    sound = Sound(RATE_HZ, say)
    for _ in range(seconds):
        await sound.add(SECOND)


def test_who_takes_it_too_slowly_is_given_up() -> None:
    """A client may be a minute late, or as slow as half the speed of speech; one that is slower for long may not."""
    run(_taken(600, per_second_s=1.95))
    run(_taken(50, per_second_s=3.0))
    with pytest.raises(TimeoutError):
        run(_taken(100, per_second_s=3.0))
