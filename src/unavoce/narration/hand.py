"""A listener who takes a reply's chunks in a loop, at the loop's own pace: the library, and doors that stream sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence

from unavoce.errors import EngineError
from unavoce.narration.events import AudioDone, Chunk, Event, Skipped


class Hand:
    """Passes chunks from a narrator to a loop, one at a time: the loop's own pace is the listener's."""

    def __init__(self) -> None:
        # One place: `hear` returns when the loop has come for the chunk.
        self._offered: tuple[Chunk, Callable[[], None], asyncio.Future[None]] | None = None
        self._change = asyncio.Event()
        self._closed = False
        self.skipped: Sequence[Skipped] = ()
        """Known at the end."""

    def tell(self, event: Event) -> None:
        if isinstance(event, AudioDone):
            self.skipped = event.skipped

    async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
        fetched = asyncio.get_running_loop().create_future()
        self._offered = chunk, taken, fetched
        self._change.set()
        try:
            await fetched
        finally:
            self._offered = None

    def close(self) -> None:
        self._closed = True
        self._change.set()

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while True:
            await self._change.wait()
            self._change.clear()
            if self._offered is not None:
                chunk, taken, fetched = self._offered
                self._offered = None
                taken()
                fetched.set_result(None)
                yield chunk
            elif self._closed:
                return

    def check(self) -> None:
        """Raises EngineError when a sentence was not spoken."""
        if self.skipped:
            first = self.skipped[0]
            raise EngineError(f"{len(self.skipped)} sentence(s) not spoken; number {first.sentence}: {first.reason}")


async def pieces(tokens: AsyncIterable[str] | str) -> AsyncGenerator[str, None]:
    """A text, or a stream of them, as a stream."""
    if isinstance(tokens, str):
        yield tokens
        return
    async for token in tokens:
        yield token
