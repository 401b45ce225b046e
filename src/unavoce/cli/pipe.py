"""Standard input as a stream of text: each piece as it arrives, without ever blocking the event loop."""

from __future__ import annotations

import asyncio
import codecs
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress

READ_BYTES = 65_536
PIECES_AHEAD = 16
"""Pieces that may wait to be taken; the writer at the other end of the pipe waits after that."""


async def read_text(fd: int) -> AsyncGenerator[str, None]:
    """The UTF-8 text of the file, pipe or terminal `fd`, piece by piece as it arrives; ends at its end.

    Malformed bytes become U+FFFD. Raises `OSError` when reading fails.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    reader = _Reader(fd)
    try:
        while data := await reader.read():
            if text := decoder.decode(data):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text
    finally:
        reader.stop()


class _Reader:
    """Reads in a daemon thread: a read of a silent pipe cannot be interrupted and must not hold up the exit."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(PIECES_AHEAD)
        self._pieces: asyncio.Queue[bytes | OSError] = asyncio.Queue()
        self._stopped = False
        threading.Thread(target=self._run, name="unavoce-stdin", daemon=True).start()

    async def read(self) -> bytes:
        """The next piece; empty at the end."""
        piece = await self._pieces.get()
        self._room.release()
        if isinstance(piece, OSError):
            raise piece
        return piece

    def stop(self) -> None:
        self._stopped = True
        self._room.release()

    def _run(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            while self._room.acquire() and not self._stopped:
                piece = self._read()
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
                if not piece or isinstance(piece, OSError):
                    return

    def _read(self) -> bytes | OSError:
        try:
            return os.read(self._fd, READ_BYTES)
        except OSError as error:
            return error
