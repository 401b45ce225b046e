"""The page as people have it: the real server, its voice and its language model. Type, press Enter, hear."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page
from tests.browser.conftest import Visiting
from tests.support.hearing import word_error_rate
from tests.support.person import heard_to_its_end, replies, text_of
from tests.support.sound import as_sent, heard_part
from tests.support.talking import close_dialog, open_settings, say

WRONG_WORDS = 0.25
"""Noise gets 1 and more; the recogniser alone is wrong about one word in twenty, and replies are short."""


async def choose_opus(page: Page) -> None:
    await (await open_settings(page)).get_by_role("radio", name="Opus").check()
    await close_dialog(page)


@pytest.mark.parametrize("format", ["wav", "opus"])
async def test_type_press_enter_and_hear(visit: Visiting, real_server: str, format: str) -> None:
    """What the page plays are the words that stand on it."""
    async with visit(real_server) as someone:
        someone.watch.foresee(r"503 .*/api/health")  # while the voice is loading
        if format == "opus":
            await choose_opus(someone.page)
        await say(someone.page, "Good evening. Who are you?")
        await heard_to_its_end(replies(someone.page).first)
        text = await text_of(replies(someone.page).first)
        heard = as_sent(heard_part(await someone.sound.samples()))
        rate_hz = await someone.sound.rate_hz()
        assert rate_hz == (48_000 if format == "opus" else 24_000)
    assert await asyncio.to_thread(word_error_rate, text, heard, rate_hz) <= WRONG_WORDS
