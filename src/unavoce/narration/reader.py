"""The reader of one reply: takes tokens, tells the text, cuts the sentences. Never waits for sound."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from unavoce.errors import ModelError, RequestError
from unavoce.narration.events import Event, Failure, Token
from unavoce.narration.foresight import Arrivals
from unavoce.text import Sentence, SentenceStream

log = logging.getLogger(__name__)

STALL_S = 0.7
"""A stream that pauses this long has what can be spoken taken out of it."""


SLICE = 500
"""Code points cut in one go, about 5 ms of work."""

MOUTHFUL, BREATH_S = 16, 0.01
"""Code points taken at a time, and the pause after them, while the cores are wanted for a first sound: 400 tokens a
second, more than any model writes on them."""


class Reader:
    """Feeds a stream of tokens through the cutter.

    `tell` takes what is to be told, `cut` the sentences, after the text they stand in was told. `arrivals` is told what
    has come, before it is cut. `sound_first` says whether a first sound is in the making on the cores that cutting
    needs too.
    """

    def __init__(
        self,
        stream: SentenceStream,
        max_chars: int,
        tell: Callable[[Event], None],
        cut: Callable[[list[Sentence]], None],
        arrivals: Arrivals,
        *,
        sound_first: Callable[[], bool],
    ) -> None:
        self._stream = stream
        self._max_chars = max_chars
        self._tell = tell
        self._cut = cut
        self._arrivals = arrivals
        self._sound_first = sound_first
        self._taken = 0
        """Code points since the last breath."""
        self._stall: asyncio.TimerHandle | None = None
        self.error: Exception | None = None
        """What ended the stream of tokens, unless it just ended."""

    @property
    def text(self) -> str:
        return self._stream.text

    async def read(self, tokens: AsyncGenerator[str, None]) -> None:
        """Read to the end. A fault of the source is told and kept in `error`; what came before it stands."""
        try:
            async with aclosing(tokens):
                async for piece in tokens:
                    await self._take_all(piece)
        except (ModelError, RequestError) as error:
            self._fail(error, error.code, error.message)
        except Exception as error:
            log.exception("token_source_crashed")
            self._fail(error, "internal", "the source of the text made a mistake; the server's log says which")
        self.stop()
        before = self._stream.length
        self._pass_on(before, self._stream.end())

    def stop(self) -> None:
        """Nothing is taken out of the stream by itself any more."""
        if self._stall is not None:
            self._stall.cancel()

    async def _take_all(self, piece: str) -> None:
        """Take a piece; a very large one in slices, so that other replies get their turn between them.

        A sentence's synthesis begins as soon as it is cut, also while a source has more text ready than we can cut; the
        first one's has the cores almost to itself (docs/performance.md).
        """
        self._arrivals.came(asyncio.get_running_loop().time(), len(piece))
        for start in range(0, len(piece), SLICE):
            if self._take(piece[start : start + SLICE]) or start:
                await asyncio.sleep(0)
        self._taken += len(piece)
        if self._taken >= MOUTHFUL and self._sound_first():
            self._taken = 0
            await asyncio.sleep(BREATH_S)

    def _take(self, piece: str) -> list[Sentence]:
        before = self._stream.length
        room = self._max_chars - before
        sentences = self._stream.feed(piece[:room])
        self._pass_on(before, sentences)
        self.stop()
        self._stall = asyncio.get_running_loop().call_later(STALL_S, self._on_stall)
        if len(piece) > room:
            raise RequestError("reply_too_long", f"the reply was cut at {self._max_chars} characters")
        return sentences

    def _pass_on(self, before: int, sentences: list[Sentence]) -> None:
        if self._stream.length > before:
            self._tell(Token(self._stream.since(before), before))
        self._cut(sentences)

    def _on_stall(self) -> None:
        self._cut(self._stream.stalled())

    def _fail(self, error: Exception, code: str, message: str) -> None:
        self.error = error
        self._tell(Failure(code, message))
