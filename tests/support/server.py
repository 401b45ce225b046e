"""Real servers for tests: one in this process, over tones and a scripted model, and one as its own process, with the
real voice and the real model. And a wire between client and server that can be cut or can fall silent."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.support.web import Web

from unavoce.cache.cache import Cache
from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import ModelError
from unavoce.llm.base import LanguageModel, Message
from unavoce.narration.stage import Stage
from unavoce.server.app import App, open_app
from unavoce.server.limits.web import web_config
from unavoce.server.serving import listen
from unavoce.settings import Settings

RATE_HZ = 8_000
PATIENCE_S = 60.0
"""How long a test waits for what must come before it fails; far more than anything takes."""

Answer = Sequence[str | asyncio.Event | Exception]
"""What the model does, step by step: says a piece, waits for an event, breaks off."""


class ScriptedModel(LanguageModel):
    """Answers each message as scripted, any other with `otherwise`. `asked` holds what it was shown."""

    name = "scripted"

    def __init__(self, answers: dict[str, Answer] | None = None, otherwise: Answer = ("Very good, sir.",)) -> None:
        self.answers = answers or {}
        self.otherwise = otherwise
        self.asked: list[list[Message]] = []
        self.open = 0

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        self.asked.append(list(messages))
        self.open += 1
        try:
            for step in self.answers.get(messages[-1].text, self.otherwise):
                # As a real one, it never says two pieces in the same turn of the loop.
                await asyncio.sleep(0)
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.open -= 1


def broken_off(code: str = "model_broken") -> ModelError:
    return ModelError(code, "as scripted")


def quick_engine(**options: Any) -> FakeEngine:
    """Tones at once: no delay, little sound per character, and the same samples for the same text every time."""
    return FakeEngine(
        FakeOptions(**{"rate_hz": RATE_HZ, "s_per_char": 0.03, "delay_s": 0, "real_time_factor": 0, **options})
    )


@dataclass(slots=True)
class Server:
    """A running server in this process."""

    url: str
    app: App
    engine: FakeEngine
    model: ScriptedModel
    chain: Chain
    web: Web

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        return _place(self.url)


@asynccontextmanager
async def running_server(
    data_dir: Path,
    *,
    engine: FakeEngine | None = None,
    fallback: FakeEngine | None = None,
    model: ScriptedModel | None = None,
    cache: Cache | None = None,
    **settings: Any,
) -> AsyncIterator[Server]:
    """The whole server but for the engines, the model and the cache, on a free port; stopped when the block ends."""
    engine, model = engine or quick_engine(), model or ScriptedModel()
    chain = Chain([engine, *([fallback] if fallback else [])])
    made = Settings(**{"data_dir": data_dir, "sample_rate_hz": RATE_HZ, **settings})
    with (
        patch("unavoce.server.app.build_stage", lambda *_: Stage(chain, cache=cache)),
        patch("unavoce.server.app.create_model", lambda *_: model),
        listen("127.0.0.1", 0) as listening,
    ):
        async with open_app(made) as app:
            config = web_config(app.asgi, made)
            config.timeout_graceful_shutdown = 1
            web = Web(config)
            serving = asyncio.create_task(web.serve(sockets=[listening]))
            await web.ready.wait()
            try:
                yield Server(f"http://127.0.0.1:{listening.getsockname()[1]}", app, engine, model, chain, web)
            finally:
                app.chat.abort_all()
                await app.sockets.drain(PATIENCE_S)
                web.stop()
                await serving


# -- the wire


@dataclass(slots=True)
class Wire:
    """A TCP proxy in front of a server. New connections can be made through it at any time."""

    url: str
    far_url: str
    """Where new connections lead; may be changed, as when a server comes back."""
    _frozen: bool = False
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _pipes: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self) -> None:
        """Every connection is reset; both ends see it."""
        for pipe in self._pipes:
            pipe.transport.abort()
        self._pipes.clear()

    def freeze(self) -> None:
        """Nothing passes any more and nobody is told, as when a phone leaves the network."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    """A wire to the server at `url`."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*_place(wire.far_url))
        except ConnectionError:
            writer.transport.abort()
            return
        wire._pipes.extend([writer, far_writer])
        for task in (wire.pump(reader, far_writer), wire.pump(far_reader, writer)):
            started = asyncio.create_task(task)
            wire._tasks.add(started)
            started.add_done_callback(wire._tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    wire = Wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", url)
    wire.thaw()
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        wire.thaw()
        if wire._tasks:
            await asyncio.wait(set(wire._tasks), timeout=PATIENCE_S)


def _place(url: str) -> tuple[str, int]:
    host, port = re.fullmatch(r"http://(.+):(\d+)", url).groups()  # type: ignore[union-attr]
    return host, int(port)


# -- the server as a process of its own, as people run it


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an `unavoce serve` with the packaged voice and the packaged language model, and without a cache:
    what is heard is spoken then."""
    uncached = {"UNAVOCE_CACHE_MEMORY_BYTES": "0", "UNAVOCE_CACHE_MAX_BYTES": "0", "UNAVOCE_PREWARM_PHRASES": ""}
    with serving_process(tmp_path_factory.mktemp("served"), **uncached) as address:
        yield address


@contextmanager
def serving_process(data_dir: Path, **environ: str) -> Iterator[str]:
    """The address of an `unavoce serve` that keeps its things in `data_dir`; in the end it is told to stop, and does.

    Its log is `log.txt` there.
    """
    with killable_process(data_dir, **environ) as (address, process):
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0, (data_dir / "log.txt").read_text()


@contextmanager
def killable_process(data_dir: Path, **environ: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same, with its process; in the end it is killed where it still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNAVOCE_")}
    command = [str(Path(sys.executable).with_name("unavoce")), "serve", "--port", "0"]
    with (data_dir / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**environment, "UNAVOCE_DATA_DIR": str(data_dir), "UNAVOCE_LOG_FORMAT": "human", **environ},
        )
        try:
            yield _printed_address(process, Path(log.name)), process
        finally:
            process.kill()
            process.communicate()


def _printed_address(process: subprocess.Popen[bytes], log: Path) -> str:
    lines: queue.Queue[bytes] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda out=process.stdout: lines.put(out.readline()), daemon=True).start()
    line = lines.get(timeout=PATIENCE_S).decode()
    found = re.search(r"http://\S+", line)
    assert found, f"no address in {line!r}; {log.read_text()}"
    return found.group()
