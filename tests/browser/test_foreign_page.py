"""A page of another origin in a real browser: nothing that it sends, asked or unasked, gets past the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

from playwright.async_api import Browser
from starlette.types import Scope
from tests.support.server import running_server
from tests.support.speech_servers import Exchange, serving

from unavoce.server.limits.paths import is_free
from unavoce.server.limits.rates import Rates
from unavoce.server.limits.refusals import Refusal

ATTACKS = """async (server) => {
  const speech = JSON.stringify({ model: "tts-1", voice: "alloy", input: "Good evening." });
  const polling = server + "/socket.io/?EIO=4&transport=polling";
  const done = (element, place) => new Promise((resolve) => {
    element.onload = element.onerror = resolve;
    document.body.append(Object.assign(element, place));
  });
  const read = [];
  for (const [path, options] of [
    ["/v1/audio/speech", { method: "POST", mode: "no-cors", body: speech }],
    ["/v1/audio/speech", { method: "POST", body: speech, headers: { "Content-Type": "application/json" } }],
    ["/api/health", {}], ["/api/health", { mode: "no-cors" }], ["/metrics", {}], ["/docs", { mode: "no-cors" }],
    ["/socket.io/?EIO=4&transport=polling", { mode: "no-cors" }],
    ["/socket.io/?EIO=4&transport=polling", { method: "POST", mode: "no-cors", body: "40" }],
  ]) {
    const answer = await fetch(server + path, options).catch(() => null);
    if (answer?.type === "cors" || answer?.type === "basic") read.push(path);
  }
  navigator.sendBeacon(server + "/v1/audio/speech", speech);
  await done(new Image(), { src: polling });
  await done(document.createElement("script"), { src: polling });
  await done(document.createElement("link"), { rel: "stylesheet", href: server + "/api/cache" });
  await done(document.createElement("iframe"), { src: polling });
  const frame = Object.assign(document.createElement("iframe"), { name: "target" });
  document.body.append(frame);
  const form = Object.assign(document.createElement("form"), {
    action: server + "/v1/audio/speech", method: "post", enctype: "text/plain", target: "target",
  });
  document.body.append(form);
  const sent = new Promise((resolve) => { frame.onload = resolve; });
  form.submit();
  await sent;
  const socket = new WebSocket(server.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket");
  const opened = await new Promise((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
  });
  const player = await import(server + "/player/session.js").then(() => true, () => false);
  return { read, opened, player };
}"""


async def test_nothing_of_a_foreign_page_passes(chromium: Browser, data_dir: Path) -> None:
    """From another port of the same site, which is the nearest a stranger comes: no answer is read, no door is reached.

    The player, which is everybody's, is.
    """
    passed: list[str] = []

    class Noting(Rates):
        """The first check behind those of names and origins."""

        def check(self, scope: Scope) -> Refusal | None:
            passed.append(scope["path"])
            return super().check(scope)

    async def page_of_theirs(exchange: Exchange) -> None:
        await exchange.whole(b"<!doctype html><title>theirs</title><body></body>")

    with patch("unavoce.server.limits.gate.Rates", Noting):
        async with running_server(data_dir) as server, serving(page_of_theirs) as theirs:
            context: Any = await chromium.new_context()
            page = await context.new_page()
            await page.goto(theirs)
            found = await page.evaluate(ATTACKS, server.url)
            await context.close()
            assert found == {"read": [], "opened": False, "player": True}
            assert [path for path in passed if not is_free(path)] == []
            assert any(path.startswith("/player/") for path in passed), "the page did reach the server"
            assert server.app.sockets.transports.count == server.app.chat.running == 0
