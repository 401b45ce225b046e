"""Clients that cost a server a connection and give nothing for it: slow, silent, half gone, or deaf.

`throw` is for long runs beside other attacks; each kind is a coroutine of its own for tests. A kind ends when the
server has had enough, and not before: whoever calls it sets a limit of time.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

PACE_S = 0.02
"""Between two bytes of a slow client: far less than any server's patience, so that it is never idle."""
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: localhost\r\n"
EMPTY_FRAGMENT = bytes([0x00, 0x80, 0, 0, 0, 0])
"""A continuation frame without an end and without a byte (RFC 6455, 5.4)."""
PING = bytes([0x89, 0x80 | 125, 0, 0, 0, 0]) + b"p" * 125


@dataclass(slots=True)
class Line:
    """One connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    rng: random.Random

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ended(self) -> None:
        """Read until the server ends it."""
        while await self.reader.read(65_536):
            pass

    async def drip(self, data: Callable[[], bytes]) -> None:
        """A little at a time until the server ends it; what it says meanwhile is heard and not heeded."""
        hearing = asyncio.create_task(self.ended())
        try:
            while not hearing.done():
                await self.say(data())
                await asyncio.wait([hearing], timeout=PACE_S)
            await hearing
        finally:
            hearing.cancel()
            await asyncio.wait([hearing])

    async def heard(self, text: bytes) -> bytes:
        """All that comes until `text` has come. Raises ConnectionError when it does not."""
        seen = b""
        while text not in seen:
            piece = await self.reader.read(4096)
            if not piece:
                raise ConnectionResetError("ended before it said what was waited for")
            seen += piece
        return seen

    def be_deaf(self) -> None:
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]


Kind = Callable[[Line], Awaitable[None]]


async def silent(line: Line) -> None:
    """Connects and says nothing."""
    await line.ended()


async def half_a_head(line: Line) -> None:
    """Begins a request and says no more."""
    await line.say(HEAD[: line.rng.randrange(1, len(HEAD))])
    await line.ended()


async def slow_head(line: Line) -> None:
    """Slowloris: header after header, a byte at a time, and never the empty line."""
    await line.say(HEAD)
    letters = b"X-a: b\r\n"
    places = iter(range(1_000_000))
    await line.drip(lambda: letters[(place := next(places) % len(letters)) : place + 1])


async def slow_body(line: Line) -> None:
    """Announces a body and sends it a byte at a time."""
    await line.say(POST + b"Content-Length: 100000\r\n\r\n")
    await line.drip(lambda: b"x")


async def no_body(line: Line) -> None:
    """Announces a body and sends none of it."""
    await line.say(POST + b"Content-Length: 1000\r\n\r\n")
    await line.ended()


async def endless_chunks(line: Line) -> None:
    """A chunked body that never ends, in chunks of one byte."""
    await line.say(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    await line.drip(lambda: b"1\r\nx\r\n")


async def slow_second_request(line: Line) -> None:
    """A proper request, and on the same connection one that never comes whole."""
    await line.say(HEAD + b"\r\n")
    await line.heard(b"\r\n\r\n")
    await line.drip(lambda: b"G")


async def half_closed(line: Line) -> None:
    """Begins a request, says that nothing more will come, and stays."""
    await line.say(HEAD)
    line.writer.write_eof()
    await line.ended()


async def deaf(line: Line) -> None:
    """Asks for file after file and takes none."""
    line.be_deaf()
    while True:
        await line.say((b"GET /vendor/marked.esm.js HTTP/1.1\r\nHost: localhost\r\n\r\n") * 20)


async def deaf_to_speech(line: Line) -> None:
    """Asks for many minutes of sound and takes none."""
    body = b'{"model":"tts-1","voice":"alloy","response_format":"pcm","input":"%b"}' % (b"Good evening, sir. " * 1_000)
    head = b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    line.be_deaf()
    await line.say(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    while True:  # more of it, so that the end is noticed without reading
        await line.say(HEAD + b"\r\n")
        await asyncio.sleep(PACE_S)


async def upgrade(line: Line) -> None:
    key = base64.b64encode(line.rng.randbytes(16))
    await line.say(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: " + key + b"\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await line.heard(b"pingInterval")


async def silent_socket(line: Line) -> None:
    """A WebSocket that never says who it is."""
    await upgrade(line)
    await line.ended()


async def chatty_stranger(line: Line) -> None:
    """A WebSocket that never says who it is, and keeps up the rest of the protocol."""
    await upgrade(line)
    await line.drip(lambda: bytes([0x81, 0x81, 0, 0, 0, 0]) + b"3")


async def silent_polling(line: Line) -> None:
    """A session over long polling that never says who it is; its connection is kept busy with polls."""
    request = b"GET /socket.io/?EIO=4&transport=polling%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    await line.say(request % b"")
    answer = await line.heard(b"maxPayload")
    sid = answer.partition(b'"sid":"')[2][:20]
    await line.say((request % (b"&sid=" + sid)).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    await line.ended()


async def empty_fragments(line: Line) -> None:
    """A WebSocket message of frames that hold nothing, for ever."""
    await upgrade(line)
    await line.say(bytes([0x01, 0x80, 0, 0, 0, 0]))
    while True:
        await line.say(EMPTY_FRAGMENT * 100)


async def slow_message(line: Line) -> None:
    """A WebSocket message in frames of one byte that never ends."""
    await upgrade(line)
    await line.say(bytes([0x01, 0x81, 0, 0, 0, 0]) + b"4")
    await line.drip(lambda: bytes([0x00, 0x81, 0, 0, 0, 0]) + b"x")


async def deaf_pings(line: Line) -> None:
    """WebSocket pings without end from one who takes no pong."""
    await upgrade(line)
    line.be_deaf()
    while True:
        await line.say(PING * 100)


KINDS: tuple[Kind, ...] = (
    *(silent, half_a_head, slow_head, slow_body, no_body, endless_chunks, slow_second_request, half_closed),
    *(deaf, deaf_to_speech, silent_socket, chatty_stranger, silent_polling, empty_fragments, slow_message, deaf_pings),
)


async def throw(host: str, port: int, rng: random.Random, count: int) -> None:
    """`count` such clients at once, of kinds that `rng` chooses; returns when the server has ended every one."""
    await asyncio.gather(*(one(host, port, rng.choice(KINDS), seeded(rng.random())) for _ in range(count)))


def seeded(seed: float) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same bytes at every run


async def one(host: str, port: int, kind: Kind, rng: random.Random) -> None:
    """One client of this kind, until the server ends it."""
    with contextlib.suppress(ConnectionError):
        async with line_to(host, port, rng) as line:
            await kind(line)


@asynccontextmanager
async def line_to(host: str, port: int, rng: random.Random) -> AsyncIterator[Line]:
    # A small window, so that little is under way to one who does not read.
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except BaseException:
        sock.close()
        raise
    reader, writer = await asyncio.open_connection(sock=sock)
    try:
        yield Line(reader, writer, rng)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
