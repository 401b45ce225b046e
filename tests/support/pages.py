"""A small web server for pages of a test's own, under a policy as strict as the real page's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
TYPES = {"js": "text/javascript", "html": "text/html"}


@asynccontextmanager
async def serving_pages(files: dict[str, str], policy: str = POLICY) -> AsyncIterator[str]:
    """The address of a server of these files; a name without a dot is HTML, and "" is the first page."""

    async def answer(request: web.Request) -> web.Response:
        text = files.get(request.path.removeprefix("/"))
        if text is None:
            return web.Response(status=204)
        kind = TYPES.get(request.path.rpartition(".")[2], "text/html")
        return web.Response(text=text, content_type=kind, headers={"Content-Security-Policy": policy})

    app = web.Application()
    app.router.add_get("/{name:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
