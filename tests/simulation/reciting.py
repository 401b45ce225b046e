"""Somebody at a door that answers with sound: gives a text, takes chunks at any pace, and may leave in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from tests.simulation.actors import random_speech

from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller
from unavoce.chat.recital import Recital
from unavoce.chat.traces import Door
from unavoce.errors import EngineError, ModelError, RequestError
from unavoce.narration.events import Chunk

DOORS: Sequence[Door] = ("openai", "wyoming")


@dataclass
class Visitor:
    """Listens to one recital and checks what it hears. `engines`: names in the chain's order."""

    rng: random.Random
    engines: Sequence[str]
    voice_changes: int
    """At most so many in a reply."""
    heard: list[Chunk] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = self.rng
        self.caller = Caller(f"visitor-{rng.randrange(2)}")
        self.door = rng.choice(DOORS)
        self.speech = random_speech(rng)
        self.as_stream = rng.random() < 0.5 or self.speech.error is not None or not self.speech.text.strip()
        self.pause_s = rng.choice([0.0, 0.0, 0.5, 4.0])
        self.leaves_after = rng.choice([None, None, 0, 1, 3])
        self.arrives_s = rng.choice([0.0, 0.4, 3.0, 20.0])

    async def visit(self, chat: Chat) -> None:
        await asyncio.sleep(self.arrives_s)
        tokens = self._pieces() if self.as_stream else self.speech.text
        try:
            async with chat.recite(self.caller, self.door, tokens) as recital:
                if await self._listen(recital):
                    self._check_end(recital)
        except RequestError as error:
            assert error.code == "busy"  # noqa: PT017 - being refused is one of the ways in which it may go
        else:
            assert chat.trace(self.caller.key, recital.id)["status"] != "running", "it runs on for nobody"

    async def _pieces(self) -> AsyncGenerator[str, None]:
        for delay_s, piece in self.speech.pieces:
            await asyncio.sleep(delay_s)
            yield piece
        if self.speech.error:
            raise self.speech.error

    async def _listen(self, recital: Recital) -> bool:
        """True when it was heard to its end."""
        if self.leaves_after == 0:
            return False
        async for chunk in recital:
            self._check_chunk(chunk)
            self.heard.append(chunk)
            if len(self.heard) == self.leaves_after:
                return False
            await asyncio.sleep(self.pause_s)
        return True

    def _check_chunk(self, chunk: Chunk) -> None:
        assert chunk.index == len(self.heard), "a chunk is missing or came twice"
        before = self.heard[-1] if self.heard else None
        if before is not None and before.sentence == chunk.sentence:
            assert not before.last, "a chunk after the sentence's last"
            assert not chunk.text
        else:
            assert chunk.text, "text stands on a sentence's first chunk"
            assert before is None or (before.last and before.sentence < chunk.sentence), "sentences out of order"
        places = [self.engines.index(one.engine) for one in (*self.heard, chunk)]
        assert places == sorted(places), "voices went back"
        assert len(set(places)) <= 1 + self.voice_changes, "too many voices"

    def _check_end(self, recital: Recital) -> None:
        """Everything was said, or it is told why not."""
        cut = {sentence.number for sentence in recital.narrator.sentences}
        skipped = {one.sentence for one in recital.skipped}
        whole = {chunk.sentence for chunk in self.heard if chunk.last}
        assert whole | skipped == cut, "a sentence was dropped in silence"
        if not self.speech.error:
            assert recital.narrator.text == self.speech.text
        try:
            recital.check()
        except (EngineError, ModelError):
            assert skipped or self.speech.error
        else:
            assert not skipped
            assert not self.speech.error
