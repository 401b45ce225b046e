"""Listening: the port, the line that says "ready", signals, and the end."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from unavoce.errors import StartError
from unavoce.server import exposure, supervisor
from unavoce.server.app import App, open_app
from unavoce.server.limits.addresses import place
from unavoce.server.limits.web import web_config
from unavoce.settings import Settings


async def serve(settings: Settings) -> None:
    """Run the server until SIGINT or SIGTERM; prints one line with its address when it accepts connections.

    Raises SettingsError or StartError when it cannot start here.
    """
    _prepare(settings.data_dir)
    exposure.warn(settings)
    with listen(settings.host, settings.port) as listening:
        async with open_app(settings) as app:
            config = web_config(app.asgi, settings)
            await _Server(config, app, _address(settings.host, listening)).serve(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: App, address: str) -> None:
        super().__init__(config)
        self._app = app
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"unavoce is ready at {self._address} (Ctrl-C stops it)\n")
        if self._app.wyoming:
            sys.stdout.write(f"Wyoming clients (Home Assistant) are served at {self._app.wyoming}\n")
        sys.stdout.flush()
        supervisor.tell("READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Every reply ends, and every client is told, before the port and the connections are closed."""
        await self._app.stopping.replies_ended()
        self.config.timeout_graceful_shutdown = math.ceil(self._app.stopping.left_s)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Until the loop is closed: a signal that comes while the last parts are taken down must not kill them."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)
        yield

    def _signalled(self) -> None:
        if not self.should_exit:
            supervisor.tell("STOPPING=1")
        self.force_exit = self.should_exit
        self.should_exit = True
        self._app.stopping.told()


def _prepare(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        probe = data_dir / f".writable-{os.getpid()}"
        probe.write_bytes(b"unavoce")
        probe.unlink()
    except OSError as error:
        reason = error.strerror or error
        message = f"data directory {data_dir} cannot be written ({reason}); set UNAVOCE_DATA_DIR to one that can"
        raise StartError(message) from error


def listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with ExitStack() as undo:
            # The protocol by name: without it asyncio leaves Nagle's algorithm on, and a small chunk waits up to 40 ms.
            listening = undo.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            undo.pop_all()
    except OSError as error:
        reason = error.strerror or error
        message = f"cannot listen at {host}:{port} ({reason}); stop what is there, or choose another with --port"
        raise StartError(message) from error
    return listening


def _address(host: str, listening: socket.socket) -> str:
    return f"http://{place(host, listening.getsockname()[1])}"
