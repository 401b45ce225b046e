"""The page on a phone, 390 points wide, used with a thumb."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect
from tests.browser.conftest import Visiting
from tests.support.person import replies
from tests.support.server import RATE_HZ, ScriptedModel, running_server
from tests.support.talking import close_dialog

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
WIDE = [
    "# A word that does not end: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft\n\n",
    "See https://example.com/" + "a-long-way-down/" * 12 + " for more.\n\n",
    "```\n" + "some_code_that_goes_on(" * 8 + "\n```\n\n",
    "| " + " | ".join(f"Column {number}" for number in range(12)) + " |\n" + "|---" * 12 + "|\n",
    "| " + " | ".join("value" for _ in range(12)) + " |\n\n",
    "And that was all of it, sir. " * 3,
    asyncio.Event(),
]
THUMB = 44
"""Points: what a thumb meets (WCAG 2.2 asks for 24)."""


async def nothing_sticks_out(page: Page) -> None:
    """The page does not scroll sideways, and no control lies outside of it."""
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= 390
    for control in await page.get_by_role("button").or_(page.get_by_role("textbox")).all():
        if box := await control.bounding_box():
            assert box["x"] >= 0, await control.inner_text()
            assert box["x"] + box["width"] <= 390, await control.inner_text()


async def for_a_thumb(control: Locator) -> None:
    box = await control.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= THUMB, (await control.get_attribute("aria-label"), box)


async def test_on_a_phone(visit: Visiting, data_dir: Path) -> None:
    """Whatever a reply holds, nothing sticks out, and all can be reached and used with a thumb."""
    async with (
        running_server(data_dir, model=ScriptedModel(otherwise=WIDE)) as server,
        visit(server.url, **PHONE) as someone,
    ):
        page = someone.page
        await page.get_by_role("textbox", name="Message").fill("Talk")
        await nothing_sticks_out(page)
        send, stop = page.get_by_role("button", name="Send"), page.get_by_role("button", name="Stop")
        await for_a_thumb(send)
        await send.tap()
        await someone.sound.heard(RATE_HZ // 4)
        await nothing_sticks_out(page)
        await for_a_thumb(stop)
        await stop.tap()
        await expect(replies(page)).to_have_attribute("data-state", "aborted")
        timeline = page.get_by_role("button", name="Timeline")
        await timeline.scroll_into_view_if_needed()
        await timeline.tap()
        await expect(timeline).to_have_attribute("aria-expanded", "true")
        await nothing_sticks_out(page)
        for name in ("Settings", "Server:"):
            await page.get_by_role("button", name=name).tap()
            await page.get_by_role("dialog").wait_for()
            await nothing_sticks_out(page)
            await close_dialog(page)
