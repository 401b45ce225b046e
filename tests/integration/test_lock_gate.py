"""The gate in front of every door: names, origins, rates, sizes, places, proxies, and headers on every answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from tests.support.client import listening
from tests.support.raw import PATH, bare_socket
from tests.support.server import PATIENCE_S, ScriptedModel, Server, running_server
from websockets.asyncio.client import connect

from unavoce.server.limits.gate import gated
from unavoce.settings import Settings

POLLING = "/socket.io/?EIO=4&transport=polling"
EVIL = "https://evil.example"
FRIEND = "https://friend.example:8443"
DOORS = "/api/health", "/api/cache", "/metrics", "/docs", "/v1/models", "/v1/audio/speech", POLLING, "/nowhere"


@asynccontextmanager
async def asking(server: Server, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=PATIENCE_S) as client:
        yield client


async def socket_status(server: Server, **headers: str) -> int:
    """Of the answer to a WebSocket's handshake; 101 where it is let in."""
    try:
        async with connect(server.url.replace("http", "ws") + PATH, additional_headers=headers):
            return 101
    except websockets.InvalidStatus as error:
        return error.response.status_code


# -- names and origins


async def test_a_rebound_name_reaches_no_door(data_dir: Path) -> None:
    """Under a name of the internet nothing is answered, the page and WebSockets neither; under the operator's it is."""
    async with running_server(data_dir, allowed_hosts=("voice.example",)) as server, asking(server) as client:
        for path in ("/", "/healthz", *DOORS):
            answer = await client.get(path, headers={"Host": "evil.example:8010"})
            assert answer.status_code == 421
            assert answer.json()["error"]["code"] == "unknown_host"
            assert (await client.get(path, headers={"Host": "voice.example"})).status_code != 421
        async with websockets_as(server, "evil.example") as status:
            assert status == 421
        async with websockets_as(server, "voice.example") as status:
            assert status == 101


@asynccontextmanager
async def websockets_as(server: Server, name: str) -> AsyncIterator[int]:
    """The answer to a handshake with this `Host`."""
    host, port = server.place
    try:
        async with connect(f"ws://{name}{PATH}", host=host, port=port, proxy=None):
            yield 101
    except websockets.InvalidStatus as error:
        yield error.response.status_code


