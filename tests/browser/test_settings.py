"""What a person sets on the page: it takes effect, is remembered, and survives whatever a browser has stored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visiting
from tests.support.server import quick_engine, running_server
from tests.support.sound import QUIET
from tests.support.talking import close_dialog, heard, open_settings, say, sent_messages, silent, speaking, talkative

STORED = "unavoce.settings"


async def store(page: Page, value: str) -> None:
    """Have the browser remember something, and load the page anew."""
    await page.evaluate("([name, value]) => localStorage.setItem(name, value)", [STORED, value])
    await page.reload()


async def test_what_is_set_reaches_the_server_and_is_remembered(visit: Visiting, data_dir: Path) -> None:
    """Voice, speed and format go with the next message, and again after a reload."""
    engine = quick_engine(voices=("butler", "maid"))
    async with running_server(data_dir, engine=engine) as server, visit(server.url) as someone:
        page = someone.page
        sent = sent_messages(page)
        await page.reload()
        settings = await open_settings(page)
        await settings.get_by_role("combobox", name="Voice").select_option("maid")
        await settings.get_by_role("slider", name="Speed").fill("1.5")
        await expect(settings.get_by_role("status").get_by_text("1.5")).to_be_visible()
        await settings.get_by_role("radio", name="Opus").check()
        await close_dialog(page)
        await say(page)
        await heard(page)
        await page.reload()
        await say(page)
        await heard(page, 1)
        wanted = {"voice": "fake/maid", "speed": 1.5, "format": "opus", "speak": True}
        assert [{name: one[name] for name in wanted} for one in sent] == [wanted, wanted]
        answers = [call.voice for call in engine.calls if call.spoken == "Very good, sir."]
        assert {(voice.name, voice.speed) for voice in answers} == {("maid", 1.5)}


async def test_without_a_choice_the_server_decides(visit: Visiting, data_dir: Path) -> None:
    """A person who has set nothing gets the server's own voice and format."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        sent = sent_messages(someone.page)
        await someone.page.reload()
        await say(someone.page)
        await heard(someone.page)
        assert (sent[0]["voice"], sent[0]["format"], sent[0]["speed"]) == (None, None, 1)


async def test_speech_is_turned_off_with_one_press(visit: Visiting, data_dir: Path) -> None:
    """Replies are text only from then on, here and after a reload, and the line below says so."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        page = someone.page
        await page.get_by_role("button", name="Speak replies", pressed=True).click()
        await page.reload()
        await page.get_by_role("button", name="Speak replies", pressed=False).wait_for()
        await say(page)
        await page.locator(".reply-line").get_by_text("text only").wait_for()
        assert not [call for call in server.engine.calls if call.spoken == "Very good, sir."]


async def test_the_volume_holds_at_once(visit: Visiting, data_dir: Path) -> None:
    """What is being heard becomes silent when the volume is drawn to nought, and is heard again when it is drawn up."""
    # At the player's own rate, so that all samples come from one context.
    async with (
        running_server(data_dir, model=talkative(), sample_rate_hz=24_000) as server,
        visit(server.url) as someone,
    ):
        page = someone.page
        await say(page)
        await someone.sound.heard(800)
        volume = page.get_by_role("banner").get_by_role("slider", name="Volume")
        await volume.press("Home")
        await expect(volume).to_have_attribute("aria-valuetext", "0 %")
        turned = len(await someone.sound.samples())
        await someone.sound.played(turned + 8_000)
        samples = np.abs(await someone.sound.samples())
        assert samples[turned + 4_000 :].max() < QUIET
        await volume.press("End")
        await someone.sound.heard(int(np.count_nonzero(samples > QUIET)) + 800)
        assert await page.evaluate("JSON.parse(localStorage.getItem('unavoce.settings')).volume") == 1


async def test_the_appearance_is_there_before_any_module_runs(visit: Visiting, data_dir: Path) -> None:
    """A remembered appearance needs no module, so the page never flashes in the other colours."""
    async with running_server(data_dir) as server, visit(server.url, color_scheme="light") as someone:
        page = someone.page
        settings = await open_settings(page)
        await settings.get_by_role("radio", name="Dark").check()
        assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        someone.watch.foresee("main.js|ERR_FAILED")
        await page.route("**/main.js", lambda route: route.abort())
        await page.reload()
        assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


async def test_a_browser_without_opus_gets_wav(visit: Visiting, data_dir: Path) -> None:
    """Where the browser cannot decode Opus the choice is closed and says why, and WAV is asked for."""
    async with running_server(data_dir, opus_enabled=True) as server, visit(server.url) as someone:
        page = someone.page
        await page.add_init_script(
            "OfflineAudioContext.prototype.decodeAudioData = () => Promise.reject(new Error('no such codec'))"
        )
        sent = sent_messages(page)
        await store(page, json.dumps({"format": "opus"}))
        settings = await open_settings(page)
        await settings.get_by_text("This browser does not decode Opus").wait_for()
        await expect(settings.get_by_role("radio", name="Opus")).to_be_disabled()
        await close_dialog(page)
        await say(page)
        await heard(page)
        assert sent[0]["format"] == "wav"


@pytest.mark.parametrize("odd", ["{", "[]", "null", '"x"', '{"speed": "fast", "volume": 9, "voice": 7, "speak": 1}'])
async def test_an_odd_stored_value_is_as_if_nothing_had_been_set(visit: Visiting, data_dir: Path, odd: str) -> None:
    """Torn, foreign or senseless entries are not believed, and harm nothing."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        sent = sent_messages(someone.page)
        await store(someone.page, odd)
        await say(someone.page)
        await heard(someone.page)
        assert (sent[0]["voice"], sent[0]["speed"], sent[0]["speak"]) == (None, 1, True)


