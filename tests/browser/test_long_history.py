"""A conversation of a thousand messages, opened again."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect
from tests.browser.conftest import Visiting
from tests.support.client import listening
from tests.support.person import replies
from tests.support.server import ScriptedModel, running_server

MESSAGES = 1_000


async def test_a_thousand_messages(visit: Visiting, data_dir: Path) -> None:
    """The end is seen at once, only what is near is drawn, and the beginning is drawn when it comes into view."""
    model = ScriptedModel(otherwise=["Certainly, sir, **at once**, ", "and with pleasure.\n\n1. One\n2. Two\n"])
    async with running_server(data_dir, model=model) as server, listening(server.url) as listener:
        session, reply = await listener.say("Message 1", speak=False)
        for number in range(2, MESSAGES // 2 + 1):
            _, reply = await listener.say(f"Message {number}", speak=False, sessionId=session)
            await listener.end(reply)
        async with visit(server.url) as someone:
            page = someone.page
            await page.evaluate("session => localStorage.setItem('unavoce.session', session)", session)
            await page.reload()
            await expect(page.locator("[data-part=message]")).to_have_count(MESSAGES)
            last = replies(page).last.locator("strong")
            await expect(last).to_be_in_viewport()
            assert await replies(page).locator("strong").count() < MESSAGES / 10
            first = replies(page).first.locator("strong")
            await expect(first).to_have_count(0)
            await page.locator("[data-part=conversation]").evaluate("scroller => scroller.scrollTo(0, 0)")
            await expect(first).to_be_in_viewport()
            await expect(page.get_by_text("Message 1", exact=True)).to_be_in_viewport()
