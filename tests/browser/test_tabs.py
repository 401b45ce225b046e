"""Two tabs in one conversation: both read, one is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from playwright.async_api import expect
from tests.browser.conftest import Visiting
from tests.support.person import replies
from tests.support.server import RATE_HZ, running_server
from tests.support.sound import QUIET
from tests.support.talking import say, talkative


async def test_a_second_tab_reads_along_and_takes_the_sound_when_asked(visit: Visiting, data_dir: Path) -> None:
    """It is silent until "Listen here" brings the sound to it; then the first tab is, and either stops the reply."""
    async with running_server(data_dir, model=talkative()) as server, visit(server.url) as someone:
        await say(someone.page, "Talk")
        await someone.sound.heard(RATE_HZ // 4)
        second, second_sound = await someone.tab(server.url)
        await expect(second.locator("[data-role=user] :not(h2)")).to_have_text("Talk")
        await expect(replies(second)).to_contain_text("There is more to be said")
        here = second.get_by_role("button", name="Listen here")
        await here.wait_for()
        assert not np.any(np.abs(await second_sound.samples()) > QUIET)
        await here.click()
        await second_sound.heard(RATE_HZ // 4)
        await someone.page.get_by_text("The sound has moved to another tab.").wait_for()
        moved = (await someone.sound.samples()).size
        await second_sound.heard(RATE_HZ)
        assert not np.any(np.abs((await someone.sound.samples())[moved:]) > QUIET)
        await someone.page.get_by_role("button", name="Stop").click()
        await expect(replies(second)).to_have_attribute("data-state", "aborted")
        silent = (await second_sound.samples()).size + RATE_HZ // 10
        await second_sound.played(silent + RATE_HZ // 2)
        assert not np.any(np.abs((await second_sound.samples())[silent:]) > QUIET)
