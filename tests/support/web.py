"""uvicorn inside a test: says when it listens, stops when told, and leaves Ctrl-C to the test runner.

uvicorn itself looks every tenth of a second whether it should stop and whether its connections are closed, which was
most of the time of a test with a server. The steps of its stop and their limit in time are the same here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


class Web(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._told_to_stop = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._told_to_stop.set()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)  # sets the headers that every answer has
        await self._told_to_stop.wait()

    async def shutdown(self, sockets: Any = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            await asyncio.wait_for(self._all_ended(), self.config.timeout_graceful_shutdown)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()

    async def _all_ended(self) -> None:
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.001)
        for server in self.servers:
            await server.wait_closed()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C belongs to the test runner."""
        yield
