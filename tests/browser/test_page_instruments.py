"""What the page shows of a reply's making and of the server's health."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from tests.browser.conftest import Visiting
from tests.support.axe import barriers
from tests.support.server import RATE_HZ, ScriptedModel, quick_engine, running_server
from tests.support.talking import close_dialog, heard, say, speaking, talkative

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import EngineUnavailable
from unavoce.narration.upkeep import OWN_PHRASES

SENTENCES = ["Good evening, sir. ", "The house is warm. ", "Dinner is at eight, as you wished."]


async def open_timeline(line: Locator) -> Locator:
    await line.get_by_role("button", name="Timeline").click()
    timeline = line.get_by_role("group", name="Timeline of this reply")
    await timeline.locator(".timeline-row").first.wait_for()
    return timeline


async def cells(timeline: Locator) -> list[list[str]]:
    """The timeline's table, without its head."""
    await timeline.get_by_role("button", name="As a table").click()
    rows = timeline.get_by_role("row")
    return [(await row.inner_text()).split("\t") for row in (await rows.all())[1:]]


async def kinds(timeline: Locator, sentence: int) -> set[str]:
    """What is drawn in a sentence's row."""
    drawn = timeline.locator(f'.timeline-row[data-sentence="{sentence}"] [data-kind]')
    return {str(await one.get_attribute("data-kind")) for one in await drawn.all()}


async def test_a_timeline_has_a_row_for_each_sentence(visit: Visiting, data_dir: Path) -> None:
    """A heard reply's picture and table show each sentence's making and hearing, and a sentence sums it up."""
    model = ScriptedModel(otherwise=SENTENCES)
    async with running_server(data_dir, model=model) as server, visit(server.url) as someone:
        await say(someone.page)
        line = await heard(someone.page)
        assert "fake · tone" in await line.inner_text()
        timeline = await open_timeline(line)
        assert await timeline.locator(".timeline-row").count() == 3
        for number in range(3):
            assert {"spoken", "sent", "heard"} <= await kinds(timeline, number)
        names = await timeline.locator(".timeline-names").text_content()
        assert "Good evening, sir." in str(names)
        summary = await timeline.locator(".timeline-summary").inner_text()
        assert summary.startswith("First sound after ")
        assert "3 sentences by fake" in summary
        rows = await cells(timeline)
        assert [row[:2] for row in rows] == [["1", "fake · tone"], ["2", "fake · tone"], ["3", "fake · tone"]]
        assert all("estimate" not in row[5] for row in rows)


async def test_what_is_heard_stands_on_the_servers_clock(visit: Visiting, data_dir: Path) -> None:
    """In the picture no sentence is heard before it was sent, and each after the one before it."""
    async with (
        running_server(data_dir, model=ScriptedModel(otherwise=SENTENCES)) as server,
        visit(server.url) as someone,
    ):
        await say(someone.page)
        timeline = await open_timeline(await heard(someone.page))
        places = await timeline.evaluate(
            """(timeline) => [...timeline.querySelectorAll(".timeline-row")].map((row) => {
                const box = (kind) => row.querySelector(`[data-kind=${kind}]`).getBBox();
                const [sent, heard] = [box("sent"), box("heard")];
                return [sent.x + 3, heard.x, heard.x + heard.width];
            })"""
        )
        for sent, begins, ends in places:
            assert sent <= begins + 1 < ends
        assert all(before[2] <= after[1] + 1 for before, after in itertools.pairwise(places))


async def test_clips_at_hand_are_shown(visit: Visiting, data_dir: Path) -> None:
    """What is said a second time comes from memory, and line, picture and health say so."""
    cache = Cache(MemoryCache(1 << 20))
    async with (
        running_server(data_dir, model=ScriptedModel(otherwise=SENTENCES), cache=cache) as server,
        visit(server.url) as someone,
    ):
        page = someone.page
        await say(page)
        await heard(page)
        await say(page)
        line = await heard(page, 1)
        await line.get_by_text("3 of 3 sentences from memory").wait_for()
        timeline = await open_timeline(line)
        assert "memory" in await kinds(timeline, 0)
        assert "spoken" not in await kinds(timeline, 0)
        await page.get_by_role("button", name="Server:").click()
        await page.get_by_role("dialog").get_by_text("from memory").wait_for()


