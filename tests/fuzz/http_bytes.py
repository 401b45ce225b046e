"""Bytes that are no HTTP, or hardly: whatever a broken client, a scanner or a smuggler would send."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Sequence

PATIENCE_S = 60.0
"""For the server's last word; far more than it takes."""
MOST_READ = 4_000_000
"""Bytes of answers that are read from one connection."""
TARGETS = (
    *("/", "/healthz", "/api/health", "/api/cache", "/api/replies/x/trace", "/docs", "/openapi.json", "/metrics"),
    *("/v1/models", "/v1/audio/voices", "/v1/audio/speech", "/vendor/marked.esm.js", "/assets/x/page/main.js"),
    *("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket", "/socket.io", "/socket.io/x"),
    *("http://127.0.0.1/healthz", "http://evil.example/", "https://[::1", "//healthz", "*", "127.0.0.1:80", "healthz"),
    *(
        "/%",
        "/%zz",
        "/%00",
        "/%ff%fe",
        "/healthz%0d%0aX:1",
        "/healthz?" + "a=b&" * 5_000,
        "/" + "a/" * 30_000,
        "/é",
        "",
    ),
    *("/healthz#x", "/../../etc/passwd", "/api/replies/" + "x" * 70_000 + "/trace", "/api/replies/%2e%2e/trace"),
)
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PRI",
    "get",
    "G E T",
    "\x00",
    "X" * 300,
)
VERSIONS = ("HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTTP/1.", "http/1.1", "", "HTTP/1.1 x", "ICY")
HEADERS = (
    *(
        "Host: localhost",
        "Host: a\r\nHost: b",
        "Host: evil.example",
        "Host:",
        "Connection: close",
        "Connection: keep-alive, x",
    ),
    *("Authorization: Bearer", "Authorization: Basic !", "Authorization: Bearer " + "k" * 9_000, "Authorization: \xff"),
    *(
        "Accept: application/json",
        "Accept: " + "a/b;q=0.1," * 2_000,
        "Accept-Encoding: gzip;q=x, *;q=-1",
        "If-None-Match: *",
    ),
    *("Content-Type: application/json", "Content-Type: application/json; charset=utf-16", "Content-Type: \x01"),
    *(
        "Content-Encoding: gzip",
        "Expect: 100-continue",
        "Expect: the worst",
        "Range: bytes=0-1,5-,-1,x",
        "Cookie: " + "c" * 40_000,
    ),
    *(
        "Origin: https://evil.example",
        "Origin: null",
        "X-Forwarded-For: 1.2.3.4, \x7f",
        "Transfer-Encoding: gzip, chunked",
    ),
    *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13", "Upgrade: h2c"),
    f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==",
    *("no colon", ": no name", " folded", "Bad Name: x", "X: a\x00b", "X: a\rb", "X" * 3_000 + ": x", "\x7f: x"),
)
BODIES = (
    (b"", "Content-Length: 0"),
    (b"{}", "Content-Length: 2"),
    (b"{}", "Content-Length: 5"),
    (b"{}", "Content-Length: -2"),
    (b"{}", "Content-Length: 2\r\nContent-Length: 3"),
    (b"{}", "Content-Length: 99999999999999999999"),
    (b"{}", "Content-Length: 2, 2"),
    (b"{}", "Content-Length: two"),
    (b"{}", ""),
    (b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    (b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 2"),
    (b"2;" + b"x" * 20_000 + b"\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    (b"zz\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    (b"-1\r\n{}\r\n", "Transfer-Encoding: chunked"),
    (b"FFFFFFFFFFFFFFFFFFFF\r\n{}\r\n", "Transfer-Encoding: chunked"),
    (b"3\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    (b"2\r\n{}0\r\n\r\n", "Transfer-Encoding: chunked"),
    (b"0\r\nTrailer: x\r\n" + b"T: " + b"x" * 70_000 + b"\r\n\r\n", "Transfer-Encoding: chunked"),
    (b"1\r\n{\r\n1\r\n}\r\n" * 200 + b"0\r\n\r\n", "Transfer-Encoding: chunked"),
    (b"x" * 300_000, "Content-Length: 300000"),
    (b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n", "Content-Length: 3"),
)
ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


async def throw(host: str, port: int, rng: random.Random, count: int) -> None:
    """`count` connections, one after the other. Raises AssertionError where a request was answered with a 5xx that no
    document tells of."""
    for _ in range(count):
        garbage = rng.choice(KINDS)(rng)
        ending = rng.choice(("finish", "finish", "finish", "close", "reset"))
        answer = await exchanged(host, port, _parted(garbage, rng), ending)
        statuses = {int(one) for one in ANSWER.findall(answer)}
        told = {503} if b"/api/health" in garbage else set()
        assert not [one for one in statuses if one >= 500 and one not in told], f"{statuses}: {garbage[:500]!r}"


async def exchanged(host: str, port: int, parts: Sequence[bytes], ending: str = "finish") -> bytes:
    """The answer to these bytes, up to the end of the connection; empty where our side would `close` or `reset` it."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for part in parts:
                writer.write(part)
                await writer.drain()
            if ending == "reset":
                writer.transport.abort()
            if ending != "finish":
                return b""
            writer.write_eof()
            return await _all(reader)
    except TimeoutError:
        raise AssertionError(f"neither an answer nor an end: {b''.join(parts)[:500]!r}") from None
    except OSError:  # the server has had enough
        return b""
    finally:
        writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    answer = bytearray()
    while (part := await reader.read(65_536)) and len(answer) < MOST_READ:
        answer += part
    return bytes(answer)


def _parted(garbage: bytes, rng: random.Random) -> list[bytes]:
    """Cut where nobody would."""
    cuts = sorted(rng.randrange(len(garbage) + 1) for _ in range(rng.choice((0, 0, 1, 3))))
    return [garbage[start:end] for start, end in zip([0, *cuts], [*cuts, len(garbage)], strict=True)]


# -- what is sent


def request(rng: random.Random) -> bytes:
    """A request, each part of which may be what it should not."""
    method = rng.choice(METHODS) if rng.random() < 0.5 else rng.choice(("GET", "POST"))
    version = rng.choice(VERSIONS) if rng.random() < 0.3 else "HTTP/1.1"
    body, about = rng.choice(BODIES) if rng.random() < 0.5 else (b"", "")
    headers = ["Host: localhost", *rng.sample(HEADERS, rng.choice((0, 0, 1, 2, 5)))]
    lines = [f"{method} {rng.choice(TARGETS)} {version}", *headers, *([about] if about else [])]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def pipelined(rng: random.Random) -> bytes:
    """Many requests in a row, none of which waits."""
    return b"".join(proper(rng) if rng.random() < 0.9 else request(rng) for _ in range(rng.choice((2, 5, 100))))


def proper(rng: random.Random) -> bytes:
    """A request that is as it should be."""
    return f"GET {rng.choice(TARGETS[:17])} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def mutated(rng: random.Random) -> bytes:
    """A request with a few bytes changed, lost or doubled."""
    garbage = bytearray(request(rng)[:5_000])
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(garbage))
        garbage[place : place + rng.choice((0, 1, 1, 8))] = rng.choice(
            (b"", b"\r\n", b"\x00", b" ", b":", rng.randbytes(3))
        )
    return bytes(garbage)


def truncated(rng: random.Random) -> bytes:
    """A request whose end never comes."""
    whole = request(rng)
    return whole[: rng.randrange(1, len(whole))]


def crowded(rng: random.Random) -> bytes:
    """A request with very many headers, or a very long one."""
    many = "".join(f"X-{number}: {number}\r\n" for number in range(rng.choice((50, 2_000))))
    long = f"X: {'x' * rng.choice((60_000, 200_000))}\r\n"
    return f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{rng.choice((many, long))}\r\n".encode()


def noise(rng: random.Random) -> bytes:
    """Bytes, another protocol's greeting, or empty lines."""
    tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(64)
    http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + rng.randbytes(32)
    return rng.choice(
        (rng.randbytes(rng.choice((1, 50, 5_000))), tls, http2, b"\r\n" * 500, b"\n", b"SSH-2.0-x\r\n", b"\x00")
    )


KINDS: Sequence[Callable[[random.Random], bytes]] = (
    *(request, request, request, mutated, mutated),
    *(pipelined, truncated, crowded, noise),
)
