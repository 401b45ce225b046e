"""axe-core's judgement on a page: what keeps people with a screen reader, a keyboard or weak eyes from using it."""

from __future__ import annotations

from functools import cache

from playwright.async_api import Page
from tests.support.node import module

# Runs beside the page's own scripts, so that its Content-Security-Policy stays as it is.
RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html }) => `${impact}: ${id}: ${html}`));
}"""


@cache
def _axe() -> str:
    return module("axe-core/axe.min.js").read_text()


async def barriers(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands: impact, rule and element of each."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())
    found: list[str] = await page.evaluate(RUN)
    return found
