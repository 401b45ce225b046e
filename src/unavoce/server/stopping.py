"""How the server goes. Told once to stop, it takes nothing new and lets what runs come to its end, within a limit; told
again, or at the limit, it ends that at once. Either way every reply tells its end, and every client gets it."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from unavoce.chat.chat import Chat
from unavoce.server.sockets.door import Sockets

log = logging.getLogger(__name__)

FAREWELL_S: Final = 1.0
"""For clients to take the end of their replies, when the time is over."""


class Stopping:
    """`limit_s`: how long running replies may take to end."""

    def __init__(self, chat: Chat, sockets: Sockets, limit_s: float) -> None:
        self._chat = chat
        self._sockets = sockets
        self._limit_s = limit_s
        self._now = asyncio.get_running_loop().time
        self._until_s = 0.0
        self._hurry = asyncio.Event()

    def told(self) -> None:
        """The first time, the server begins to stop; the second time, it hurries."""
        if self._chat.stopping:
            self._until_s = self._now()
            self._hurry.set()
            return
        self._until_s = self._now() + self._limit_s
        log.info("server_stopping", extra={"replies": self._chat.running, "limit_s": self._limit_s})
        self._chat.stop_taking()

    @property
    def left_s(self) -> float:
        """For what is still under way."""
        return max(FAREWELL_S, self._until_s - self._now())

    async def replies_ended(self) -> None:
        """Returns when every reply has ended and every client has taken what it was told."""
        if not self._chat.stopping:
            self.told()
        ended = asyncio.create_task(self._chat.ended())
        hurried = asyncio.create_task(self._hurry.wait())
        try:
            timeout_s = max(0.0, self._until_s - self._now())
            await asyncio.wait([ended, hurried], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            hurried.cancel()
        if self._chat.running:
            log.warning("replies_cut_off", extra={"replies": self._chat.running})
            self._chat.abort_all()
        await self._sockets.drain(self.left_s)
