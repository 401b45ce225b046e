"""The proxy that breaks HTTP speech servers for other tests: each fault does what it says, and nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import numpy as np
import pytest
from tests.support.faults import (
    EMPTY,
    GARBAGE,
    HANGS,
    PAGE,
    SILENCE,
    Drip,
    Fault,
    FaultProxy,
    Swap,
    at_rate,
)

from unavoce.audio.wav import wav_bytes

RATE_HZ = 24_000
WAV = wav_bytes((8000 * np.sin(np.arange(2400) / 5)).astype(np.int16), RATE_HZ)
PATIENCE_S = 30.0


@dataclass
class Speech:
    """A speech server as small as can be: `/length`, `/chunks` and `/close` end their body in three ways."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    """`/late` stops in the middle until it is set."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1].partition("?")[0]
        self.asked.append(path)
        length = next((line[15:] for line in head.lower().splitlines() if line.startswith("content-length:")), "0")
        body = await reader.readexactly(int(length)) or WAV
        if path == "/length":
            self._say(writer, f"Content-Length: {len(body)}", body)
        elif path == "/close":
            self._say(writer, "X-Rate: 24000", body)
        else:
            self._say(writer, "Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (1000, WAV[:1000]))
            await writer.drain()
            if path == "/late":
                await self.go_on.wait()
            if path != "/broken":
                writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(WAV) - 1000, WAV[1000:]))
        writer.close()

    def _say(self, writer: asyncio.StreamWriter, header: str, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n{header}\r\n\r\n"
        writer.write(head.encode() + body)


@pytest.fixture
async def speech() -> AsyncIterator[Speech]:
    speech = Speech()
    server = await asyncio.start_server(speech.serve, "127.0.0.1", 0)
    speech.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield speech
    speech.go_on.set()
    server.close()


@pytest.fixture
async def proxy(speech: Speech) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(speech.url) as proxy:
        yield proxy


def plain_client(url: str = "") -> httpx.AsyncClient:
    """Without certificates, which take long to load."""
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, verify=False, trust_env=False)  # noqa: S501


@pytest.fixture
async def client(proxy: FaultProxy) -> AsyncIterator[httpx.AsyncClient]:
    async with plain_client(proxy.url) as client:
        yield client


async def fetch(client: httpx.AsyncClient, path: str = "/length") -> tuple[bytes, Exception | None]:
    """The body as far as it came, and what ended it before its end."""
    got = b""
    try:
        async with client.stream("GET", path) as response:
            async for piece in response.aiter_raw():
                got += piece
    except httpx.HTTPError as error:
        return got, error
    return got, None


ENDINGS = ("/length", "/chunks", "/close")