async def test_a_timeline_follows_a_reply_that_runs(visit: Visiting, data_dir: Path) -> None:
    """Sentences that come while it is open appear in it, and it says that the reply is still running."""
    more = asyncio.Event()
    model = ScriptedModel(otherwise=[SENTENCES[0], "And ", more, "so on."])
    async with running_server(data_dir, model=model) as server, visit(server.url) as someone:
        page = someone.page
        await say(page)
        await speaking(page)
        timeline = await open_timeline(page.locator(".reply-instruments"))
        await expect(timeline.locator(".timeline-row")).to_have_count(1)
        await timeline.get_by_text("Still running.").wait_for()
        more.set()
        await expect(timeline.locator(".timeline-row")).to_have_count(2)
        await timeline.get_by_text("Still running.").wait_for(state="detached")


async def test_a_reply_of_before_a_reload_has_its_timeline(visit: Visiting, data_dir: Path) -> None:
    """What this page did not hear itself is drawn as the server reckons, and nothing is claimed about gaps."""
    async with (
        running_server(data_dir, model=ScriptedModel(otherwise=SENTENCES)) as server,
        visit(server.url) as someone,
    ):
        await say(someone.page)
        await heard(someone.page)
        await someone.page.reload()
        timeline = await open_timeline(someone.page.locator(".reply-instruments"))
        assert await timeline.locator(".timeline-row").count() == 3
        assert {"spoken", "sent", "expected"} <= await kinds(timeline, 0)
        assert "gap" not in await timeline.locator(".timeline-summary").inner_text()


async def test_a_gap_is_counted_and_marked(visit: Visiting, data_dir: Path) -> None:
    """A silence because the next words were not there yet stands in the line and in the picture."""
    more = asyncio.Event()
    model = ScriptedModel(otherwise=[SENTENCES[0], "And ", more, "so on."])
    async with running_server(data_dir, model=model) as server, visit(server.url) as someone:
        await say(someone.page)
        await someone.sound.heard(800)
        await someone.sound.played(len(await someone.sound.samples()) + 3 * RATE_HZ)
        more.set()
        line = someone.page.locator(".reply-instruments")
        await line.get_by_text("1 gap, ").wait_for()
        timeline = await open_timeline(line)
        assert await timeline.locator(".timeline-plot .timeline-gap").count() == 1


