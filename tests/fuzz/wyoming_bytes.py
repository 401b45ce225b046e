"""Garbage for the Wyoming door: random bytes, spoilt frames, events out of order, clients that leave at any moment."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

from wyoming.client import AsyncTcpClient
from wyoming.ping import Ping, Pong

PATIENCE_S = 60.0
"""Far more than anything takes."""
AT_ONCE = 4
TYPES = ("describe", "ping", "select-program", "synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop")
OTHER_TYPES = ("audio-chunk", "transcribe", "", "synthesize\u0000", "nonsense")
TEXTS = (
    "Hello.",
    "",
    " ",
    "***",
    "\ud800",
    "Grüß Gott. 你好。 🙂",
    "<speak>No.</speak>",
    "a" * 500,
    "One. Two. Three.",
)
VALUES: tuple[Any, ...] = (None, True, -1, 1e308, 10**40, "", "text", [], {}, [[[]]], {"name": 1}, float("nan"))


async def throw(host: str, port: int, rng: random.Random, count: int) -> None:
    """Throw `count` connections of garbage at the door, a few at a time.

    Raises AssertionError when it does not answer a well-behaved client afterwards, or leaves a connection hanging.
    """
    for start in range(0, count, AT_ONCE):
        await asyncio.gather(*(_connection(host, port, rng) for _ in range(min(AT_ONCE, count - start))))
    async with asyncio.timeout(PATIENCE_S), AsyncTcpClient(host, port) as client:
        await client.write_event(Ping("still there?").event())
        event = await client.read_event()
    assert event is not None
    assert Pong.from_event(event).text == "still there?"


def garbage(rng: random.Random) -> bytes:
    """What one connection sends."""
    make = rng.choice((_noise, _spoilt, _spoilt, _events, _lies, _nested))
    return make(rng)


async def _connection(host: str, port: int, rng: random.Random) -> None:
    content, leaves = garbage(rng), rng.choice(("at once", "half", "half"))
    with suppress(ConnectionError):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            await _write(writer, content, rng)
            if leaves == "half":
                writer.write_eof()
                async with asyncio.timeout(PATIENCE_S):
                    while await reader.read(65_536):
                        pass
        except TimeoutError:
            raise AssertionError("the door did not close a connection whose client has left") from None
        finally:
            writer.transport.abort()


async def _write(writer: asyncio.StreamWriter, content: bytes, rng: random.Random) -> None:
    """In pieces that fall anywhere."""
    while content:
        size = rng.choice((1, 7, 100, len(content)))
        writer.write(content[:size])
        content = content[size:]
        await writer.drain()


def _noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(1, 2000)) + rng.choice((b"", b"\n"))


def _spoilt(rng: random.Random) -> bytes:
    """Good frames with some bytes changed, taken away or sent twice."""
    content = bytearray(_events(rng))
    for _ in range(rng.randrange(1, 8)):
        at, length = rng.randrange(len(content)), rng.randrange(20)
        there = content[at : at + length]
        content[at : at + length] = rng.choice((b"", there + there, rng.randbytes(length), bytes(reversed(there))))
        content = content or bytearray(b"{")
    return bytes(content)


def _events(rng: random.Random) -> bytes:
    return b"".join(_event(rng) for _ in range(rng.randrange(1, 12)))


def _event(rng: random.Random) -> bytes:
    kind = rng.choice(TYPES if rng.random() < 0.9 else OTHER_TYPES)
    data: dict[str, Any] = {"text": rng.choice(TEXTS), "name": rng.choice(TEXTS)}
    if rng.random() < 0.3:
        data["voice"] = {rng.choice(("name", "language", "speaker")): rng.choice((*TEXTS, "en", "tone"))}
    if rng.random() < 0.2:
        data[rng.choice(("text", "voice", "text_format", "context", "name"))] = rng.choice(VALUES)
    if rng.random() < 0.2:
        return _line({"type": kind, "data": data})
    content = json.dumps(data).encode()
    payload = rng.randbytes(rng.choice((0, 0, 0, 30)))
    return _line({"type": kind, "data_length": len(content), "payload_length": len(payload)}) + content + payload


def _lies(rng: random.Random) -> bytes:
    """Lengths that are not true, or not lengths."""
    lengths = {name: rng.choice((*VALUES, 10**9, 2**63, 5)) for name in ("data_length", "payload_length")}
    return _line({"type": rng.choice(TYPES), **lengths}) + rng.randbytes(rng.randrange(200))


def _nested(rng: random.Random) -> bytes:
    depth = rng.choice((10, 1000, 50_000))
    return b'{"type": "synthesize", "data": {"text": ' + b"[" * depth + rng.choice((b"", b"]" * depth + b"}}")) + b"\n"


def _line(header: dict[str, Any]) -> bytes:
    return json.dumps(header).encode() + b"\n"
