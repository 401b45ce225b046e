"""One client's queue of events: bounded, in order, and at the client's own pace.

Text and end events are posted and never waited for; a chunk is delivered and waited for. A client that does not read
fills its own outbox and is closed; nobody else notices.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

Payload = dict[str, Any]
Write = Callable[[str, Payload], Awaitable[None]]
"""Hands one event to the socket; returns when the socket can take the next."""

MAX_BYTES = 16 * 1024 * 1024
"""Queued for one client; holds a reply's whole buffer when a client comes back."""
STUCK_S = 20.0
"""A client that takes nothing for this long is closed."""


class GoneError(Exception):
    """The client is gone, or the sound was given to another one: deliver the chunk elsewhere."""


@dataclass(slots=True, eq=False)
class Letter:
    name: str
    payload: Payload
    reply_id: str | None
    taken: Callable[[], None] | None = None
    left: asyncio.Future[bool] | None = None
    """Whoever delivers waits for it: True when the letter has left, False when it will not."""
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = 200 + sum(len(value) for value in self.payload.values() if isinstance(value, str | bytes))

    def settle(self, *, left: bool) -> None:
        if self.left is not None and not self.left.done():
            self.left.set_result(left)


class Outbox:
    """`run` it in a task of the client's owner; it ends when the outbox is closed."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._letters: deque[Letter] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def queued_bytes(self) -> int:
        return self._bytes

    def post(self, name: str, payload: Payload, reply_id: str | None = None) -> None:
        """Queue an event; a full outbox is closed. To a closed one: nothing."""
        self._put(Letter(name, payload, reply_id))

    async def deliver(self, name: str, payload: Payload, reply_id: str, taken: Callable[[], None]) -> None:
        """Queue a chunk and wait until it has left; `taken` is called just as it does. Raises GoneError.

        When cancelled before it left, it never leaves.
        """
        letter = Letter(name, payload, reply_id, taken, asyncio.get_running_loop().create_future())
        self._put(letter)
        if self._closed or letter.left is None:
            raise GoneError
        try:
            left = await letter.left
        except asyncio.CancelledError:
            self._remove(letter)
            raise
        if not left:
            raise GoneError

    def retract(self, reply_id: str, wanted: Callable[[str], bool]) -> None:
        """Take back those events of `reply_id` that have not left and whose name is `wanted` back.

        Who waits for the delivery of one gets GoneError.
        """
        for letter in [one for one in self._letters if one.reply_id == reply_id and wanted(one.name)]:
            self._remove(letter)
            letter.settle(left=False)

    async def flushed(self) -> None:
        """Returns when everything posted so far has left, or nothing leaves any more."""
        if not self._closed:
            last = Letter("", {}, None, left=asyncio.get_running_loop().create_future())
            self._put(last)
            if last.left is not None and not self._closed:
                await last.left

    def close(self) -> None:
        """Nothing leaves any more; who waits for a delivery gets GoneError."""
        self._closed = True
        while self._letters:
            self._letters.popleft().settle(left=False)
        self._bytes = 0
        self._news.set()

    async def run(self) -> None:
        """Write letters until closed; a client that is stuck is closed."""
        try:
            while not self._closed:
                if not self._letters:
                    self._news.clear()
                    await self._news.wait()
                    continue
                await self._send(self._letters.popleft())
        except TimeoutError:
            log.warning("client_stuck", extra={"after_s": STUCK_S})
        except Exception:
            log.exception("client_write_failed")
        finally:
            self.close()

    async def _send(self, letter: Letter) -> None:
        self._bytes -= letter.size
        if letter.taken is not None:
            letter.taken()
        letter.settle(left=True)
        if letter.name:
            async with asyncio.timeout(STUCK_S):
                await self._write(letter.name, letter.payload)

    def _put(self, letter: Letter) -> None:
        if self._closed:
            return
        if self._bytes + letter.size > MAX_BYTES:
            log.warning("client_too_slow", extra={"queued_bytes": self._bytes})
            self.close()
            return
        self._letters.append(letter)
        self._bytes += letter.size
        self._news.set()

    def _remove(self, letter: Letter) -> None:
        if letter in self._letters:
            self._letters.remove(letter)
            self._bytes -= letter.size