async def test_a_timeline_that_is_gone_is_said(visit: Visiting, data_dir: Path) -> None:
    """Where the server no longer has the trace, words stand in the picture's place."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        page = someone.page
        await say(page)
        line = await heard(page)
        someone.watch.foresee("404")
        await page.route("**/trace", lambda route: route.fulfill(status=404, json={"error": {"code": "unknown_reply"}}))
        await line.get_by_role("button", name="Timeline").click()
        await line.get_by_text("The server no longer has this reply's timeline.").wait_for()
        assert await line.locator(".timeline-row").count() == 0


async def test_the_fallback_that_speaks_is_told_in_words(visit: Visiting, data_dir: Path) -> None:
    """When the primary dies the page says who speaks instead, since when, why and what helps, and shows the attempt."""
    async with (
        running_server(data_dir, engine=_dying(), fallback=quick_engine()) as server,
        visit(server.url) as someone,
    ):
        page = someone.page
        await page.get_by_role("button", name="Server: xtts · ready").wait_for()
        await say(page)
        notice = page.get_by_role("status").get_by_text("xtts is not answering; fake speaks instead since ")
        await notice.wait_for()
        await page.get_by_role("status").get_by_text("as scripted").wait_for()
        line = await heard(page)
        assert "fake · tone" in await line.inner_text()
        assert {"failed", "spoken"} <= await kinds(await open_timeline(line), 0)
        await page.get_by_role("button", name="Server: fake for xtts").click()
        dialog = page.get_by_role("dialog", name="How the server is")
        await dialog.get_by_text("not answering").wait_for()
        await close_dialog(page)
        await expect(page.get_by_role("button", name="Server:")).to_be_focused()


def _dying() -> FakeEngine:
    """An engine that speaks its own phrases only, so that it is down with the first sentence of a reply."""
    dead = Step(fail_after=0, error=EngineUnavailable)
    options = FakeOptions(rate_hz=RATE_HZ)
    return FakeEngine.named("xtts")(options, script=lambda _, text: Step() if text in OWN_PHRASES else dead)


async def test_no_engine_at_all_is_told_in_words(visit: Visiting, data_dir: Path) -> None:
    """Without any engine the page says that text still comes, and why there is no voice."""
    engine = FakeEngine(script=(), start_error=EngineUnavailable("no model; remedy: unavoce voices install"))
    async with running_server(data_dir, engine=engine) as server, visit(server.url) as someone:
        someone.watch.foresee("503")
        notice = someone.page.get_by_role("status")
        await notice.get_by_text("No engine can speak: the text still comes.").wait_for()
        await notice.get_by_text("What helps: unavoce voices install.").wait_for()


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 760}}], ids=str)
async def test_nothing_bars_the_way_to_timeline_and_dialogs(
    visit: Visiting, data_dir: Path, look: dict[str, Any]
) -> None:
    """axe-core finds nothing in an open timeline, as picture and as table, nor in the dialogs, light, dark or small."""
    async with (
        running_server(data_dir, engine=_dying(), fallback=quick_engine()) as server,
        visit(server.url, **look) as someone,
    ):
        page = someone.page
        await say(page)
        timeline = await open_timeline(await heard(page))
        assert await barriers(page) == []
        await cells(timeline)
        assert await barriers(page) == []
        for name in ("Server:", "Settings"):
            await page.get_by_role("button", name=name).click()
            await page.get_by_role("dialog").wait_for()
            assert await barriers(page) == []
            await close_dialog(page)


async def test_the_meter_stands_still_where_less_motion_is_wanted(visit: Visiting, data_dir: Path) -> None:
    """With reduced motion it shows that there is sound, and does not move."""
    async with (
        running_server(data_dir, model=talkative()) as server,
        visit(server.url, reduced_motion="reduce") as someone,
    ):
        await say(someone.page)
        await speaking(someone.page)
        first, later = await _pictures(someone.page)
        assert first == later


async def test_the_meter_moves_with_the_voice(visit: Visiting, data_dir: Path) -> None:
    """While there is sound its picture changes."""
    async with running_server(data_dir, model=talkative()) as server, visit(server.url) as someone:
        await say(someone.page)
        await speaking(someone.page)
        first, later = await _pictures(someone.page)
        assert first != later


COUNT_FRAMES = """
    window.drawn = 0;
    const frame = window.requestAnimationFrame;
    window.requestAnimationFrame = (call) => {
        if (new Error().stack.includes("header.js")) window.drawn += 1;
        return frame.call(window, call);
    };
    window.drawnIn = async (frames) => {
        const before = window.drawn;
        for (let number = 0; number < frames; number += 1) await new Promise((then) => frame.call(window, then));
        return window.drawn - before;
    };
"""


async def test_the_meter_draws_only_while_there_is_sound(visit: Visiting, data_dir: Path) -> None:
    """An idle page asks for no frame on the meter's behalf, before a reply or after it."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        page = someone.page
        await page.add_init_script(COUNT_FRAMES)
        await page.reload()
        await page.get_by_role("button", name="Server: fake · ready").wait_for()
        assert await page.evaluate("drawnIn(20)") == 0
        await say(page)
        await heard(page)
        assert await page.evaluate("drawn") > 0
        assert await page.evaluate("drawnIn(20)") == 0


async def _pictures(page: Page) -> list[str]:
    """The level meter's, half a second of frames apart."""
    pictures: list[str] = await page.evaluate(
        """async () => {
            const meter = document.querySelector(".level-meter");
            const pictures = [meter.toDataURL()];
            for (let frame = 0; frame < 30; frame += 1) await new Promise(requestAnimationFrame);
            return [...pictures, meter.toDataURL()];
        }"""
    )
    return pictures
