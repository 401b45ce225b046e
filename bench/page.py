"""The page's first load: what comes over the wire, and how soon one can use it, on loopback."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
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
READY = "() => bench.usableMs && bench.connectedMs"


@dataclass(frozen=True, slots=True)
class Load:
    """One load of the page."""

    wire_bytes: int
    """Of all answers over HTTP, heads included, until the page was interactive."""
    requests: int
    usable_ms: float
    connected_ms: float

    @property
    def interactive_ms(self) -> float:
        return max(self.usable_ms, self.connected_ms)


async def run(repeat: int) -> Report:
    """A fresh browser profile for each first load, and the same page once more in it."""
    first: list[Load] = []
    again: list[Load] = []
    with TemporaryDirectory() as folder:
        async with serving(Path(folder), NO_MODEL) as server, running_chromium() as browser:
            # The browser's own first page is not the page's first load.
            await _loads(browser, server.url)
            for _ in range(repeat * LOADS_A_TURN):
                one, other = await _loads(browser, server.url)
                first.append(one)
                again.append(other)
    loads = {"first load": first, "loaded again": again}
    figures = {name: [asdict(load) for load in list_] for name, list_ in loads.items()}
    return Report(figures, [_grid(loads)])


async def _loads(browser: Browser, url: str) -> tuple[Load, Load]:
    context = await browser.new_context()
    await context.add_init_script(WATCH)
    try:
        return await _load(context, url), await _load(context, url)
    finally:
        await context.close()


async def _load(context: BrowserContext, url: str) -> Load:
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await session.send("Network.enable")
    await page.goto(url)
    await page.wait_for_function(READY)
    times: dict[str, Any] = await page.evaluate("() => bench")
    await page.close()
    return Load(round(sum(sizes)), sum(size > 0 for size in sizes), times["usableMs"], times["connectedMs"])


def _grid(loads: dict[str, list[Load]]) -> Grid:
    rows = [
        [
            name,
            f"{median(load.wire_bytes for load in all_) / 1000:.1f}",
            f"{median(load.requests for load in all_):.0f}",
            Spread.of([load.usable_ms for load in all_]).shown(0),
            Spread.of([load.interactive_ms for load in all_]).shown(0),
        ]
        for name, all_ in loads.items()
    ]
    note = (
        "Chromium without a window. Kilobytes (1,000 bytes) with the heads of the answers; milliseconds from the"
        " navigation until a message can be typed, and until the server is connected too: median and range."
    )
    return Grid("The page on loopback", ["", "kB over the wire", "answers", "usable", "interactive"], rows, note)
