"""A browser driven by Playwright, and one person's visit to a page in it, watched for whatever should not happen."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright, expect
from tests.support.sound import PATIENCE_S, Sound, listen_in

# Its own patience is 5 s, and on a busy machine a page of a thousand messages takes longer.
expect.set_options(timeout=PATIENCE_S * 1000)

CACHE = Path(__file__).parents[2] / ".cache" / "browser"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSED_SAMPLES = "the tap missed samples"
"""What listen_in.js says when the machine was too busy to hand every sample to the tap."""
NAMES_NO_HOST = ("blob", "data", "about", "chrome-extension")

# Nothing may leave for the network: not a name is looked up but the test's own server's. Nothing is said of autoplay,
# so that sound waits for a gesture as it does for a person.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-first-run",
]

SEEN = """new Promise((resolve) => {
  const look = () => (%s) && resolve();
  const changes = { attributes: true, childList: true, characterData: true, subtree: true };
  new MutationObserver(look).observe(document, changes);
  look();
})"""


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """The machine's Chromium or Chrome, else Playwright's own."""
    async with async_playwright() as playwright:
        browser = await _launched(playwright)
        try:
            yield browser
        finally:
            await browser.close()


async def _launched(playwright: Playwright) -> Browser:
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    # Chromium refuses its sandbox to root, which CI's machines often are.
    return await playwright.chromium.launch(executable_path=found, args=FLAGS, chromium_sandbox=os.geteuid() != 0)


class RecordingFailed(Exception):
    """What a page played was not recorded whole, so that nothing can be said of it: the test is to be run once more."""


@dataclass(slots=True)
class Watch:
    """What went wrong in a visit: errors of pages, of the policy and on the console, and requests to other hosts."""

    origins: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    _foreseen: list[re.Pattern[str]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def over(self, context: BrowserContext) -> None:
        context.on(
            "console",
            lambda message: message.type == "error" and self.found(f"{message.text} {message.location['url']}"),
        )
        context.on("weberror", lambda fault: self.found(f"uncaught: {fault.error}"))
        context.on("request", lambda request: self.asked(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self.asked(socket.url)))

    def foresee(self, pattern: str) -> None:
        """Faults of this kind belong to what the test does, as when it takes the server away."""
        self._foreseen.append(re.compile(pattern))

    def check(self) -> None:
        """Nothing went wrong so far but what was foreseen."""
        unforeseen = [fault for fault in self.faults if not any(kind.search(fault) for kind in self._foreseen)]
        assert not unforeseen, unforeseen

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Whatever is wrong in the body, or at its end, is the recording's fault where that is not whole."""
        try:
            yield
            self.check()
        except Exception as error:
            missed = [fault for fault in self.faults if MISSED_SAMPLES in fault]
            if missed:
                raise RecordingFailed(*missed) from error
            raise

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when `condition` holds; looked at whenever something went wrong."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def asked(self, url: str) -> None:
        scheme, host, *_ = urlsplit(url)
        if scheme not in NAMES_NO_HOST and host not in self.origins:
            self.found(f"asked {url}")

    def found(self, fault: str) -> None:
        self.faults.append(fault)
        self._news.set()


@dataclass(slots=True)
class Visit:
    """One person in a browser of their own. `page` is their first tab."""

    context: BrowserContext
    watch: Watch
    page: Page = field(init=False)
    sound: Sound = field(init=False)

    async def seen(self, condition: str, page: Page | None = None) -> None:
        """Returns when a JavaScript expression about the page is true; looked at whenever the page changes.

        Unlike anything of Playwright's that looks at a page, this does not count as a gesture there.
        """
        session = await self.context.new_cdp_session(page or self.page)
        async with asyncio.timeout(PATIENCE_S):
            answer = await session.send(
                "Runtime.evaluate", {"expression": SEEN % condition, "awaitPromise": True, "userGesture": False}
            )
        assert "exceptionDetails" not in answer, answer
        await session.detach()

    async def tab(self, url: str) -> tuple[Page, Sound]:
        """Another tab at `url`."""
        self.watch.origins.add(urlsplit(url).netloc)
        page = await self.context.new_page()
        sound = await listen_in(page)
        await page.goto(url)
        return page, sound


@asynccontextmanager
async def visiting(browser: Browser, url: str, name: str, **options: Any) -> AsyncIterator[Visit]:
    """A visit to `url` that starts with nothing remembered. `options` are those of Playwright's `new_context`.

    One in which something goes wrong leaves its tabs' pictures and documents, and the faults, in .cache/browser/`name`.
    """
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE_S * 1000)
    visit = Visit(context, Watch())
    visit.watch.over(context)
    try:
        visit.page, visit.sound = await visit.tab(url)
        with visit.watch.recording():
            yield visit
    except BaseException:
        await _keep(visit, CACHE / re.sub(r"[^\w.-]+", "-", name))
        raise
    finally:
        await context.close()


async def _keep(visit: Visit, folder: Path) -> None:
    # Not Playwright's trace: its looks at the page count as gestures there, and would unlock the sound.
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(visit.context.pages):
        await page.screenshot(path=folder / f"tab-{number}.png")
        (folder / f"tab-{number}.html").write_text(await page.content())
    (folder / "faults.txt").write_text("\n".join(visit.watch.faults))