@pytest.mark.parametrize("path", ENDINGS)
async def test_without_a_fault_everything_passes(path: str, proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """Status, headers, body and the way it ends are the server's own, again and again."""
    for _ in range(2):
        response = await client.get(path)
        assert (response.status_code, response.content) == (200, WAV)
        assert response.headers["content-type"] == "audio/wav"
        assert ("content-length" in response.headers) == (path == "/length")
        assert ("transfer-encoding" in response.headers) == (path == "/chunks")
    await proxy.requests[1].ended.wait()
    assert [request.answer for request in proxy.requests] == [WAV, WAV]
    assert proxy.running == 0


async def test_a_request_reaches_the_server_as_it_came(proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """Method, path, query, headers and body pass, whether the body has a length or comes in chunks."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    assert (await client.post("/length?a=%20b", content=b"one two", headers={"X-Key": "k"})).content == b"one two"
    assert (await client.post("/length", content=pieces())).status_code == 200
    first, second = proxy.requests
    assert (first.method, first.target, first.path) == ("POST", "/length?a=%20b", "/length")
    assert (first.header("x-key"), first.body, second.body) == ("k", b"one two", b"one two")


async def test_a_body_passes_on_as_it_comes(speech: Speech, client: httpx.AsyncClient) -> None:
    """The first bytes are there before the server has sent the last."""
    async with client.stream("GET", "/late") as response:
        pieces = response.aiter_raw()
        assert await anext(pieces) == WAV[:1000]
        speech.go_on.set()
        assert b"".join([piece async for piece in pieces]) == WAV[1000:]


async def test_refusing_is_a_closed_port_and_the_same_one_opens_again(
    proxy: FaultProxy, client: httpx.AsyncClient
) -> None:
    """A kept connection ends, new ones are refused, and the address is good again afterwards."""
    await client.get("/length")
    await proxy.refuse()
    for _ in range(2):
        with pytest.raises(httpx.ConnectError):
            await client.get("/length")
    await proxy.listen()
    assert (await client.get("/length")).content == WAV


async def test_refusing_cuts_what_is_running(proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """An answer that is on its way ends where it is, as when the server is killed."""
    proxy.next(Fault(hang_after=100))
    async with client.stream("GET", "/length") as response:
        pieces = response.aiter_raw()
        assert await anext(pieces) == WAV[:100]
        await proxy.refuse()
        with pytest.raises(httpx.HTTPError):
            await anext(pieces)


async def test_faults_are_taken_in_order_by_path(proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """`next` counts requests to its path only, `always` takes the rest, `heal` ends both."""
    proxy.next(Fault(status=500), Fault(status=503), path="/length")
    proxy.always(Fault(status=401))
    statuses = [(await client.get(path)).status_code for path in ("/chunks", "/length", "/length", "/length")]
    assert statuses == [401, 500, 503, 401]
    proxy.next(Fault(status=500))
    proxy.heal()
    assert (await client.get("/length")).status_code == 200


async def test_a_status_is_answered_in_the_servers_place(
    speech: Speech, proxy: FaultProxy, client: httpx.AsyncClient
) -> None:
    """The server is not asked, and the connection can be used again."""
    proxy.next(Fault(status=503))
    response = await client.get("/length")
    assert (response.status_code, response.headers["content-type"]) == (503, "application/json")
    assert speech.asked == []
    assert (await client.get("/length")).content == WAV


async def test_a_delay_before_the_headers_ends_when_the_test_says_so(
    speech: Speech, proxy: FaultProxy, client: httpx.AsyncClient
) -> None:
    """Until then the server is not asked and nothing comes."""
    held = asyncio.Event()
    proxy.next(Fault(before_headers=held))
    late = asyncio.create_task(client.get("/length"))
    request = await proxy.asked()
    assert (await client.get("/length")).content == WAV  # others pass meanwhile
    assert speech.asked == ["/length"]
    assert not request.ended.is_set()
    held.set()
    assert (await late).content == WAV


async def test_a_delay_before_the_body_lets_the_headers_through(proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """Status and headers are there while the body still waits."""
    held = asyncio.Event()
    proxy.next(Fault(before_body=held))
    async with client.stream("GET", "/length") as response:
        assert response.status_code == 200
        assert proxy.running == 1
        held.set()
        assert await response.aread() == WAV


@pytest.mark.parametrize("fault", [HANGS, Fault(before_body="forever"), Fault(hang_after=64)])
async def test_a_hang_lasts_until_the_client_leaves(fault: Fault, proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """Before the headers, before the body or within it: the connection stays open, and the proxy sees who went."""
    proxy.next(fault)
    hanging = asyncio.create_task(fetch(client))
    request = await proxy.asked()
    await client.get("/length")
    assert not request.ended.is_set()
    hanging.cancel()
    await asyncio.wait_for(request.ended.wait(), PATIENCE_S)
    assert request.client_left


@pytest.mark.parametrize("path", ["/length", "/chunks"])
@pytest.mark.parametrize("count", [0, 1, 500, len(WAV)])
async def test_a_cut_leaves_the_body_unfinished(
    path: str, count: int, proxy: FaultProxy, client: httpx.AsyncClient
) -> None:
    """Exactly so many bytes come, and the client can tell that there should have been more."""
    proxy.next(Fault(cut_after=count))
    got, error = await fetch(client, path)
    assert got == WAV[:count]
    # With all of a known length sent, nothing is missing.
    assert isinstance(error, httpx.RemoteProtocolError) == (path == "/chunks" or count < len(WAV))


async def test_a_server_that_breaks_off_is_passed_on_as_it_is(proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """A chunked body without its last chunk stays one, and is not noted as whole."""
    got, error = await fetch(client, "/broken")
    assert got == WAV[:1000]
    assert isinstance(error, httpx.RemoteProtocolError)
    assert proxy.requests[0].answer is None


@pytest.mark.parametrize("path", ENDINGS)
async def test_a_drip_is_paced_by_the_test(path: str, proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """No more comes than was let through, and then all the rest."""
    drip = Drip(size=3)
    proxy.next(Fault(drip=drip))
    async with client.stream("GET", path) as response:
        pieces = response.aiter_raw()
        drip.let(2)
        got = await anext(pieces)
        while len(got) < 6:
            got += await anext(pieces)
        assert got == WAV[:6]
        assert proxy.running == 1
        drip.open()
        assert got + b"".join([piece async for piece in pieces]) == WAV


def _samples(body: bytes) -> bytes:
    return body[44:]


SPOILT: list[tuple[Fault, Callable[[bytes], bool]]] = [
    (EMPTY, lambda body: body == b""),
    (PAGE, lambda body: b"<html" in body or b"<title>" in body),
    (GARBAGE, lambda body: len(body) == len(WAV) and body[:4] != b"RIFF"),
    (SILENCE, lambda body: body[:44] == WAV[:44] and _samples(body) == bytes(len(WAV) - 44)),
    (Fault(body=at_rate(8000)), lambda body: body[24:28] == b"\x40\x1f\0\0" and _samples(body) == _samples(WAV)),
]


@pytest.mark.parametrize("path", ENDINGS)
@pytest.mark.parametrize(("fault", "as_meant"), SPOILT)
async def test_another_body_comes_as_if_all_were_well(
    path: str, fault: Fault, as_meant: Callable[[bytes], bool], proxy: FaultProxy, client: httpx.AsyncClient
) -> None:
    """Status 200 and a proper end; only the content is wrong, and what the server said is still known."""
    proxy.next(fault)
    response = await client.get(path)
    assert response.status_code == 200
    assert as_meant(response.content)
    assert response.headers["content-type"] == ("text/html" if fault is PAGE else "audio/wav")
    assert proxy.requests[0].answer == WAV
    assert (await client.get(path)).content == WAV


@pytest.mark.parametrize("path", ENDINGS)
async def test_a_length_that_promises_too_much(path: str, proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """The whole body comes, and then the connection ends before what was promised."""
    proxy.next(Fault(declared=10))
    got, error = await fetch(client, path)
    assert got == WAV
    assert isinstance(error, httpx.RemoteProtocolError)


async def test_a_length_that_promises_too_little(proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """The client takes what was promised; the rest spoils no later request."""
    proxy.next(Fault(declared=-10))
    assert (await fetch(client))[0] == WAV[:-10]
    assert (await client.get("/length")).content == WAV


async def test_two_requests_get_each_others_sound(proxy: FaultProxy, client: httpx.AsyncClient) -> None:
    """As from a server that mixes up who asked for what."""
    swap = Swap()
    proxy.next(Fault(swap=swap), Fault(swap=swap))
    answers = await asyncio.gather(*(client.post("/length", content=text) for text in (b"first", b"other one")))
    assert [answer.content for answer in answers] == [b"other one", b"first"]


async def test_leaving_the_block_ends_everything(speech: Speech) -> None:
    """Also with requests that hang: no task is left, and the port is closed."""
    before = asyncio.all_tasks()
    async with plain_client() as client:
        async with FaultProxy(speech.url) as proxy:
            proxy.always(HANGS)
            hanging = asyncio.create_task(client.get(proxy.url))
            await proxy.asked()
        with pytest.raises(httpx.HTTPError):
            await hanging
        assert proxy.running == 0
        assert asyncio.all_tasks() == before
        with pytest.raises(httpx.ConnectError):
            await client.get(proxy.url)


async def test_a_failing_test_fails_with_its_own_error(speech: Speech) -> None:
    """What a test raises comes out of the block as it is."""
    with pytest.raises(LookupError):
        async with FaultProxy(speech.url):
            raise LookupError


async def test_a_server_that_is_not_there_is_a_connection_that_ends(unused_tcp_port: int) -> None:
    """The proxy does not make up an answer."""
    async with (
        FaultProxy(f"http://127.0.0.1:{unused_tcp_port}") as proxy,
        plain_client() as client,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(proxy.url)
