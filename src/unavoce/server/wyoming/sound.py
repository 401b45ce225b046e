"""A request's sound on the wire: `audio-start`, `audio-chunk`…, `audio-stop`, all at one rate, 16-bit and mono."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Eventable

from unavoce.narration.events import Chunk

WIDTH_BYTES, CHANNELS = 2, 1
CHUNK_S = 0.1
"""Sound in one event, at most."""
SLOWEST, GRACE_S = 2.0, 60.0
"""A client that needs more than twice as long to take its sound as it lasts, and a minute, is not listening to it."""

Say = Callable[[Eventable], Awaitable[None]]


class Sound:
    """Its events are handed to `say`; timestamps are milliseconds of sound since the request's first."""

    def __init__(self, rate_hz: int, say: Say) -> None:
        self._rate_hz = rate_hz
        self._say = say
        self.begun = False
        self._samples = 0
        self._waited_s = 0.0
        self._now = asyncio.get_running_loop().time

    async def add(self, chunk: Chunk) -> None:
        """Raises TimeoutError when the client takes its sound far too slowly."""
        await self.begin()
        step = round(CHUNK_S * self._rate_hz)
        for start in range(0, len(chunk.samples), step):
            part = chunk.samples[start : start + step]
            await self._write(AudioChunk(audio=part.astype("<i2").tobytes(), timestamp=self._at_ms, **self._format))
            self._samples += len(part)
            # A client that reads fast would else have the event loop to itself until a long clip has left.
            await asyncio.sleep(0)

    async def _write(self, event: Eventable) -> None:
        began_s = self._now()
        await self._say(event)
        self._waited_s += self._now() - began_s
        if self._waited_s > GRACE_S + SLOWEST * self._samples / self._rate_hz:
            raise TimeoutError

    async def begin(self) -> None:
        """Told once; `add` does it where it was not done."""
        if not self.begun:
            self.begun = True
            await self._say(AudioStart(timestamp=0, **self._format))

    async def end(self) -> None:
        await self._say(AudioStop(timestamp=self._at_ms))

    @property
    def _format(self) -> dict[str, Any]:
        return {"rate": self._rate_hz, "width": WIDTH_BYTES, "channels": CHANNELS}

    @property
    def _at_ms(self) -> int:
        return round(1000 * self._samples / self._rate_hz)
