"""The player on a sound device: what reaches it, to the sample, as a person would hear it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page
from tests.browser.conftest import Visiting
from tests.support.bidi import Bidi
from tests.support.browser import Visit
from tests.support.firefox import visiting_firefox
from tests.support.pages import serving_pages
from tests.support.player import PAGES, RATE_HZ, packed
from tests.support.sound import Evaluates, Sound, heard_part

Pcm = NDArray[np.int16]


def tone(frames: int, hz: float) -> Pcm:
    """A tone that does not begin or end at zero, so that a seam that is broken clicks."""
    return (8_000 * np.cos(2 * np.pi * hz * np.arange(frames) / RATE_HZ)).astype(np.int16)


def as_float(samples: Pcm) -> NDArray[np.float32]:
    return samples.astype(np.float32) / np.float32(32_768)


async def begun(someone: Visit) -> Page:
    """The page, where a reply has begun after a gesture."""
    page = someone.page
    await page.get_by_text("ready").wait_for()
    await page.get_by_role("button").click()
    await page.evaluate("() => talking.conversation.send('Go on.')")
    return page


async def deliver(page: Evaluates, *chunks: Pcm, index: int = 0) -> None:
    """The chunks from `index` on arrive together."""
    ready = [[at, packed(chunk), round(len(chunk) / RATE_HZ * 1000)] for at, chunk in enumerate(chunks, index)]
    await page.evaluate(
        "chunks => { for (const chunk of JSON.parse(chunks)) talking.deliver(...chunk); }", json.dumps(ready)
    )


async def told(page: Evaluates, name: str) -> list[dict[str, Any]]:
    events: list[tuple[str, dict[str, Any]]] = json.loads(await page.evaluate("() => JSON.stringify(talking.events)"))
    return [payload for kind, payload in events if kind == name]


async def check_one_tone(page: Evaluates, sound: Sound) -> None:
    """Chunks of one long tone, cut anywhere, are played as that tone."""
    whole = tone(60_000, 217)
    await deliver(page, *np.split(whole, [7, 9_001, 9_400, 31_111]))
    await page.evaluate("() => talking.end()")
    await sound.passed(2_400)
    heard = heard_part(await sound.samples())
    expected = as_float(whole)[:-120]
    assert np.abs(heard[: len(expected)] - expected).max() < 1e-6
    assert await told(page, "underrun") == []
    assert [event["sentence"] for event in await told(page, "speaking")] == [0, 1, 2, 3, 4, None]


async def test_chunks_meet_on_a_real_device(visit: Visiting) -> None:
    """Chunks of one long tone, cut anywhere, leave for the device as that tone, to the sample."""
    async with serving_pages(PAGES) as url, visit(url) as someone:
        await check_one_tone(await begun(someone), someone.sound)


async def test_chunks_meet_in_firefox(firefox: Bidi) -> None:
    """So they do in Firefox."""
    async with serving_pages(PAGES) as url, visiting_firefox(firefox, url) as someone:
        await someone.page.seen("document.querySelector('output')?.textContent === 'ready'")
        await someone.page.click("button")
        await someone.page.evaluate("() => talking.conversation.send('Go on.')")
        await check_one_tone(someone.page, someone.sound)


async def test_an_underrun_is_silence_and_no_click(visit: Visiting) -> None:
    """A chunk that comes after its time leaves a gap that is counted, and the sound on both sides of it is faded."""
    async with serving_pages(PAGES) as url, visit(url) as someone:
        page = await begun(someone)
        await deliver(page, tone(4_800, 300))
        await someone.sound.heard()
        await someone.sound.passed(9_600)
        await deliver(page, tone(4_800, 300), index=1)
        await page.evaluate("() => talking.end()")
        await someone.sound.passed(2_400)
        samples = await someone.sound.samples()
        (underrun,) = await told(page, "underrun")
        loud = np.flatnonzero(np.abs(samples) > 1e-4)
        gap_ms = np.diff(loud).max() / RATE_HZ * 1000
        assert abs(underrun["gapMs"] - gap_ms) < 1
        assert underrun["count"] == 1
        # The first sample of all begins as loud as it is.
        steps = np.abs(np.diff(samples[loud[0] :]))
        assert steps.max() <= 1.05 * np.abs(np.diff(as_float(tone(4_800, 300)))).max()


async def test_stop_is_heard_at_once_and_does_not_click(visit: Visiting) -> None:
    """From the moment of the call it takes less than a tenth of a second to silence, without a step."""
    async with serving_pages(PAGES) as url, visit(url) as someone:
        page = await begun(someone)
        await deliver(page, tone(240_000, 300))
        await someone.sound.heard(4_800)
        rate_hz = await someone.sound.rate_hz()
        before = len(heard_part(await someone.sound.samples()))
        stopped_s, called_s = await page.evaluate(
            """async () => {
              const context = talking.conversation.sound.analyser.context;
              const calledS = context.currentTime;
              await talking.conversation.stop();
              return [context.currentTime, calledS];
            }"""
        )
        await someone.sound.passed(4_800)
        samples = await someone.sound.samples()
        assert not samples[-1_200:].any()
        loud = np.flatnonzero(np.abs(samples) > 1e-4)
        assert loud[-1] - loud[0] >= before - 1
        assert loud[-1] / rate_hz < called_s + 0.1
        assert called_s <= stopped_s
        assert np.abs(np.diff(samples[loud[0] :])).max() <= 1.05 * np.abs(np.diff(as_float(tone(4_800, 300)))).max()


async def test_what_came_before_the_gesture_is_heard_after_it(visit: Visiting) -> None:
    """A reply that came while the browser allowed no sound waits, says so, and is heard from its first sample on."""
    async with serving_pages(PAGES) as url, visit(url) as someone:
        page = someone.page
        await someone.seen("document.querySelector('output').textContent === 'ready'")
        session = await someone.context.new_cdp_session(page)
        what = [0, packed(tone(12_000, 217)), 500]
        script = f"talking.conversation.send('Go on.').then(() => talking.deliver(...{what!r}))"
        await session.send("Runtime.evaluate", {"expression": script, "awaitPromise": True, "userGesture": False})
        answer = await session.send(
            "Runtime.evaluate", {"expression": "talking.conversation.sound.state", "userGesture": False}
        )
        assert answer["result"]["value"] == "locked"
        await page.get_by_role("button").click()
        await page.evaluate("() => talking.end()")
        await someone.sound.passed(2_400)
        heard = heard_part(await someone.sound.samples())
        assert np.abs(heard[:11_800] - as_float(tone(12_000, 217))[:11_800]).max() < 1e-6
        assert [event["state"] for event in await told(page, "sound")] == ["playing", "idle"]
