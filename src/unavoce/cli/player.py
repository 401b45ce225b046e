"""Plays a conversation's chunks on the sound card; where there is none it says so once and stays quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from unavoce.audio.pcm import Pcm
from unavoce.audio.wav import parse_wav
from unavoce.cli.card import SoundCard
from unavoce.errors import AudioError


class Player:
    """An async context manager; owns the one task that feeds the card."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        # The server sends at most half a minute of sound ahead, which bounds this queue.
        self._chunks: asyncio.Queue[Pcm] = asyncio.Queue()
        self._card: SoundCard | None = None
        self._silent = False

    async def __aenter__(self) -> Self:
        self._playing = asyncio.create_task(self._play())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._playing.cancel()
        with suppress(asyncio.CancelledError):
            await self._playing
        if self._card is not None:
            self._card.close()

    def hear(self, chunk: dict[str, Any]) -> None:
        """Queue a chunk as it came from the server (`audio` is a WAV)."""
        if not self._silent:
            self._chunks.put_nowait(parse_wav(chunk["audio"]))

    def stop(self) -> None:
        """Be quiet at once."""
        while not self._chunks.empty():
            self._chunks.get_nowait()
        if self._card is not None:
            self._card.flush()

    async def _play(self) -> None:
        try:
            while True:
                pcm = await self._chunks.get()
                card = await asyncio.to_thread(self._opened, pcm.rate_hz)
                await asyncio.to_thread(card.write, pcm.samples)
        except AudioError as error:
            self._silent = True
            self._tell(f"text only: {error}")

    def _opened(self, rate_hz: int) -> SoundCard:
        if self._card is None:
            self._card = SoundCard(rate_hz).__enter__()
        return self._card
