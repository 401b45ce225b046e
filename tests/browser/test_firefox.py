"""The page in Firefox: the core of it, heard to the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.support.bidi import Bidi
from tests.support.firefox import FirefoxPage, visiting_firefox
from tests.support.noise import noise_engine
from tests.support.person import sound_of
from tests.support.server import RATE_HZ, ScriptedModel, running_server
from tests.support.sound import QUIET, heard_part
from tests.support.talking import talkative

SENTENCES = [f"This is sentence number {number}, sir. " for number in range(1, 4)]
FADE = RATE_HZ // 100
AT_ONCE = RATE_HZ // 10
HEARD = "document.querySelector('.reply[data-state=complete]:not(.is-heard)')"


async def say(page: FirefoxPage, message: str) -> None:
    await page.click("textarea")
    await page.press(*message, "Enter")


async def test_type_hear_and_read(firefox: Bidi, data_dir: Path) -> None:
    """Typed and sent with Enter, a message is answered: the text is there, and every sample is heard in its place."""
    model = ScriptedModel(otherwise=SENTENCES)
    async with running_server(data_dir, model=model, engine=noise_engine(0.02)) as server:
        wanted = heard_part(await sound_of(server.url, "Talk"))
        async with visiting_firefox(firefox, server.url) as someone:
            await say(someone.page, "Talk")
            await someone.sound.heard(RATE_HZ // 4)
            await someone.page.seen(HEARD)
            heard = heard_part(await someone.sound.samples())
            text = await someone.page.evaluate("() => document.querySelector('.reply-text').textContent")
        assert text.split() == "".join(SENTENCES).split()
        assert np.array_equal(heard[:-FADE], wanted[: heard.size - FADE])
        assert heard.size >= wanted.size - FADE


@pytest.mark.parametrize("stop", ["button", "Escape"])
async def test_stopped_in_mid_sentence(firefox: Bidi, data_dir: Path, stop: str) -> None:
    """The button and Escape silence it, here and on the server."""
    model = talkative()
    async with running_server(data_dir, model=model) as server, visiting_firefox(firefox, server.url) as someone:
        await say(someone.page, "Talk")
        await someone.sound.heard(RATE_HZ // 2)
        await (someone.page.press("Escape") if stop == "Escape" else someone.page.click("button.stop"))
        await someone.page.seen("document.querySelector('.reply[data-state=aborted]:not(.is-heard)')")
        stopped = (await someone.sound.gestures())[-1].at
        await someone.sound.played(stopped + AT_ONCE + RATE_HZ)
        samples = np.abs(await someone.sound.samples())
        assert samples[:stopped].max() > QUIET
        assert samples[stopped + AT_ONCE :].max() < QUIET
        assert model.open == 0