async def test_a_foreign_page_causes_nothing(data_dir: Path) -> None:
    """With a foreign origin, or none as an image has, no door opens: no session, no answer, no socket."""
    async with running_server(data_dir, cors_origins=(FRIEND,)) as server, asking(server) as client:
        for headers in ({"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            for path in DOORS:
                for answer in (await client.get(path, headers=headers), await client.post(path, headers=headers)):
                    assert answer.status_code == 403, (path, headers)
                    assert "access-control-allow-origin" not in answer.headers
            assert (await client.get("/", headers=headers)).status_code == 200
        assert await socket_status(server, Origin=EVIL) == 403
        assert server.app.sockets.transports.count == 0
        assert await socket_status(server, Origin=server.url) == 101
        assert await socket_status(server, Origin=FRIEND) == 101


async def test_the_operators_origins_may_read_every_door(data_dir: Path) -> None:
    """Preflight and answer name the origin, over HTTP as over Socket.IO, refusals too; other origins get none."""
    limits = {"cors_origins": (FRIEND,), "api_keys": ("right",), "max_requests_per_s": 1_000}
    async with running_server(data_dir, **limits) as server, asking(server, Origin=FRIEND) as client:
        for path in DOORS:
            asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
            preflight = await client.options(path, headers=asked)
            assert preflight.status_code == 200
            assert preflight.headers["access-control-allow-origin"] == FRIEND
            assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
            answer = await client.get(path)
            assert answer.headers["access-control-allow-origin"] == FRIEND, "a 401 as well"
            assert "origin" in answer.headers["vary"].lower()
            refused = await client.options(path, headers={**asked, "Origin": EVIL})
            assert refused.status_code == 400
            assert "access-control-allow-origin" not in refused.headers
        shared = await client.get("/player/session.js")
        assert shared.headers["access-control-allow-origin"] == "*", "the player is everybody's"


async def test_any_origin_where_the_operator_says_so(data_dir: Path) -> None:
    """`*` lets every page connect and read."""
    async with running_server(data_dir, cors_origins=("*",)) as server, asking(server, Origin=EVIL) as client:
        assert (await client.get("/api/health")).headers["access-control-allow-origin"] == "*"
        assert (await client.get(POLLING)).headers["access-control-allow-origin"] == "*"
        assert await socket_status(server, Origin=EVIL) == 101


# -- headers


async def test_every_answer_has_safe_headers(data_dir: Path) -> None:
    """Answers, refusals, mistakes and the page: none can be sniffed, framed or kept by a cache, or names its server."""
    async with running_server(data_dir, api_keys=("right",)) as server, asking(server) as client:
        key = {"Authorization": "Bearer right"}
        seen = [await client.get(path, headers=headers) for path in (*DOORS, "/healthz") for headers in ({}, key)]
        seen += [await client.get("/api/health", headers={"Origin": EVIL})]
        seen += [await client.get("/api/health", headers={"Host": "evil.example"})]
        seen += [await client.request("BREW", "/api/health"), await client.post("/socket.io/", content=b"x")]
        assert {answer.status_code for answer in seen} >= {200, 401, 403, 404, 405, 421}
        for answer in seen:
            headers = answer.headers
            assert headers["x-content-type-options"] == "nosniff", answer
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "no-store"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "server" not in headers
        page = await client.get("/")
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "server" not in page.headers


# -- how much


async def test_a_caller_that_asks_too_often_is_told_when_to_come_back(data_dir: Path) -> None:
    """Past ten seconds' worth of requests 429 with Retry-After, at every door but `/healthz`, to WebSockets too."""
    async with (
        running_server(data_dir, max_requests_per_s=1) as server,
        listening(server.url) as listener,
        asking(server) as client,
    ):
        answers = [await client.get("/api/cache") for _ in range(12)]
        assert answers[0].status_code == 200
        late = answers[-1]
        assert late.status_code == 429
        assert late.json()["error"]["code"] == "too_many"
        assert int(late.headers["retry-after"]) >= 1
        assert (await client.get("/v1/anything")).json()["error"]["type"] == "rate_limit_error"
        assert await socket_status(server) == 429
        assert (await client.get("/healthz")).status_code == 200
        _, reply = await listener.say("Hello")
        await listener.end(reply)


async def test_packets_that_come_too_fast_wait_and_none_is_lost(data_dir: Path) -> None:
    """A text streamed faster than the limit is read more slowly, whole and in order."""
    text = "Good evening, sir. Dinner is served in the blue room. " * 8
    async with running_server(data_dir, max_events_per_s=40) as server, listening(server.url) as listener:
        reply = (await listener.ok("speak:start", {}))["replyId"]
        for letter in text:
            await listener.client.emit("speak:text", {"replyId": reply, "text": letter})
        await listener.client.emit("speak:end", {"replyId": reply})
        await listener.end(reply)
        assert listener.payloads(reply, "chat:done")[0]["text"] == text


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_the_limit_is_not_read(data_dir: Path, chunked: bool) -> None:
    """413 at every door that takes a body, however its length is told."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000

    async with running_server(data_dir, max_body_bytes=2_000) as server, asking(server) as client:
        sid = json.loads((await client.get(POLLING)).text[1:])["sid"]
        for path in (f"{POLLING}&sid={sid}", "/api/health", "/nowhere"):
            answer = await client.post(path, content=pieces() if chunked else b"x" * 2_001)
            if not chunked or path.startswith(POLLING):  # who does not read a body answers before it is too long
                assert answer.status_code == 413, path
                assert answer.json()["error"]["code"] == "too_large"
        assert (await client.post(f"{POLLING}&sid={sid}", content=b"3")).status_code == 200


async def test_a_head_beyond_the_limit_is_refused(data_dir: Path) -> None:
    """Long paths and long headers, in one piece or many, get 431 or 400 and no door."""
    async with running_server(data_dir) as server, asking(server) as client:
        for headers in ({"X-Long": "x" * 40_000}, {f"X-{number}": "x" * 100 for number in range(400)}):
            assert (await client.get("/healthz", headers=headers)).status_code in (400, 431)
        assert (await client.get("/" + "x" * 40_000)).status_code in (400, 431)


async def test_one_caller_cannot_take_all_replies(data_dir: Path) -> None:
    """Past its share a caller is told `too_many`, over all its connections, and another caller still begins one."""
    gate = asyncio.Event()
    model = ScriptedModel(otherwise=("Well. ", gate, "Done."))
    limits = {"max_replies": 3, "max_replies_per_caller": 2, "api_keys": ("one", "other")}
    async with (
        running_server(data_dir, model=model, **limits) as server,
        listening(server.url, auth={"apiKey": "one"}) as first,
        listening(server.url, auth={"apiKey": "one"}) as second,
        listening(server.url, auth={"apiKey": "other"}) as other,
    ):
        running = [(first, await first.say("1")), (second, await second.say("2"))]
        assert await first.refused("chat:send", {"message": "3"}) == "too_many"
        assert await second.refused("speak:start", {}) == "too_many"
        running.append((other, await other.say("3")))
        gate.set()
        for listener, (_, reply) in running:
            await listener.end(reply)
        _, reply = await first.say("4")
        await first.end(reply)


async def test_connections_have_places(data_dir: Path) -> None:
    """Past the limit a connection is told 503 and ended, those there go on, and a place that is left is free."""
    async with running_server(data_dir, max_connections_per_address=3) as server, listening(server.url) as listener:
        async with bare_socket(server.url):
            async with bare_socket(server.url), asking(server) as client:
                answer = await client.get("/healthz")
                assert answer.status_code == 503
                assert answer.headers["retry-after"]
                assert answer.json()["error"]["code"] == "too_many"
                assert await socket_status(server) == 503
            async with asyncio.timeout(PATIENCE_S), asking(server) as client:
                while (await client.get("/healthz")).status_code == 503:
                    pass
        _, reply = await listener.say("Hello")
        await listener.end(reply)


async def test_transports_have_places_as_well(data_dir: Path) -> None:
    """Sessions over long polling count though no connection stays open; past the limit 429, and a new one later."""
    async with running_server(data_dir, max_connections_per_address=4) as server, asking(server) as client:
        sids = [json.loads((await client.get(POLLING)).text[1:])["sid"] for _ in range(4)]
        answer = await client.get(POLLING)
        assert answer.status_code == 429
        assert answer.json()["error"]["code"] == "too_many"
        assert await socket_status(server) == 429
        await client.post(f"{POLLING}&sid={sids[0]}", content=b"1")
        assert (await client.get(POLLING)).status_code == 200


# -- behind a proxy


@pytest.mark.parametrize("believed", [True, False])
async def test_a_forwarded_address_is_believed_of_trusted_proxies_only(data_dir: Path, believed: bool) -> None:
    """Limits count by `X-Forwarded-For` where the proxy is trusted; elsewhere, inventing addresses is no use."""
    proxies = ("127.0.0.1",) if believed else ()
    async with running_server(data_dir, trusted_proxies=proxies, max_requests_per_s=1) as server:
        statuses: list[int] = []
        async with asking(server) as client:
            for number in range(12):
                answer = await client.get("/api/cache", headers={"X-Forwarded-For": f"10.0.0.{number}"})
                statuses.append(answer.status_code)
        assert (statuses == [200] * 12) is believed


async def test_a_caller_behind_a_trusted_proxy_has_its_own_address(data_dir: Path) -> None:
    """Socket.IO's clients too: the last address that no trusted proxy has, whatever stands before it."""
    addresses: list[str] = []
    async with running_server(data_dir, trusted_proxies=("127.0.0.1", "10.0.0.0/8")) as server:
        admit: Any = server.app.sockets._clients
        for forwarded in ("203.0.113.5", "6.6.6.6, 203.0.113.6, 10.0.0.7"):
            url = server.url.replace("http", "ws") + PATH
            async with connect(url, additional_headers={"X-Forwarded-For": forwarded}) as socket:
                await socket.recv()
                await socket.send("40")
                await socket.recv()
                addresses += [client.caller.address for client in admit.values()]
    assert addresses == ["203.0.113.5", "203.0.113.6"]


# -- told in time


async def test_a_request_that_does_not_come_whole_is_told_so(data_dir: Path) -> None:
    """Half a head, or half a body, gets 408 with a code before its connection ends."""
    async with running_server(data_dir, request_timeout_s=0.3) as server:
        for half in (
            b"GET /healthz HTTP/1.1\r\nHost: loc",
            b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        ):
            reader, writer = await asyncio.open_connection(*server.place)
            writer.write(half)
            answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
            writer.close()
            await writer.wait_closed()
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 "), answer
            assert json.loads(body)["error"]["code"] == "too_slow"


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/api/health"])
async def test_a_mistake_of_ours_is_told_without_its_reason(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """A crash of any part is a 500 in the shape of its door; the log has the reason, the answer has not."""

    async def crash(*_: Any) -> None:
        raise RuntimeError("the reason")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(gated(crash, Settings()))) as client:
        answer = await client.get(f"http://localhost{path}")
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert error["code"] == "internal"
    assert ("type" in error) is path.startswith("/v1/")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "the reason" not in answer.text
    assert "the reason" in caplog.text
