"""The example in the player's README, run as it stands but for the server's address."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser.conftest import Visiting
from tests.support.pages import serving_pages
from tests.support.server import serving_process

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' http://127.0.0.1:*; connect-src http://127.0.0.1:* ws://127.0.0.1:*"
)
"""What the README asks for, and leave for the script that stands in the example's own page."""
ROOT = Path(__file__).parents[2]
README = ROOT / "src" / "unavoce" / "web" / "player" / "README.md"


def example() -> str:
    found = re.search(r"```html\n(.+?)```", README.read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_example_has_ten_lines_of_script() -> None:
    """What is called ten lines is no more than that."""
    script = re.search(r"<script[^>]*>\n(.+?)</script>", example(), re.DOTALL)
    assert script
    assert len(script[1].splitlines()) <= 10


def test_the_front_page_of_the_project_shows_the_same() -> None:
    """What is run here is also what the project's own README shows."""
    assert f"```html\n{example()}```" in (ROOT / "README.md").read_text()


async def test_the_example_speaks(visit: Visiting, tmp_path: Path) -> None:
    """A person opens the page, clicks, reads the answer and hears it; a click on the other button silences it."""
    pages: dict[str, str] = {}
    async with serving_pages(pages, POLICY) as origin:
        with serving_process(tmp_path, UNAVOCE_CORS_ORIGINS=origin) as server:
            pages[""] = example().replace("http://127.0.0.1:8010", server)
            async with visit(origin) as someone:
                someone.watch.foresee(f"asked (http|ws){re.escape(server.removeprefix('http'))}")
                await someone.page.get_by_role("button", name="Good evening").click()
                await someone.sound.heard(12_000)
                assert await someone.page.get_by_role("paragraph").inner_text()
                await someone.page.get_by_role("button", name="Stop").click()
                await someone.sound.passed(2_400)
                heard = await someone.sound.samples()
                assert not heard[-1_200:].any()
