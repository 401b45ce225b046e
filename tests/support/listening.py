"""A listener that keeps what it hears of one reply, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from unavoce.narration.events import AudioDone, Chunk, Event


@dataclass
class Ear:
    """Hears one reply and notes when."""

    chunks: list[tuple[float, Chunk]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def tell(self, event: Event) -> None:
        self.events.append(event)

    async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
        taken()
        self.chunks.append((asyncio.get_running_loop().time(), chunk))

    @property
    def engines(self) -> list[str]:
        return [chunk.engine for _, chunk in self.chunks]

    @property
    def end(self) -> AudioDone:
        return next(event for event in self.events if isinstance(event, AudioDone))

    @property
    def silence_s(self) -> float:
        """Seconds the listener waited in mid-reply."""
        dry_at_s, silence_s = self.chunks[0][0], 0.0
        for at_s, chunk in self.chunks:
            silence_s += max(0.0, at_s - dry_at_s)
            dry_at_s = max(at_s, dry_at_s) + chunk.duration_s
        return silence_s
