"""`python -m bench.noting FILE`: the server as it comes, which also writes down how long each reply's first sentence
waited for its first chunk, on its own clock: from telling `chat:sentence` to the chunk's leaving for the socket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TextIO
from unittest.mock import patch

from unavoce.chat.reply import Reply
from unavoce.narration.events import Chunk, Event, SentenceCut
from unavoce.server.serving import serve
from unavoce.settings import load_settings


def main(notes: Path) -> None:
    with notes.open("w", buffering=1) as file, patch("unavoce.chat.chat.Reply", _noting(file)):
        asyncio.run(serve(load_settings()))


def _noting(file: TextIO) -> type[Reply]:
    class NotingReply(Reply):
        cut_s = 0.0

        def tell(self, event: Event) -> None:
            if isinstance(event, SentenceCut) and event.sentence.number == 0:
                self.cut_s = perf_counter()
            super().tell(event)

        async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
            def left() -> None:
                if chunk.index == 0:
                    file.write(f"{self.id} {(perf_counter() - self.cut_s) * 1000}\n")
                taken()

            await super().hear(chunk, left)

    return NotingReply


if __name__ == "__main__":
    main(Path(sys.argv[1]))
