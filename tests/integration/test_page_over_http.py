"""The page's files from a running server: no key, no way out of the list, and bodies as HTTP wants them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.server import PATIENCE_S, running_server

from unavoce.server import app
from unavoce.web.site import POLICY, Site


async def raw(url: str, request: str) -> tuple[str, str]:
    """Status line and body of the answer to these very bytes, which no client would tidy up."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"{request}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE_S):
        answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return head.splitlines()[0], body


async def test_the_page_asks_for_no_key(data_dir: Path) -> None:
    """Where keys are set, the page, the player and the libraries still come to anybody; the rest does not."""
    async with (
        running_server(data_dir, api_keys=("right",)) as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        front = await client.get("/")
        assert front.status_code == 200
        assert front.headers["content-encoding"] == "gzip"
        assert front.headers["content-security-policy"] == POLICY
        assert (await client.get("/vendor/marked.esm.js")).status_code == 200
        assert (await client.get("/api/health")).status_code == 401


async def test_head_has_no_body_and_the_headers_of_get(data_dir: Path) -> None:
    """On the wire too, for whole and for compressed answers."""
    async with running_server(data_dir) as server, httpx.AsyncClient(base_url=server.url) as client:
        for path in ("/", "/vendor/marked.esm.js"):
            for coding in ("gzip", "identity"):
                headers = {"Accept-Encoding": coding}
                got, head = await client.get(path, headers=headers), await client.head(path, headers=headers)
                assert head.content == b""
                assert {**head.headers, "date": ""} == {**got.headers, "date": ""}
                assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../../errors.py",
        "/vendor/../page/index.html",
        "/vendor/..%2fpage/index.html",
        "/player/%2e%2e/%2e%2e/errors.py",
        "/vendor//etc/passwd",
        "/vendor/marked.esm.js%00.txt",
        "/vendor/" + "a/" * 20_000,
        "//vendor/marked.esm.js",
    ],
)
async def test_no_path_leads_out_of_the_list(data_dir: Path, path: str) -> None:
    """Dots, slashes, zeros and long paths, sent as they stand, find nothing."""
    async with running_server(data_dir) as server:
        status, body = await raw(server.url, f"GET {path} HTTP/1.1")
        assert status.split()[1] in {"400", "404", "431"}
        assert "import" not in body
        assert "root:" not in body


async def test_a_server_without_the_libraries_still_speaks(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In a copy of the source that was never built the page says what lacks, the log names it, and all else runs."""
    monkeypatch.setattr(app.Site, "load", lambda: Site({"page/index.html": b"<p>"}))
    async with running_server(data_dir) as server, httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/")).status_code == 503
        assert (await client.get("/api/health")).json()["status"] == "ok"
    (record,) = [one for one in caplog.records if one.message == "page_incomplete"]
    assert record.__dict__["missing"] == "vendor/socket.io.esm.min.js, vendor/marked.esm.js"
