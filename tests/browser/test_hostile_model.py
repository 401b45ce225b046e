"""A model that writes what would make another page run something."""

from __future__ import annotations

from pathlib import Path

from tests.browser.conftest import Visiting
from tests.support.person import replies
from tests.support.server import ScriptedModel, running_server
from tests.support.talking import say
from tests.support.xss import CORPUS

ACTIVE = "script, iframe, object, embed, img, svg, math, video, audio, form, input, style, link, base, meta, [style]"


async def test_nothing_of_it_runs(visit: Visiting, data_dir: Path) -> None:
    """All of it is shown as text or left out: no script, no handler, no address asked, no element that could."""
    model = ScriptedModel(otherwise=[f"{line}\n\n" for line in CORPUS])
    async with running_server(data_dir, model=model) as server, visit(server.url) as someone:
        await someone.page.get_by_role("button", name="Speak replies").click()
        await someone.page.evaluate("() => { window.pwned = () => console.error('it ran') }")
        await say(someone.page, "Talk")
        reply = replies(someone.page).first
        await reply.and_(someone.page.locator("[data-state=complete]")).wait_for()
        assert await reply.locator(".reply-text").locator(ACTIVE).count() == 0
        assert await reply.locator(".reply-text a").evaluate_all(
            "links => links.map((link) => new URL(link.href).protocol).every((one) => /^(https?|mailto):$/.test(one))"
        )
