"""A body that is sent as it is made: the status waits for its first part, and a body that broke off is cut."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Send

from unavoce.server.speech.refusals import SpeechRefused

log = logging.getLogger(__name__)


async def deliver(send: Send, parts: AsyncGenerator[bytes, None], headers: Mapping[str, str]) -> None:
    """Send the parts as one body. Raises SpeechRefused for what goes wrong before the first.

    What goes wrong later cuts the connection: the body's end is never sent, so no client can take it for whole.
    """
    begun = False
    try:
        async with aclosing(parts):
            async for part in parts:
                if not begun:
                    await send(_start(headers))
                    begun = True
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except SpeechRefused as error:
        if not begun:
            raise
        log.warning("speech_cut_off", extra={"reason": error.message})


async def while_there(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work; leave it where it is when the caller leaves. The request's body was read before."""
    working, watching = asyncio.create_task(work), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.wait({working, watching})
    if not working.cancelled():
        working.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(headers: Mapping[str, str]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": MutableHeaders(dict(headers)).raw}
