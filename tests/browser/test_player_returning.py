"""The player on a real server: its connection breaks, its page is loaded anew, a second tab takes its session up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page
from tests.browser.conftest import Visiting
from tests.support.browser import Visit
from tests.support.client import joined, listening
from tests.support.pages import POLICY, serving_pages
from tests.support.player import RATE_HZ, passed, talking_pages
from tests.support.server import ScriptedModel, Server, Wire, running_server, wire_to
from tests.support.sound import heard_part

LOCAL = POLICY.replace("connect-src 'self'", "connect-src http://127.0.0.1:* ws://127.0.0.1:*")
LONG = (
    "This first sentence is long enough, even at the pace of these tones, for a connection to be lost while it is "
    "heard and to come back well before its sound has come to an end. "
)
REST = "The second one is said while nobody listens. The third one ends it."
FADED = round(0.005 * RATE_HZ)


@dataclass(frozen=True, slots=True)
class Stage:
    someone: Visit
    server: Server
    wire: Wire
    url: str
    more: asyncio.Event
    """Lets the model say the rest."""


@asynccontextmanager
async def stage(visit: Visiting, data_dir: Path) -> AsyncIterator[Stage]:
    """A person on the page, connected through a wire to a server whose model says LONG, waits, and says REST."""
    more = asyncio.Event()
    model = ScriptedModel({"Go on.": (LONG, more, REST)})
    async with (
        serving_pages(talking_pages(), LOCAL) as origin,
        running_server(data_dir, model=model, cors_origins=(origin,), sample_rate_hz=RATE_HZ) as server,
        wire_to(server.url) as wire,
        visit(f"{origin}/?{wire.url}") as someone,
    ):
        someone.watch.foresee(f"(http|ws){re.escape(wire.url.removeprefix('http'))}")
        await someone.page.get_by_text("ready").wait_for()
        yield Stage(someone, server, wire, f"{origin}/?{wire.url}", more)


async def begun(page: Page) -> None:
    """The reply's first sentence is heard."""
    await page.get_by_role("button").click()
    await page.evaluate("conversation.send('Go on.')")
    await page.evaluate("told('speaking', { sentence: 0 })")


async def told(page: Page, name: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = await page.evaluate("name => log.filter((event) => event.name === name)", name)
    return events


async def whole_sound(server: Server) -> NDArray[np.float32]:
    """What the reply should sound like: the same text, said by itself."""
    async with listening(server.url) as listener:
        reply_id = (await listener.ok("speak:start", {}))["replyId"]
        await listener.ok("speak:text", {"replyId": reply_id, "text": LONG + REST})
        await listener.ok("speak:end", {"replyId": reply_id})
        await listener.end(reply_id)
        return joined(listener.chunks(reply_id)).astype(np.float32) / np.float32(32_768)


def check_heard(heard: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """`heard` is `expected`, but for a fade at its beginning; the reply's last sound stands before a pause."""
    expected = heard_part(expected)
    assert abs(len(heard) - len(expected)) <= FADED
    length = min(len(heard), len(expected)) - FADED
    assert np.abs(heard[-length:] - expected[-length:]).max() < 1e-6


async def test_a_cut_connection_is_not_heard(visit: Visiting, tmp_path: Path) -> None:
    """While the connection is lost its sound plays on, and what was said meanwhile joins it to the sample."""
    async with stage(visit, tmp_path) as at:
        page = at.someone.page
        await begun(page)
        at.wire.cut()
        await page.evaluate("told('connection', { state: 'offline' })")
        at.more.set()
        await page.evaluate("told('connection', { state: 'online' }, 2)")
        await page.evaluate("told('speaking', { sentence: null })")
        await passed(at.someone.sound, RATE_HZ // 5)
        assert [chunk["index"] for chunk in await told(page, "chunk")] == [0, 1, 2]
        assert [done["reason"] for done in await told(page, "done")] == ["complete"]
        assert (await told(page, "token"))[-1]["whole"] == LONG + REST
        assert await told(page, "underrun") == []
        assert await told(page, "error") == []
        check_heard(heard_part(await at.someone.sound.samples()), await whole_sound(at.server))


async def test_a_reload_goes_on_where_the_listener_was(visit: Visiting, tmp_path: Path) -> None:
    """After a reload the reply is heard from the sample on that was being heard, with all of its text."""
    async with stage(visit, tmp_path) as at:
        page = at.someone.page
        await begun(page)
        await passed(at.someone.sound, RATE_HZ)
        (reply_id,) = [reply["replyId"] for reply in await told(page, "reply")]
        kept = (await page.evaluate("keep()"))["replies"][reply_id]
        await page.reload()
        await page.get_by_text("ready").wait_for()
        await page.get_by_role("button").click()
        at.more.set()
        await page.evaluate("told('speaking', { sentence: null })")
        await passed(at.someone.sound, RATE_HZ // 5)
        assert kept["index"] == 0
        assert kept["positionMs"] > 500
        assert (await told(page, "sentence"))[0]["text"] == LONG.strip()
        assert (await told(page, "token"))[-1]["whole"] == LONG + REST
        assert await told(page, "underrun") == []
        entry = round(kept["positionMs"] * RATE_HZ / 1000)
        check_heard(heard_part(await at.someone.sound.samples()), (await whole_sound(at.server))[entry:])


async def test_a_second_tab_is_silent_until_it_listens(visit: Visiting, tmp_path: Path) -> None:
    """The second tab shows the text; when it takes the sound over, the first falls silent and nothing is left out."""
    async with stage(visit, tmp_path) as at:
        first = at.someone.page
        await begun(first)
        session = await first.evaluate("conversation.sessionId")
        second, sound = await at.someone.tab(f"{at.url}#{session}")
        await second.get_by_text("ready").wait_for()
        await second.evaluate("told('sentence')")
        assert [reply["own"] for reply in await told(second, "reply")] == [False]
        assert await told(second, "chunk") == []
        await second.get_by_role("button").click()
        await second.evaluate("conversation.listen()")
        await first.evaluate("told('reply', { own: false })")
        await first.evaluate("told('speaking', { sentence: null })")
        at.more.set()
        await second.evaluate("told('speaking', { sentence: null })")
        await passed(sound, RATE_HZ // 5)
        assert [event["sentence"] for event in await told(second, "heard")] == [0, 1, 2]
        assert [event["sentence"] for event in await told(first, "heard")] == [0]
        assert (await told(first, "token"))[-1]["whole"] == LONG + REST
        check_heard(heard_part(await sound.samples()), await whole_sound(at.server))
