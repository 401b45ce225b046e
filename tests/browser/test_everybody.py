"""The page for everybody: by keyboard alone, and with nothing in the way of a screen reader or weak eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visiting
from tests.support.axe import barriers
from tests.support.person import ended, replies
from tests.support.server import RATE_HZ, ScriptedModel, quick_engine, running_server
from tests.support.talking import heard, say, talkative

MARKDOWN = [
    "# Supper\n\n",
    "There is **soup**, *fish* and `cheese`, sir; see [the card](https://example.com/card).\n\n",
    "1. Soup\n2. Fish\n\n> Nothing else.\n\n",
    "```python\nprint('soup')\n```\n\n",
    "| Dish | At |\n|---|---|\n| Soup | eight |\n",
]
GRAVE = ("serious", "critical")


async def grave(page: Page) -> list[str]:
    return [one for one in await barriers(page) if one.startswith(GRAVE)]


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}], ids=["light", "dark"])
async def test_nothing_is_in_the_way(visit: Visiting, data_dir: Path, look: dict[str, Any]) -> None:
    """axe-core finds nothing grave on the empty page, while a reply is spoken, and in a conversation."""
    model = ScriptedModel({"Supper?": MARKDOWN}, otherwise=talkative().otherwise)
    async with (
        running_server(data_dir, model=model, engine=quick_engine(s_per_char=0.01)) as server,
        visit(server.url, **look) as someone,
    ):
        page = someone.page
        await page.get_by_role("button", name="Server:").wait_for()
        assert await grave(page) == []
        await say(page, "Supper?")
        await heard(page)
        assert await grave(page) == []
        await say(page, "Talk")
        await someone.sound.heard(RATE_HZ // 4)
        assert await grave(page) == []


FOCUSED = """() => {
  const { activeElement: focused } = document;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(focused);
  const name = focused.getAttribute("aria-label") ?? focused.labels?.[0]?.textContent ?? focused.textContent;
  const shown = (outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  return { name: name.trim(), shown };
}"""


async def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Go from control to control until one of this name has the focus; each on the way shows that it has it."""
    for _ in range(30):
        await page.keyboard.press(key)
        focused = await page.evaluate(FOCUSED)
        assert focused["shown"], f"{focused['name']} has the focus and does not show it"
        if focused["name"].startswith(name):
            return
    raise AssertionError(f"{name} is not reached by {key}")


async def test_by_keyboard_alone(visit: Visiting, data_dir: Path) -> None:
    """Speaking, stopping, the timeline and the settings need no mouse, and the focus is always seen."""
    async with running_server(data_dir, model=talkative()) as server, visit(server.url) as someone:
        page = someone.page
        await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
        await page.keyboard.type("Talk")
        await page.keyboard.press("Enter")
        await someone.sound.heard(RATE_HZ // 4)
        await tab_to(page, "Stop")
        await page.keyboard.press("Enter")
        await ended(replies(page).first, "aborted")
        await tab_to(page, "Timeline", "Shift+Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Timeline")).to_have_attribute("aria-expanded", "true")
        await tab_to(page, "Settings", "Shift+Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("dialog", name="Settings").wait_for()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Settings")).to_be_focused()
