"""The server dies while the page is open, and another takes its place."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from playwright.async_api import expect
from tests.browser.conftest import Visiting
from tests.support.person import heard_to_its_end, replies
from tests.support.server import killable_process, wire_to
from tests.support.talking import say

SETTINGS = {"UNAVOCE_ENGINES": '["fake"]', "UNAVOCE_FAKE__S_PER_CHAR": "0.03", "UNAVOCE_PREWARM_PHRASES": ""}


async def test_killed_and_started_again(visit: Visiting, data_dir: Path) -> None:
    """The page says that the connection is lost, finds the new server by itself, says that the conversation is unknown
    there, and the next message begins a new one that is heard."""
    with ExitStack() as processes:
        first_url, first = await asyncio.to_thread(
            lambda: processes.enter_context(killable_process(data_dir, **SETTINGS))
        )
        async with wire_to(first_url) as wire, visit(wire.url) as someone:
            someone.watch.foresee("WebSocket|ERR_|Failed to (load|fetch)")
            page = someone.page
            await say(page, "Good evening.")
            await someone.sound.heard()
            first.kill()
            await page.get_by_text("Connection lost.").wait_for()
            wire.far_url, _ = await asyncio.to_thread(
                lambda: processes.enter_context(killable_process(data_dir, **SETTINGS))
            )
            await page.get_by_text("The server no longer knows this conversation.").wait_for()
            await say(page, "Are you there?")
            await heard_to_its_end(replies(page).last)
            await expect(page.locator("[data-role=user] :not(h2)")).to_have_text(["Good evening.", "Are you there?"])
