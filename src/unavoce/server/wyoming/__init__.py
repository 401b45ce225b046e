"""The Wyoming door: speech for Home Assistant over TCP (docs/wyoming.md). Off unless its port is set.

The package `wyoming` is imported only where the door is opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat
from unavoce.errors import REMEDY, StartError
from unavoce.server.metrics import Metrics
from unavoce.server.refusals import Refusals
from unavoce.settings import Settings

Opening = Callable[[Settings, Chat, Chain, Metrics, Refusals], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def wyoming_door(
    settings: Settings, chat: Chat, chain: Chain, metrics: Metrics, refusals: Refusals
) -> AsyncIterator[str]:
    """The door while the block runs, and its address, such as `tcp://127.0.0.1:10200`; empty where it is off.

    Raises StartError when its package is missing or its port is taken.
    """
    if settings.wyoming_port is None:
        yield ""
        return
    open_door = await asyncio.to_thread(_imported)  # it reads files
    async with open_door(settings, chat, chain, metrics, refusals) as address:
        yield address


def _imported() -> Opening:
    try:
        from unavoce.server.wyoming.door import open_door  # noqa: PLC0415  # its package may not be installed
    except ImportError as error:
        remedy = "pip install 'unavoce[wyoming]', or leave UNAVOCE_WYOMING_PORT unset"
        raise StartError(f"UNAVOCE_WYOMING_PORT is set, but {error.name} is not installed{REMEDY}{remedy}") from error
    return open_door
