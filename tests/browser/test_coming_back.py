"""Reloaded, cut off, or with its server gone: the reply goes on being heard, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from tests.browser.conftest import Visiting
from tests.support.noise import noise_engine
from tests.support.person import ended, heard_to_its_end, replies, sound_of, text_of
from tests.support.server import RATE_HZ, ScriptedModel, running_server, wire_to
from tests.support.sound import heard_part, place_of
from tests.support.talking import say

SENTENCES = [f"This is sentence number {number} of a long evening, sir. " for number in range(1, 4)]
FADE = RATE_HZ // 100
"""Samples: where sound begins or ends in the middle, it does so without a click."""
RELOAD = RATE_HZ // 5
"""Samples: the time in which a page goes may be heard twice, or not at all."""


async def test_a_reload_in_mid_reply(visit: Visiting, data_dir: Path) -> None:
    """After a reload the history is there, and the reply goes on being heard where it was, to its end."""
    model = ScriptedModel(otherwise=SENTENCES)
    async with running_server(data_dir, model=model, engine=noise_engine(0.025)) as server:
        wanted = heard_part(await sound_of(server.url, "Talk"))
        async with visit(server.url) as someone:
            await say(someone.page, "Talk")
            await someone.sound.heard(RATE_HZ)
            await someone.page.reload()
            await someone.seen("document.querySelector('[data-notice=locked], .is-heard')")
            await someone.page.keyboard.press("Tab")
            await heard_to_its_end(replies(someone.page).first)
            rest = heard_part(await someone.sound.samples())
            left = await someone.sound.left_at()
            assert await someone.page.locator("[data-role=user] :not(h2)").all_inner_texts() == ["Talk"]
            assert (await text_of(replies(someone.page).first)).split() == "".join(SENTENCES).split()
        begins = place_of(rest[FADE:], wanted) - FADE
        assert abs(begins - left) < RELOAD
        assert np.array_equal(rest[FADE:-FADE], wanted[begins + FADE : begins + rest.size - FADE])
        assert begins + rest.size >= wanted.size - FADE


async def test_a_connection_lost_and_found_in_mid_reply(visit: Visiting, data_dir: Path) -> None:
    """Cut off while the model still writes, the page comes back by itself: every sample is heard once, in its place."""
    more = asyncio.Event()
    model = ScriptedModel({"Talk": [*SENTENCES[:2], more, SENTENCES[2]]}, otherwise=SENTENCES)
    async with running_server(data_dir, model=model, engine=noise_engine(0.03)) as server, wire_to(server.url) as wire:
        wanted = heard_part(await sound_of(server.url, "Anything"))
        async with visit(wire.url) as someone:
            someone.watch.foresee("WebSocket|ERR_")
            await say(someone.page, "Talk")
            await someone.sound.heard(RATE_HZ // 2)
            wire.cut()
            more.set()
            await ended(replies(someone.page).first)
            heard = heard_part(await someone.sound.samples())
            assert (await text_of(replies(someone.page).first)).split() == "".join(SENTENCES).split()
        assert np.array_equal(heard[:-FADE], wanted[: heard.size - FADE])
        assert heard.size >= wanted.size - FADE
