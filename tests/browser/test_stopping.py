"""Stop: silence at once, on the page and on the server, and nothing after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page
from tests.browser.conftest import Visiting
from tests.support.noise import noise_engine
from tests.support.person import ended, history, replies
from tests.support.server import RATE_HZ, ScriptedModel, running_server
from tests.support.sound import QUIET
from tests.support.talking import say

SENTENCES = [f"This is sentence number {number} of a long evening, sir. " for number in range(1, 9)]
AT_ONCE = RATE_HZ // 10
"""Samples after the key or click by which there is silence: the browser's buffers, and a fade without a click."""
LATER = RATE_HZ
"""Samples after which there still is."""


async def press_stop(page: Page) -> None:
    await page.get_by_role("button", name="Stop").click()


async def press_escape(page: Page) -> None:
    await page.keyboard.press("Escape")


async def send_another(page: Page) -> None:
    await say(page, "Hush")


@pytest.mark.parametrize("stop", [press_stop, press_escape, send_another])
async def test_stopped_in_mid_sentence(
    visit: Visiting, data_dir: Path, stop: Callable[[Page], Awaitable[None]]
) -> None:
    """The button, Escape and the next message silence a reply within a tenth of a second of sound; the server stops the
    model, keeps what was heard, and nothing sounds later."""
    model = ScriptedModel({"Hush": [asyncio.Event()]}, otherwise=[*SENTENCES, asyncio.Event()])
    async with running_server(data_dir, model=model, engine=noise_engine()) as server, visit(server.url) as someone:
        await say(someone.page, "Talk")
        await someone.sound.heard(RATE_HZ // 2)
        await stop(someone.page)
        await ended(replies(someone.page).first, "aborted")
        stopped = (await someone.sound.gestures())[-1].at
        await someone.sound.played(stopped + AT_ONCE + LATER)
        samples = np.abs(await someone.sound.samples())
        assert samples[stopped - RATE_HZ // 100 : stopped].max() > QUIET
        assert samples[stopped + AT_ONCE :].max() < QUIET
        (_, answer, *_) = await history(server.url, someone.page)
        assert answer["text"].startswith(answer["heardText"])
        assert 0 < len(answer["heardText"]) < len(SENTENCES[0])
        assert model.open == (1 if stop is send_another else 0)
