"""The text of a reply that a client streams itself (`speak:start`, `speak:text`, `speak:end`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from unavoce.errors import RequestError

IDLE_S = 60.0
"""Without text for this long the reply ends; what was received is spoken."""


class SpeechInput:
    """Pieces in order of arrival, at most `max_chars` characters in all."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._received = 0
        self._pieces: list[str] = []
        self._ended = False
        self._news = asyncio.Event()

    def push(self, text: str) -> None:
        """Raises RequestError `ended` after the end, `too_long` when the reply's text grows too long."""
        if self._ended:
            raise RequestError("ended", "speak:text after speak:end: begin another reply with speak:start")
        if self._received + len(text) > self._max_chars:
            raise RequestError("too_long", f"a reply takes at most {self._max_chars} characters")
        self._received += len(text)
        self._pieces.append(text)
        self._news.set()

    def end(self) -> None:
        if self._ended:
            raise RequestError("ended", "speak:end was sent already")
        self._ended = True
        self._news.set()

    async def __aiter__(self) -> AsyncGenerator[str, None]:
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._news.wait()
            except TimeoutError:
                self._ended = True
                message = f"no text came for {IDLE_S:g} s; what was received is spoken"
                raise RequestError("idle_timeout", message) from None
            self._news.clear()
            pieces, self._pieces = self._pieces, []
            if pieces:
                yield "".join(pieces)
            if self._ended and not self._pieces:
                return