async def test_a_browser_without_storage(visit: Visiting, data_dir: Path) -> None:
    """Where the browser forbids storage, settings hold until the page is left."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        page = someone.page
        await page.add_init_script(
            "for (const kind of ['localStorage', 'sessionStorage']) Object.defineProperty(window, kind,"
            " { get() { throw new DOMException('no', 'SecurityError'); } });"
        )
        sent = sent_messages(page)
        await page.reload()
        settings = await open_settings(page)
        await settings.get_by_role("slider", name="Speed").fill("0.5")
        await close_dialog(page)
        await say(page)
        await heard(page)
        assert sent[0]["speed"] == 0.5


async def test_a_remembered_voice_that_is_gone_is_said(visit: Visiting, data_dir: Path) -> None:
    """The page names the voice that is not there any more, and the default one speaks."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        page = someone.page
        sent = sent_messages(page)
        await store(page, json.dumps({"voice": "fake/emma"}))
        notice = page.get_by_role("status").get_by_text("The voice fake/emma is not here any more")
        await notice.wait_for()
        await say(page)
        await heard(page)
        assert sent[0]["voice"] is None
        settings = await open_settings(page)
        await settings.get_by_role("combobox", name="Voice").select_option("tone")
        await close_dialog(page)
        await notice.wait_for(state="detached")


async def test_another_tab_follows(visit: Visiting, data_dir: Path) -> None:
    """What is set in one tab is shown in the others."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        other, _ = await someone.tab(server.url)
        await someone.page.get_by_role("button", name="Speak replies").click()
        await other.get_by_role("button", name="Speak replies", pressed=False).wait_for()


async def test_escape_closes_a_dialog_and_nothing_else(visit: Visiting, data_dir: Path) -> None:
    """The first Escape closes the settings, with the focus back on their button, and the reply goes on."""
    async with running_server(data_dir, model=talkative()) as server, visit(server.url) as someone:
        page = someone.page
        await say(page)
        await speaking(page)
        await open_settings(page)
        await close_dialog(page)
        await expect(page.get_by_role("button", name="Settings")).to_be_focused()
        assert server.app.chat.running == 1
        await page.keyboard.press("Escape")
        await silent(page)
        await page.locator(".reply-line").get_by_text("stopped").wait_for()
        await server.app.chat.ended()


async def test_a_key_is_asked_for_and_accepted(visit: Visiting, data_dir: Path) -> None:
    """A wrong key is said to be wrong; the right one opens it, is kept for this tab and stands in no address."""
    async with running_server(data_dir, api_keys=("right-key",)) as server, visit(server.url) as someone:
        page = someone.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.reload()
        dialog = page.get_by_role("dialog", name="A key is needed")
        await expect(dialog.get_by_label("Key", exact=True)).to_be_focused()
        assert await dialog.get_by_role("alert").inner_text() == ""
        assert not await dialog.get_by_role("checkbox").is_checked()
        await dialog.get_by_label("Key", exact=True).fill("wrong-key")
        await page.keyboard.press("Enter")
        await dialog.get_by_text("does not know this key").wait_for()
        assert await page.evaluate("[localStorage.length, sessionStorage.getItem('unavoce.key')]") == [0, None]
        await dialog.get_by_label("Key", exact=True).fill("right-key")
        await page.keyboard.press("Enter")
        await dialog.wait_for(state="hidden")
        await say(page)
        await (await heard(page)).get_by_role("button", name="Timeline").click()
        await page.locator(".timeline-row").wait_for()
        await page.reload()
        await page.get_by_role("button", name="Server: fake · ready").wait_for()
        assert not [url for url in asked if "-key" in url]
        assert await page.evaluate("localStorage.getItem('unavoce.key')") is None


async def test_a_key_is_remembered_on_request_and_forgotten_on_request(visit: Visiting, data_dir: Path) -> None:
    """With the box ticked another tab has the key too; forgetting it in the settings asks for it again."""
    async with running_server(data_dir, api_keys=("right-key",)) as server, visit(server.url) as someone:
        dialog = someone.page.get_by_role("dialog", name="A key is needed")
        await dialog.get_by_label("Key", exact=True).fill("right-key")
        await dialog.get_by_role("checkbox").check()
        await dialog.get_by_role("button", name="Connect").click()
        await dialog.wait_for(state="hidden")
        other, _ = await someone.tab(server.url)
        await other.get_by_role("button", name="Server: fake · ready").wait_for()
        settings = await open_settings(other)
        await settings.get_by_role("button", name="Forget the key").click()
        await other.get_by_role("dialog", name="A key is needed").wait_for()
        assert await other.evaluate("localStorage.getItem('unavoce.key')") is None


async def test_a_key_that_is_not_given(visit: Visiting, data_dir: Path) -> None:
    """Who closes the dialog is told what is missing, and can come back to it."""
    async with running_server(data_dir, api_keys=("right-key",)) as server, visit(server.url) as someone:
        dialog = someone.page.get_by_role("dialog", name="A key is needed")
        await dialog.wait_for()
        await close_dialog(someone.page)
        await someone.page.get_by_role("button", name="Enter the key").click()
        await expect(dialog.get_by_label("Key", exact=True)).to_be_focused()
