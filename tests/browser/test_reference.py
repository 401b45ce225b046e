"""The OpenAPI document as a page, in a browser: on a phone, for weak eyes, and behind a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser
from tests.support.axe import barriers
from tests.support.browser import Watch
from tests.support.server import running_server

# Not by `visit`, whose way of listening in keeps Playwright from giving a password.
PERSON: dict[str, Any] = {
    "http_credentials": {"username": "anybody", "password": "sesame"},
    "viewport": {"width": 360, "height": 780},
    "has_touch": True,
    "is_mobile": True,
}
OPEN_ALL = "() => { for (const one of document.querySelectorAll('details')) one.open = true; }"


@pytest.mark.parametrize("look", ["light", "dark"])
async def test_the_reference_reads_well_on_a_phone(chromium: Browser, data_dir: Path, look: Any) -> None:
    """The browser gives the key as a password; all is open and nothing sticks out; axe-core finds nothing; no fault."""
    async with (
        running_server(data_dir, api_keys=("sesame",)) as server,
        await chromium.new_context(**PERSON, color_scheme=look) as context,
    ):
        watch = Watch({urlsplit(server.url).netloc})
        watch.over(context)
        page = await context.new_page()
        await page.goto(f"{server.url}/docs")
        await page.get_by_role("heading", name="unavoce").wait_for()
        await page.evaluate(OPEN_ALL)
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= 360
        assert await page.evaluate("() => getComputedStyle(document.body).overflowY") == "visible"
        assert await barriers(page) == []
        await page.get_by_role("link", name="GET /api/health").click()
        assert page.url.endswith("#get_api_health")
        watch.check()
