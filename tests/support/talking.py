"""Talking to a server on its page, and what the page then sends."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Locator, Page, WebSocket
from tests.support.server import ScriptedModel

Sent = dict[str, Any]


def talkative() -> ScriptedModel:
    """A model whose answer never ends, with half a minute of sound at its beginning."""
    return ScriptedModel(
        otherwise=["There is more to be said about this than anybody wants to hear. "] * 12 + [asyncio.Event()]
    )


async def speaking(page: Page) -> None:
    """Returns when sound is being heard."""
    await page.locator('.level-meter[data-playing="true"]').wait_for(state="attached")


async def silent(page: Page) -> None:
    """Returns when no sound is being heard."""
    await page.locator('.level-meter[data-playing="false"]').wait_for(state="attached")


def sent_messages(page: Page) -> list[Sent]:
    """The payloads of the page's `chat:send`, as they leave; from its next load on."""
    sent: list[Sent] = []

    def take(frame: str | bytes) -> None:
        # Engine.IO's message (4), Socket.IO's event (2), the number of the acknowledgement that is wanted, the event.
        found = re.fullmatch(r'42\d+(\["chat:send",.*\])', frame, re.DOTALL) if isinstance(frame, str) else None
        if found:
            sent.append(json.loads(found[1])[1])

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", take)

    page.on("websocket", watch)
    return sent


async def say(page: Page, message: str = "Hello") -> None:
    """Type a message and press Enter."""
    box = page.get_by_role("textbox", name="Message")
    await box.fill(message)
    await box.press("Enter")


async def heard(page: Page, reply: int = 0) -> Locator:
    """The line below a reply, counted from 0, once it has been heard to its end."""
    line = page.locator(".reply-instruments").nth(reply)
    await line.get_by_text("first sound after").wait_for()
    await silent(page)
    return line


async def open_settings(page: Page) -> Locator:
    """The dialog with the settings."""
    await page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    await dialog.wait_for()
    return dialog


async def close_dialog(page: Page) -> None:
    await page.keyboard.press("Escape")
    await page.locator("dialog[open]").wait_for(state="detached")
