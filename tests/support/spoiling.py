"""What can go wrong with an answer over HTTP, and how it is sent that way. Used through `tests.support.faults`."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import httpx

Body = Callable[[bytes], bytes]
"""Makes what is sent from what the server answered."""
Hold = asyncio.Event | Literal["forever"]
"""Waits until the test sets the event; `forever`: until the client leaves."""
Headers = Sequence[tuple[str, str]]

CONNECTION_HEADERS = ("connection", "keep-alive", "content-length", "transfer-encoding")
"""They belong to one connection and are written anew for the next."""


class Drip:
    """Lets a body through in pieces of `size` bytes, as many as the test allows."""

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self._allowed = asyncio.Semaphore(0)
        self._open = False

    def let(self, pieces: int = 1) -> None:
        for _ in range(pieces):
            self._allowed.release()

    def open(self) -> None:
        """Everything else may go."""
        self._open = True
        self._allowed.release()

    async def turn(self) -> None:
        if not self._open:
            await self._allowed.acquire()


class Swap:
    """Two requests with the same one get each other's body, as from a server that mixes its listeners up."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._both = asyncio.Event()

    async def trade(self, body: bytes) -> bytes:
        mine = len(self._bodies)
        self._bodies.append(body)
        if mine:
            self._both.set()
        await self._both.wait()
        return self._bodies[1 - mine]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request; nothing, as it stands. Fields in the order in which they bite."""

    before_headers: Hold | None = None
    """Before the server is asked."""
    status: int | None = None
    """Answered in the server's place, with a few words of JSON."""
    body: Body | None = None
    """Another body in the place of the server's; the server's is taken whole first."""
    swap: Swap | None = None
    content_type: str | None = None
    declared: int = 0
    """Added to the Content-Length; a chunked answer gets one. Above 0 the body is too short for it. The answer says
    that the connection ends with it: else what is too much would spoil the next one, sooner or later."""
    before_body: Hold | None = None
    """After the headers have left."""
    drip: Drip | None = None
    hang_after: int | None = None
    """Body bytes; then nothing more comes, and the connection stays open."""
    cut_after: int | None = None
    """Body bytes; then the connection ends. An answer that ends with its connection only gets shorter."""


# -- bodies, and faults by name


def garbage(body: bytes) -> bytes:
    """Noise of the same length, the same every time."""
    return random.Random(len(body)).randbytes(len(body))  # noqa: S311 - not for secrets


def silent(body: bytes) -> bytes:
    """The same WAV with every sample 0; a body without a header is taken for bare samples."""
    start = _chunk(body, b"data")
    return body[:start] + bytes(len(body) - start)


def at_rate(rate_hz: int) -> Body:
    """The same WAV, with another rate in its header."""

    def lie(body: bytes) -> bytes:
        place = _chunk(body, b"fmt ") + 4
        return body[:place] + struct.pack("<I", rate_hz) + body[place + 4 :]

    return lie


def _chunk(wav: bytes, name: bytes) -> int:
    """Where a chunk's content begins; 0 for what is no WAV."""
    place = 12
    while wav.startswith(b"RIFF") and place + 8 <= len(wav):
        if wav[place : place + 4] == name:
            return place + 8
        place += 8 + int.from_bytes(wav[place + 4 : place + 8], "little") + (wav[place + 4] & 1)
    return 0


GARBAGE = Fault(body=garbage)
EMPTY = Fault(body=lambda _: b"")
SILENCE = Fault(body=silent)
PAGE = Fault(body=lambda _: b"<!doctype html><title>It works</title><h1>It works</h1>", content_type="text/html")
HANGS = Fault(before_headers="forever")


# -- the answer


@dataclass(slots=True)
class Answer:
    """An answer on its way."""

    status: int
    reason: str
    headers: Headers
    pieces: AsyncIterator[bytes]
    length: int | None
    """Content-Length, where there is one."""
    chunked: bool = False


def passed_on(response: httpx.Response, note: Callable[[bytes], None]) -> Answer:
    """What the server says; `note` takes its body once that was whole."""
    length = response.headers.get("content-length")
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in CONNECTION_HEADERS]
    return Answer(
        response.status_code,
        response.reason_phrase,
        headers,
        _noted(response, note),
        None if length is None else int(length),
        chunked=response.headers.get("transfer-encoding", "").lower() == "chunked",
    )


async def _noted(response: httpx.Response, note: Callable[[bytes], None]) -> AsyncIterator[bytes]:
    pieces = []
    async for piece in response.aiter_raw():
        pieces.append(piece)
        yield piece
    note(b"".join(pieces))


def in_its_place(status: int) -> Answer:
    """Said by nobody but us."""
    body = b'{"detail": "as the test wants it"}'
    return Answer(status, "Broken", [("content-type", "application/json")], _one(body), len(body))


async def spoilt(answer: Answer, fault: Fault) -> Answer:
    """`answer` with the body, type and length that `fault` gives it."""
    if fault.body is not None or fault.swap is not None:
        whole = b"".join([piece async for piece in answer.pieces])
        whole = whole if fault.swap is None else await fault.swap.trade(whole)
        whole = whole if fault.body is None else fault.body(whole)
        answer = replace(answer, pieces=_one(whole), length=None if answer.length is None else len(whole))
    if fault.content_type is not None:
        kept = [(name, value) for name, value in answer.headers if name != "content-type"]
        answer = replace(answer, headers=[*kept, ("content-type", fault.content_type)])
    if fault.declared:
        if answer.length is None:
            whole = b"".join([piece async for piece in answer.pieces])
            answer = replace(answer, pieces=_one(whole), length=len(whole), chunked=False)
        length = max(0, (answer.length or 0) + fault.declared)
        answer = replace(answer, length=length, headers=[*answer.headers, ("connection", "close")])
    return answer


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def send(answer: Answer, fault: Fault, writer: asyncio.StreamWriter) -> bool:
    """True when the answer is whole and its end can be told without the connection's."""
    writer.write(_head(answer))
    await writer.drain()
    await held(fault.before_body)
    async for piece in _dripped(_ending(answer.pieces, fault), fault.drip):
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.chunked else piece)
        await writer.drain()
    if fault.cut_after is not None:
        return False
    if answer.chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return answer.chunked or (answer.length is not None and not fault.declared)


def _head(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.headers)]
    if answer.length is not None:
        lines.append(f"content-length: {answer.length}")
    elif answer.chunked:
        lines.append("transfer-encoding: chunked")
    else:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _ending(pieces: AsyncIterator[bytes], fault: Fault) -> AsyncIterator[bytes]:
    """The body up to where it hangs or is cut."""
    ends = [place for place in (fault.hang_after, fault.cut_after) if place is not None]
    left = min(ends, default=None)
    while left != 0 and (piece := await anext(pieces, None)) is not None:
        piece = piece[:left]
        left = None if left is None else left - len(piece)
        yield piece
    if fault.hang_after is not None and fault.hang_after in ends and fault.hang_after == min(ends):
        await held("forever")


async def _dripped(pieces: AsyncIterator[bytes], drip: Drip | None) -> AsyncIterator[bytes]:
    async for piece in pieces:
        size = len(piece) if drip is None else drip.size
        for start in range(0, len(piece), size):
            if drip is not None:
                await drip.turn()
            yield piece[start : start + size]


async def held(hold: Hold | None) -> None:
    """Returns when the test lets it."""
    if hold == "forever":
        hold = asyncio.Event()
    if hold is not None:
        await hold.wait()
