"""Listening: the port, the line that says "ready", signals, and the end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from unavoce.errors import StartError
from unavoce.server.app import App, open_app
from unavoce.server.sockets import MAX_PACKET_BYTES
from unavoce.settings import Settings

STOP_S = 5.0
"""How long clients are given to take the end of their replies when the server stops."""


async def serve(settings: Settings) -> None:
    """Run the server until SIGINT or SIGTERM; prints one line with its address when it accepts connections.

    Raises SettingsError or StartError when it cannot start here.
    """
    _prepare(settings.data_dir)
    with listen(settings.host, settings.port) as listening:
        async with open_app(settings) as app:
            config = uvicorn.Config(
                app.asgi,
                lifespan="off",
                log_config=None,
                access_log=False,
                ws_max_size=MAX_PACKET_BYTES,
                # Speech as PCM hardly shrinks, and shrinking it would hold up every other reply.
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=int(STOP_S),
            )
            server = _Server(config, app, _address(settings.host, listening))
            _survive_second_hand_signals()
            await server.serve(sockets=[listening])


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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Every reply ends properly, and every client is told, before the connections are closed."""
        self._app.chat.abort_all()
        await self._app.sockets.drain(STOP_S)
        await super().shutdown(sockets)


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
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"


def _survive_second_hand_signals() -> None:
    """uvicorn raises the signal that stopped it once more when it is done; a clean stop must not die of it."""
    ignore: Callable[[], None] = lambda: None  # noqa: E731 - a name says why
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ignore)
