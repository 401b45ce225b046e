"""The server's composition root: builds every part, runs them, and takes them down in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import socketio
import uvicorn

from unavoce.chat.chat import Chat, Limits, SoundSettings
from unavoce.composition import build_stage
from unavoce.cores import Cores
from unavoce.errors import EngineUnavailable, ModelError, StartError
from unavoce.llm.base import LanguageModel
from unavoce.llm.factory import create_model
from unavoce.narration.renditions import RENDITIONS_SHARE
from unavoce.narration.stage import Stage
from unavoce.narration.warming import Warmer
from unavoce.server.auth import Keys
from unavoce.server.cache_figures import CacheFigures
from unavoce.server.frames import FrameGuard
from unavoce.server.health import Health
from unavoce.server.http import Pages
from unavoce.server.sockets import MAX_PACKET_BYTES, Sockets
from unavoce.settings import Settings
from unavoce.web.site import Site

log = logging.getLogger(__name__)

STOP_S = 5.0
"""How long clients are given to take the end of their replies when the server stops."""


@dataclass(frozen=True, slots=True)
class App:
    asgi: Any
    chat: Chat
    sockets: Sockets


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Every part of the server, running, but for the listening socket. Raises SettingsError or StartError."""
    cores = Cores()
    try:
        stage = await asyncio.to_thread(build_stage, settings, cores)
    except EngineUnavailable as error:
        raise StartError(str(error)) from error
    model = create_model(settings.llm, cores)
    site = await asyncio.to_thread(_site)
    async with asyncio.TaskGroup() as tasks, stage, _chat(stage, model, settings) as chat:
        starting = tasks.create_task(_start(model))
        warming = tasks.create_task(_warmer(stage, settings).run())
        keys = Keys(key.get_secret_value() for key in settings.api_keys)
        pages = Pages(site, Health(stage, model, chat), CacheFigures(stage.cache), chat, keys)
        sockets = Sockets(
            chat,
            keys,
            tasks,
            lambda: stage.chain.statuses,
            list(settings.cors_origins),
        )
        stage.chain.watch(sockets.announce)
        try:
            yield App(FrameGuard(socketio.ASGIApp(sockets.server, pages.app())), chat, sockets)
        finally:
            await sockets.close()
            starting.cancel()
            warming.cancel()
            await model.close()


async def serve(settings: Settings) -> None:
    """Run the server until SIGINT or SIGTERM; prints one line with its address when it accepts connections.

    Raises SettingsError or StartError when it cannot start here.
    """
    _prepare(settings.data_dir)
    with _listen(settings.host, settings.port) as listening:
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
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Every reply ends properly, and every client is told, before the connections are closed."""
        self._app.chat.abort_all()
        await self._app.sockets.drain(STOP_S)
        await super().shutdown(sockets)


def _chat(stage: Stage, model: LanguageModel, settings: Settings) -> Chat:
    return Chat(
        stage,
        model,
        sound=SoundSettings(
            rate_hz=settings.sample_rate_hz,
            format="opus" if settings.opus_enabled else "wav",
            opus_bitrate=settings.opus_bitrate,
            rendition_bytes=settings.cache_memory_bytes // RENDITIONS_SHARE,
            max_parallel=settings.tts_max_parallel,
            voice_switch=settings.voice_switch,
            primary_timeout_s=settings.primary_timeout_s,
            hedge=settings.hedge,
            pace_check=settings.pace_check,
        ),
        limits=Limits(
            message_chars=settings.max_message_chars,
            reply_chars=settings.max_reply_chars,
            replies=settings.max_replies,
            replies_per_session=settings.max_replies_per_session,
        ),
        grace_s=settings.reconnect_grace_s,
    )


def _warmer(stage: Stage, settings: Settings) -> Warmer:
    return Warmer(stage, settings.prewarm_phrases, delay_s=settings.prewarm_delay_s, frequent=settings.prewarm_frequent)


def _site() -> Site:
    site = Site.load()
    if site.missing:
        # Not the end: whoever opens the page is told the same, and the voice still works.
        log.warning("page_incomplete", extra={"missing": ", ".join(site.missing)})
    return site


async def _start(model: LanguageModel) -> None:
    try:
        await model.start()
    except ModelError as error:
        # Not the end: whoever sends a message is told the same, and the voice still works.
        log.warning("model_unavailable", extra={"code": error.code, "reason": error.message})


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


def _listen(host: str, port: int) -> socket.socket:
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
