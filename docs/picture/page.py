"""Makes the pictures of the page from a real conversation: `make screenshots`.

The server and its voice are the real ones. The language model is a stand-in behind the same interface as any, so that
the words are the same each time.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from palette import small_png
from playwright.async_api import Browser, Page
from tests.support.browser import running_chromium
from tests.support.client import listening
from tests.support.server import serving_process

HERE = Path(__file__).parent
TOKENS_PER_S = 30
QUESTION = "Good evening. Would you read me the plan for tomorrow?"
AGAIN = "What should I not forget?"
WARM_UP = "Are you there?"
"""Said before the first picture: a voice that has just been loaded is slow to begin."""
ANSWERS = {
    WARM_UP: "I am here, sir.",
    QUESTION: "Good evening, sir. Breakfast is at half past seven, and the car comes at nine. At eleven you meet "
    "Dr. Hale at the museum.",
    AGAIN: "Three things, sir:\n\n1. **The umbrella.** Rain is expected towards six.\n2. **The letter** to your "
    "sister, which lies on the desk.\n3. **The theatre tickets**, two of them, in the blue envelope.\n\n"
    "I have put them by the door.",
}
SPOKEN = "The letter"
"""How the sentence begins that is being spoken in the pictures."""
MARKED = """text => [...CSS.highlights.get("spoken") ?? []].some(
  ({ startContainer, startOffset }) => startContainer.textContent.slice(startOffset).startsWith(text)
)"""
DESKTOP: dict[str, Any] = {"viewport": {"width": 1040, "height": 860}, "device_scale_factor": 2}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 780}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True,
}  # fmt: skip
PICTURES = {
    "page-light.png": {**DESKTOP, "color_scheme": "light"},
    "page-dark.png": {**DESKTOP, "color_scheme": "dark"},
    "page-phone.png": {**PHONE, "color_scheme": "light"},
}


async def main() -> None:
    os.environ["FONTCONFIG_FILE"] = str(HERE / "fonts.conf")
    with tempfile.TemporaryDirectory() as folder:
        async with _model() as model_url, running_chromium() as browser:
            settings = {"UNAVOCE_LLM__BASE_URL": model_url, "UNAVOCE_LLM__MODEL": "scripted"}
            with serving_process(Path(folder), **settings) as url:
                async with listening(url) as warming:
                    _, reply = await warming.say(WARM_UP)
                    await warming.end(reply)
                for name, look in PICTURES.items():
                    await _draw(browser, url, HERE / name, look)


async def _draw(browser: Browser, url: str, path: Path, look: dict[str, Any]) -> None:
    context = await browser.new_context(**look, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(url)
    await page.get_by_role("button", name="Server: piper · ready").wait_for()
    await _say(page, QUESTION)
    await page.locator(".reply.is-heard").wait_for()
    await page.locator(".reply[data-state=complete]:not(.is-heard)").wait_for()
    if path.name != "page-phone.png":
        await page.get_by_role("button", name="Timeline").click()
    await _say(page, AGAIN)
    await page.wait_for_function(MARKED, arg=SPOKEN)
    await asyncio.to_thread(path.write_bytes, small_png(await page.screenshot()))
    await context.close()


async def _say(page: Page, message: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    await box.fill(message)
    await box.press("Enter")


@asynccontextmanager
async def _model() -> AsyncIterator[str]:
    """The address of a language model that gives the scripted answers, as fast as a model might."""

    async def answer(request: web.Request) -> web.StreamResponse:
        question = (await request.json())["messages"][-1]["content"]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in ANSWERS[question].split(" "):
            delta = {"choices": [{"index": 0, "delta": {"content": f"{word} "}}]}
            await response.write(f"data: {json.dumps(delta)}\n\n".encode())
            await asyncio.sleep(1 / TOKENS_PER_S)
        await response.write(b"data: [DONE]\n\n")
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
