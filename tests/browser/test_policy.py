"""The page's policy in a real browser: what the page needs works under it, and what a stranger would bring does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.browser.conftest import Visiting
from tests.support.server import running_server

TRANSPORT = """async () => {
  const { io } = await import("/vendor/socket.io.esm.min.js");
  const socket = io({ forceNew: true });
  await new Promise((resolve) => socket.on("connect", resolve));
  const { engine } = socket.io;
  if (engine.transport.name !== "websocket") await new Promise((resolve) => engine.once("upgrade", resolve));
  const { name } = engine.transport;
  socket.close();
  return name;
}"""
LEXED = """async () => (await import("/vendor/marked.esm.js")).lexer("**Good** evening.")[0].tokens[0].type"""
INSERTED = """const script = document.createElement("script");
script.textContent = "document.title = 'ran'";
document.body.append(script);"""


async def test_what_the_page_needs_works_under_its_policy(visit: Visiting, data_dir: Path) -> None:
    """Socket.IO comes up over WebSocket, Markdown is read, and the browser complains of nothing."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        assert await someone.page.evaluate(TRANSPORT) == "websocket"
        assert await someone.page.evaluate(LEXED) == "strong"


@pytest.mark.parametrize(
    ("code", "directive"),
    [
        ("document.body.innerHTML = '<b>x</b>'", "require-trusted-types-for"),
        ("document.body.insertAdjacentHTML('beforeend', '<b>x</b>')", "require-trusted-types-for"),
        ("trustedTypes.createPolicy('own', {})", "trusted-types"),
        ("document.body.setAttribute('onclick', 'alert(1)')", "require-trusted-types-for"),
        ("document.body.setAttribute('style', 'color: red')", "style-src-attr"),
        (INSERTED, "require-trusted-types-for"),
        ("await fetch('http://127.0.0.1:9/')", "connect-src"),
        ("await import('http://127.0.0.1:9/x.js')", "script-src-elem"),
        ("new Image().src = 'http://127.0.0.1:9/x.png'", "img-src"),
    ],
)
async def test_what_a_stranger_would_bring_is_refused(
    visit: Visiting, data_dir: Path, code: str, directive: str
) -> None:
    """HTML from strings, code and style in the page, and other hosts are refused by the browser itself."""
    async with running_server(data_dir) as server, visit(server.url) as someone:
        someone.watch.foresee("")  # every complaint is of what is done here
        await someone.page.evaluate(f"async () => {{ try {{ {code} }} catch {{ /* refused at once */ }} }}")
        await someone.watch.until(
            lambda: any(fault.startswith(f"policy: {directive} ") for fault in someone.watch.faults)
        )
        assert await someone.page.locator("b").count() == 0
        assert await someone.page.title() == "unavoce"
