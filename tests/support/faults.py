"""A proxy between an HTTP speech engine and a real speech server, with faults that a test sets while it runs.

    async with FaultProxy(server_url) as proxy:   # proxy.url is what the engine is given
        proxy.next(Fault(cut_after=1000))         # the next request; those behind it go through
        proxy.always(SILENCE, path="/synthesize") # every other one to that path, until `heal`
        await proxy.refuse()                      # nobody listens; `await proxy.listen()` is on the same port again

It speaks HTTP/1.1 with kept connections, passes bodies on as they come, and keeps the server's way of ending them
(length, chunks, or the connection's end). Nothing here is paced by a clock: what waits, waits for an `asyncio.Event`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx
from tests.support.spoiling import (
    CONNECTION_HEADERS,
    EMPTY,
    GARBAGE,
    HANGS,
    PAGE,
    SILENCE,
    Answer,
    Drip,
    Fault,
    Headers,
    Swap,
    at_rate,
    held,
    in_its_place,
    passed_on,
    send,
    spoilt,
)

__all__ = ["EMPTY", "GARBAGE", "HANGS", "PAGE", "SILENCE", "Drip", "Fault", "FaultProxy", "Request", "Swap", "at_rate"]


@dataclass(slots=True, eq=False)
class Request:
    """One request as it came, and what became of it."""

    method: str
    target: str
    """Path and query."""
    headers: Headers
    body: bytes
    fault: Fault = field(default_factory=Fault)
    answer: bytes | None = None
    """The server's body, once it was whole."""
    client_left: bool = False
    """The client went before the answer had ended."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, answer: bytes) -> None:
        self.answer = answer

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)


class FaultProxy:
    """An async context manager; owns its socket, its connections and its client, and leaves nothing behind.

    `requests` are all that came, in order. A mistake of the proxy itself is raised where the block ends.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url.rstrip("/")
        self._next: list[tuple[str, Fault]] = []
        self._always: list[tuple[str, Fault]] = []
        self._tasks = asyncio.TaskGroup()
        self._connections: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        # Bound and never listening: the port stays ours while nobody listens.
        self._held = _bound(0)
        self._port: int = self._held.getsockname()[1]
        self._news = asyncio.Event()
        # Hanging is what this is for; and certificates take long to load and are not needed.
        self._client = httpx.AsyncClient(timeout=None, verify=False, trust_env=False)  # noqa: S113, S501
        self._client.headers.clear()
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def running(self) -> int:
        """Requests whose answer has not ended."""
        return sum(not request.ended.is_set() for request in self.requests)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        self._held.close()
        try:
            # Not given the caller's error: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self._client.aclose()

    # -- what a test does

    def next(self, *faults: Fault, path: str = "/") -> None:
        """One fault for each of the next requests whose path begins with `path`."""
        self._next += [(path, fault) for fault in faults]

    def always(self, fault: Fault, path: str = "/") -> None:
        """For every request to `path` for which no `next` is left; the latest call counts."""
        self._always.insert(0, (path, fault))

    def heal(self) -> None:
        """No fault any more, for requests to come."""
        self._next.clear()
        self._always.clear()

    async def refuse(self) -> None:
        """As when the server is killed: open connections end where they are, new ones are refused."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
            await asyncio.sleep(0)  # so that the sockets are really closed

    async def listen(self) -> None:
        """Take connections (again)."""
        if self._listening is None:
            self._listening = await asyncio.start_server(self._connected, sock=_bound(self._port))

    async def asked(self, count: int = 1) -> Request:
        """Request number `count` (from 1), as soon as it has come."""
        while len(self.requests) < count:
            self._news.clear()
            await self._news.wait()
        return self.requests[count - 1]

    # -- a connection

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self._tasks.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                request.fault = self._fault_of(request)
                self.requests.append(request)
                self._news.set()
                if not await self._exchange(request, reader, writer):
                    break
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass  # the client is gone
        finally:
            writer.transport.abort()

    def _fault_of(self, request: Request) -> Fault:
        for place, (path, fault) in enumerate(self._next):
            if request.path.startswith(path):
                del self._next[place]
                return fault
        return next((fault for path, fault in self._always if request.path.startswith(path)), Fault())

    async def _exchange(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request, unless its client leaves before; True when the connection may be used again."""
        answering = asyncio.create_task(self._answer(request, writer))
        leaving = asyncio.create_task(_gone(reader))
        try:
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            request.client_left = not answering.done()
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.wait([answering, leaving])
            request.ended.set()
        return not answering.cancelled() and answering.result()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """True when the answer is whole and its end can be told without the connection's."""
        fault = request.fault
        await held(fault.before_headers)
        try:
            async with self._asked(request) as answer:
                return await send(answer, fault, writer)
        except httpx.HTTPError:
            return False  # the server broke off, or is not there: so do we

    @asynccontextmanager
    async def _asked(self, request: Request) -> AsyncIterator[Answer]:
        """The answer to pass on: the server's, or one in its place."""
        if request.fault.status is not None:
            yield in_its_place(request.fault.status)
            return
        headers = [(name, value) for name, value in request.headers if name not in CONNECTION_HEADERS]
        url = self._server_url + request.target
        asked = self._client.build_request(request.method, url, headers=headers, content=request.body)
        response = await self._client.send(asked, stream=True)
        try:
            yield await spoilt(passed_on(response, request.note), request.fault)
        finally:
            await response.aclose()


# -- reading a request


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None where it ended in between, or in the middle of one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        fields = [line.partition(":") for line in lines]
        request = Request(method, target, [(name.lower(), value.strip()) for name, _, value in fields], b"")
        request.body = await _read_body(reader, request)
    except asyncio.IncompleteReadError:
        return None
    return request


async def _read_body(reader: asyncio.StreamReader, request: Request) -> bytes:
    if request.header("transfer-encoding") is None:
        return await reader.readexactly(int(request.header("content-length") or 0))
    chunks = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(chunks)


async def _gone(reader: asyncio.StreamReader) -> None:
    """Returns when the client is gone: none sends a second request before the first is answered."""
    with suppress(ConnectionError):
        await reader.read(1)


def _bound(port: int) -> socket.socket:
    """A socket bound to a port, a free one for 0, that several may hold."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    bound.setblocking(False)
    return bound
