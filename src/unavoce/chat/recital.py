"""A recital: a reply without a conversation. Its text comes from the caller, and its sound goes back to the same one,
chunk by chunk, as fast as it is taken. For doors that answer a request with sound."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator

from unavoce.chat.client import Caller
from unavoce.chat.session import new_id
from unavoce.chat.traces import Door, TracedReply
from unavoce.narration.events import Chunk, Skipped
from unavoce.narration.hand import Hand
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage


class Recital:
    """Iterate over it for its chunks. `Chat.recite` makes one."""

    def __init__(self, caller: Caller, door: Door, stage: Stage, plan: Plan) -> None:
        self.id = new_id()
        self.over = False
        self.caller = caller
        self._door = door
        self._began_at = time.time()
        self._hand = Hand()
        self.narrator = ReplyNarrator(stage, plan, self._hand)

    async def run(self, tokens: AsyncGenerator[str, None]) -> None:
        try:
            await self.narrator.run(tokens)
        finally:
            self.over = True
            self._hand.close()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return aiter(self._hand)

    def abort(self) -> None:
        """Stop it, unless it has come to its end: what was taken then is heard to its end."""
        if not self.over:
            self.narrator.abort()

    def check(self) -> None:
        """To be called after the last chunk. Raises what broke the text off; EngineError for a sentence not spoken."""
        if self.narrator.source_error is not None:
            raise self.narrator.source_error
        self._hand.check()

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Sentences that were not spoken; known after the last chunk."""
        return tuple(self._hand.skipped)

    @property
    def traced(self) -> TracedReply:
        """What became of it when, so far."""
        return TracedReply(self.id, "", self.caller.key, self._began_at, self.narrator.trace, self._door)
