"""The browser plays nothing before a gesture: the page says so, and goes on once it may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page
from tests.browser.conftest import Visiting
from tests.support.noise import noise_engine
from tests.support.server import RATE_HZ, running_server
from tests.support.talking import say, talkative


async def press_a_key(page: Page) -> None:
    await page.keyboard.press("Tab")


async def press_the_button(page: Page) -> None:
    await page.get_by_role("button", name="Hear it").click()


async def touch_the_page(page: Page) -> None:
    await page.touchscreen.tap(100, 300)


@pytest.mark.parametrize("gesture", [press_a_key, press_the_button, touch_the_page])
async def test_locked_until_a_gesture(
    visit: Visiting, data_dir: Path, gesture: Callable[[Page], Awaitable[None]]
) -> None:
    """A page loaded anew has had no gesture: its sound stands still and it says what to do; any gesture will do."""
    async with (
        running_server(data_dir, model=talkative(), engine=noise_engine()) as server,
        visit(server.url, has_touch=True) as someone,
    ):
        await say(someone.page, "Talk")
        await someone.sound.heard(RATE_HZ // 4)
        await someone.page.reload()
        await someone.seen("document.querySelector('[data-notice=locked]')?.textContent.includes('Press any key')")
        await someone.seen("listenIn.states().at(-1) === 'suspended'")
        await gesture(someone.page)
        await someone.sound.heard(RATE_HZ // 4)
        await someone.page.locator("[data-notice=locked]").wait_for(state="detached")
