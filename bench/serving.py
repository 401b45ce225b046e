"""A real server in a process of its own, and a client that notes when each event came."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import socketio

from bench.figures import Arrival
from bench.machine import cpu_s
from bench.uncached import UNCACHED_ENVIRONMENT

Visitor = TypeVar("Visitor")
START_LIMIT_S = 60.0
ANSWER_LIMIT_S = 180.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that said it is ready. Times by `time.perf_counter`."""

    url: str
    pid: int
    started_s: float
    ready_s: float
    cpu_s: float | None
    """That the process had used when it was ready."""


@asynccontextmanager
async def serving(
    data_dir: Path, settings: Mapping[str, str] | None = None, command: Sequence[str | Path] | None = None
) -> AsyncIterator[Serving]:
    """`unavoce serve` with its defaults but for `settings` (environment variables), on a free port; or `command`, which
    serves likewise. Raises RuntimeError when it does not start, or stop, well."""
    started_s = perf_counter()
    command = command or [Path(sys.executable).with_name("unavoce"), "serve"]
    environment = {**_environment(data_dir), **(settings or {})}
    process = await asyncio.create_subprocess_exec(*command, cwd=data_dir, env=environment, stdout=PIPE)
    try:
        url = await _ready_at(process)
        yield Serving(url, process.pid, started_s, perf_counter(), cpu_s(process.pid))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        code = await process.wait()
    if code != 0:
        raise RuntimeError(f"the server ended with exit code {code}")


def _environment(data_dir: Path) -> dict[str, str]:
    """Whoever runs the benchmark may have settings of their own; the figures are those of the defaults, uncached."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNAVOCE_")}
    chosen = {"UNAVOCE_PORT": "0", "UNAVOCE_DATA_DIR": str(data_dir), "UNAVOCE_LOG_LEVEL": "warning"}
    return {**inherited, **UNCACHED_ENVIRONMENT, **chosen}


async def _ready_at(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(START_LIMIT_S):
        line = (await process.stdout.readline()).decode()
    found = re.search(r"http://\S+", line)
    if found is None:
        raise RuntimeError(f"the server did not start; it said {line!r}")
    return found[0]


@dataclass(frozen=True, slots=True)
class Came:
    """An event, and when it came (`time.perf_counter`)."""

    at_s: float
    name: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as its client saw it."""

    sent_s: float
    events: Sequence[Came]

    def after_s(self, name: str) -> float:
        """From sending the message to the first event of that name. Raises LookupError when there was none."""
        return self.first(name).at_s - self.sent_s

    def first(self, name: str) -> Came:
        """The first event of that name. Raises LookupError when there was none."""
        return self._all(name)[0]

    @property
    def arrivals(self) -> list[Arrival]:
        """Raises LookupError when no sound came."""
        self.first("chat:audio_chunk")
        return self.arrivals_so_far

    @property
    def arrivals_so_far(self) -> list[Arrival]:
        """None where no sound came."""
        chunks = [one for one in self.events if one.name == "chat:audio_chunk"]
        return [Arrival(one.at_s, one.payload["durationMs"] / 1000) for one in chunks]

    @property
    def token_times_s(self) -> list[float]:
        return [one.at_s for one in self._all("chat:token")]

    @property
    def timings_s(self) -> dict[str, float | None]:
        """The server's own, in seconds."""
        timings: dict[str, float | None] = self.first("chat:done").payload["timings"]
        return {name: None if value is None else value / 1000 for name, value in timings.items()}

    def _all(self, name: str) -> list[Came]:
        found = [event for event in self.events if event.name == name]
        if not found:
            raise LookupError(f"no {name} came; {self._error()}")
        return found

    def _error(self) -> str:
        errors = [event.payload["code"] for event in self.events if event.name == "chat:error"]
        return f"the server said {', '.join(errors)}" if errors else "the server gave no reason"


class Guest:
    """A connected client that asks one thing at a time, each in a conversation of its own."""

    def __init__(self, client: socketio.AsyncClient) -> None:
        self._client = client
        self._events: list[Came] = []
        self._done = asyncio.Event()
        self._text_done = asyncio.Event()
        client.on("*", self._note)

    async def ask(self, message: str, *, speak: bool = True, only_text: bool = False) -> Answer:
        """Send `message` and take the whole reply; `only_text` stops it when its text is complete."""
        self._begin()
        sent_s = perf_counter()
        acknowledged = await self._call("chat:send", {"message": message, "speak": speak})
        if only_text:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await self._text_done.wait()
            await self._call("chat:abort", {name: acknowledged[name] for name in ("sessionId", "replyId")})
        return await self._answer(sent_s)

    async def dictate(self, text: str, **manner: Any) -> Answer:
        """Have `text` spoken, all of it given at once; the answer's clock starts with the end of the text.

        `manner`: more fields of `speak:start`.
        """
        begun = await self._call("speak:start", manner)
        self._begin()
        await self._call("speak:text", {"replyId": begun["replyId"], "text": text})
        sent_s = perf_counter()
        await self._call("speak:end", {"replyId": begun["replyId"]})
        return await self._answer(sent_s)

    def _begin(self) -> None:
        self._events = []
        self._done.clear()
        self._text_done.clear()

    async def _answer(self, sent_s: float) -> Answer:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            await self._done.wait()
        return Answer(sent_s, self._events)

    async def _call(self, name: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        acknowledged: Mapping[str, Any] = await self._client.call(name, payload)
        if not acknowledged["ok"]:
            raise RuntimeError(f"the server refused {name}: {acknowledged['error']['message']}")
        return acknowledged

    async def _note(self, name: str, payload: dict[str, Any]) -> None:
        self._events.append(Came(perf_counter(), name, payload))
        if name == "chat:text_done":
            self._text_done.set()
        if name == "chat:done":
            self._done.set()


@asynccontextmanager
async def visiting(url: str, visitor: Callable[[socketio.AsyncClient], Visitor]) -> AsyncIterator[Visitor]:
    """A connection to a server; what `visitor` makes of the client is there before it connects, and misses nothing."""
    client = socketio.AsyncClient(reconnection=False)
    made = visitor(client)
    await client.connect(url, transports=["websocket"])
    try:
        yield made
    finally:
        await client.disconnect()
