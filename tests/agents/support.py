"""What the tests of both adapters share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing

from tests.support.server import RATE_HZ

from unavoce.agents.source import Speaks
from unavoce.engines.fake import FakeEngine, FakeOptions, Script
from unavoce.narration.encoder import Format
from unavoce.narration.events import Chunk

TEXT = "Good evening, sir. Dr. Smith paid $3.50 at 10 a.m. for it. The car waits outside."
SENTENCES = ["Good evening, sir.", "Dr. Smith paid $3.50 at 10 a.m. for it.", "The car waits outside."]


class Overheard:
    """A narrator whose chunks are noted on their way to the adapter."""

    def __init__(self, narrator: Speaks) -> None:
        self._narrator = narrator
        self.chunks: list[Chunk] = []

    @property
    def engines(self) -> list[str]:
        """Who spoke, sentence by sentence."""
        return [chunk.engine for chunk in self.chunks if chunk.text]

    async def speak(
        self,
        tokens: AsyncIterable[str] | str,
        *,
        voice: str | None = None,
        speed: float = 1.0,
        format: Format | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        async with aclosing(self._narrator.speak(tokens, voice=voice, speed=speed, format=format)) as chunks:
            async for chunk in chunks:
                self.chunks.append(chunk)
                yield chunk


def engine(name: str, script: Script = ()) -> FakeEngine:
    """Tones at once, under a name."""
    options = FakeOptions(rate_hz=RATE_HZ, s_per_char=0.03, delay_s=0, real_time_factor=0)
    return FakeEngine.named(name)(options, script=script)


async def until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110 - a framework has no event of its own for what a test waits for
        await asyncio.sleep(0.01)
