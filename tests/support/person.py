"""What a person does on the page, and what they find there."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, Page
from tests.support.browser import Visit
from tests.support.client import joined, listening
from tests.support.sound import Sampled, as_played


def replies(page: Page) -> Locator:
    return page.locator("li.reply")


async def text_of(reply: Locator) -> str:
    """A reply's words as they stand on the page."""
    return await reply.locator(".reply-text").inner_text()


async def ended(reply: Locator, state: str = "complete") -> None:
    """Returns when no more comes of a reply, and nothing of it is heard any more."""
    page = reply.page
    identity = await reply.get_attribute("data-reply")
    await page.locator(f'li.reply[data-reply="{identity}"][data-state="{state}"]:not(.is-heard)').wait_for()


async def heard_to_its_end(reply: Locator) -> None:
    """Returns when a reply has begun to be heard, and then has been to its end."""
    await reply.and_(reply.page.locator(".is-heard")).wait_for()
    await ended(reply)


async def session_id(page: Page) -> str:
    found: str = await page.evaluate("() => sessionStorage.getItem('unavoce.session')")
    return found


async def history(url: str, page: Page) -> list[dict[str, Any]]:
    """The page's session as the server has it."""
    async with listening(url) as listener:
        answer = await listener.ok("chat:history", {"sessionId": await session_id(page)})
        messages: list[dict[str, Any]] = answer["messages"]
        return messages


async def sound_of(url: str, message: str, **options: Any) -> Sampled:
    """The sound of the answer to a message, as another client gets it."""
    async with listening(url) as listener:
        _, reply = await listener.say(message, **options)
        await listener.end(reply)
        return as_played(joined(listener.chunks(reply)))


async def listen(someone: Visit, seconds: float) -> None:
    """Returns when so much sound, silence apart, has been heard."""
    await someone.sound.heard(round(seconds * await someone.sound.rate_hz()))
