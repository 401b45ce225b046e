"""The page's `ReplyText` alone: on the real page, under its policy and in its style, but without a conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page
from tests.support.browser import Visit
from tests.support.node import ROOT
from tests.support.server import running_server

ASSETS = "/assets/0123456789abcdef"
"""Of any digest: the server then gives what there is."""
SAMPLES = ROOT / "tests" / "unit" / "page" / "samples.js"
BEGIN = f"""async () => {{
  const page = "{ASSETS}/page/text";
  window.made = {{
    ...(await import(`${{page}}/reply-text.js`)),
    ...(await import(`${{page}}/blocks.js`)),
    ...(await import(`${{page}}/drawing.js`)),
    ...(await import("/samples.js")),
  }};
  await made.prepare();
  made.place = () => (document.querySelector("main") ?? document.body).appendChild(document.createElement("article"));
  window.place = made.place();
  window.text = new made.ReplyText(place);
  window.frames = (count = 1) => new Promise((resolve) => {{
    const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : resolve());
    next(count);
  }});
}}"""


@asynccontextmanager
async def alone(
    visit: Callable[..., AbstractAsyncContextManager[Visit]], data_dir: Path, **options: Any
) -> AsyncIterator[Visit]:
    """A visit whose page has `text`, a `ReplyText` in the element `place`, and `made`, the classes it is made of."""
    async with running_server(data_dir) as server, visit(server.url, **options) as someone:
        await someone.page.route("**/samples.js", lambda route: route.fulfill(path=SAMPLES))
        await someone.page.evaluate(BEGIN)
        yield someone


async def shown(page: Page, markdown: str) -> str:
    """The document of a whole text."""
    return str(
        await page.evaluate("(whole) => { text.update(whole); text.finish(); return place.innerHTML; }", markdown)
    )


def utf16(text: str, place: int) -> int:
    """A place in code points, counted as JavaScript does."""
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


SPOKEN = """() => [...(CSS.highlights.get("spoken") ?? [])].map((place) => {
  const range = document.createRange();
  range.setStart(place.startContainer, place.startOffset);
  range.setEnd(place.endContainer, place.endOffset);
  return String(range);
})"""


async def marked(page: Page, kind: str = "spoken") -> list[str]:
    """The words that are marked on a page: "spoken" at the moment, or "unheard"."""
    found: list[str] = await page.evaluate(SPOKEN.replace("spoken", kind))
    return found
