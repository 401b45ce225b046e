"""The page's first load: what comes over the wire, and how soon one can use it, on loopback."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import Browser, BrowserContext
from tests.support.browser import running_chromium

from bench.figures import Spread
from bench.hits import NO_MODEL
from bench.report import Grid, Report
from bench.serving import serving

LOADS_A_TURN = 5

# Both by the page's own clock, which begins with the navigation: the message field has the focus, which the page's
# script gives it when all else is in place, and Socket.IO has said that it is connected (packet 4, type 0).
WATCH = """(() => {
  window.bench = {};
  document.addEventListener("focusin", ({ target }) => {
    if (target.id === "message") bench.usableMs ??= performance.now();
  });
  const connected = ({ data }) => {
    if (typeof data === "string" && data.startsWith("40")) bench.connectedMs ??= performance.now();
  };
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", connected);
    }
  };
})()"""
# What came from the browser's own cache was not transferred, and a 304 holds nothing.
BODIES = """() => performance.getEntries()
  .filter(({ transferSize, encodedBodySize }) => transferSize > encodedBodySize)
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""
READY = "() => bench.usableMs && bench.connectedMs"


@dataclass(frozen=True, slots=True)
class Load:
    """One load of the page. Counting the bytes slows it: they are 0 where the times are measured."""

    usable_ms: float
    connected_ms: float
    wire_bytes: int = 0
    """Of all answers over HTTP, heads included, those after it was connected too."""
    body_bytes: int = 0
    """Of these, what they hold, compressed as it came."""
    answers: int = 0


async def run(repeat: int) -> Report:
    """A fresh browser profile for each first load, and the same page once more in it."""
    first: list[Load] = []
    again: list[Load] = []
    with TemporaryDirectory() as folder:
        async with serving(Path(folder), NO_MODEL) as server, running_chromium() as browser:
            # The browser's own first page is not the page's first load.
            await _loads(browser, server.url)
            sizes = await _loads(browser, server.url, count=True)
            for _ in range(repeat * LOADS_A_TURN):
                one, other = await _loads(browser, server.url)
                first.append(one)
                again.append(other)
    loads = {"first load": (sizes[0], first), "loaded again": (sizes[1], again)}
    figures = {
        name: {
            "wire_bytes": size.wire_bytes,
            "body_bytes": size.body_bytes,
            "answers": size.answers,
            "loads": [asdict(load) for load in all_],
        }
        for name, (size, all_) in loads.items()
    }
    return Report(figures, [_grid(loads)])


async def _loads(browser: Browser, url: str, *, count: bool = False) -> tuple[Load, Load]:
    context = await browser.new_context()
    await context.add_init_script(WATCH)
    try:
        return await _load(context, url, count), await _load(context, url, count)
    finally:
        await context.close()


async def _load(context: BrowserContext, url: str, count: bool) -> Load:
    page = await context.new_page()
    sizes: list[float] = []
    if count:
        session = await context.new_cdp_session(page)
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        await session.send("Network.enable")
    await page.goto(url)
    await page.wait_for_function(READY)
    if count:
        await page.wait_for_load_state("networkidle")
    times: dict[str, Any] = await page.evaluate("() => bench")
    bodies: int = await page.evaluate(BODIES) if count else 0
    await page.close()
    answers = sum(size > 0 for size in sizes)
    return Load(times["usableMs"], times["connectedMs"], round(sum(sizes)), bodies, answers)


def _grid(loads: dict[str, tuple[Load, list[Load]]]) -> Grid:
    rows = [
        [
            name,
            f"{size.body_bytes / 1000:.1f}",
            f"{size.wire_bytes / 1000:.1f}",
            str(size.answers),
            Spread.of([load.usable_ms for load in all_]).shown(0),
            Spread.of([load.connected_ms for load in all_]).shown(0),
        ]
        for name, (size, all_) in loads.items()
    ]
    note = (
        "Chromium without a window, which counts among the other programs. Kilobytes are 1,000 bytes."
        " Milliseconds from the navigation until a message can be typed and sent, and until the server is"
        " connected, for which a message waits: median and range."
    )
    columns = ["", "kB, compressed", "with heads", "answers", "can be used", "is connected"]
    return Grid("The page on loopback", columns, rows, note)
