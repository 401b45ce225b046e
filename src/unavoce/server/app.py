"""The server's composition root: builds every part, runs them, and takes them down in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import socketio
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat, Limits
from unavoce.composition import build_stage, cores_for, sound_settings
from unavoce.cores import Cores
from unavoce.errors import EngineUnavailable, ModelError, StartError
from unavoce.llm.base import LanguageModel
from unavoce.llm.factory import create_model
from unavoce.narration.encoder import Encoder
from unavoce.narration.stage import Stage
from unavoce.narration.warming import Warmer
from unavoce.server.api import Api
from unavoce.server.auth import Keys
from unavoce.server.cache_figures import CacheFigures
from unavoce.server.health import Health
from unavoce.server.history import history_max_age, open_archive, say_what_is_left
from unavoce.server.http import Guard, web_app
from unavoce.server.limits.gate import gated
from unavoce.server.limits.transports import Quotas
from unavoce.server.limits.web import connection_places
from unavoce.server.metrics import Metrics
from unavoce.server.openapi.door import Document
from unavoce.server.refusals import Refusals
from unavoce.server.sockets.door import Sockets
from unavoce.server.sockets.frames import FrameGuard
from unavoce.server.speech.door import SpeechDoor
from unavoce.server.stopping import Stopping
from unavoce.server.wyoming import wyoming_door
from unavoce.settings import Settings
from unavoce.web.site import Site

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    asgi: ASGIApp
    """Every door over HTTP, behind the gate."""
    http: Starlette
    """The routes behind it, Socket.IO's apart."""
    chat: Chat
    sockets: Sockets
    stopping: Stopping
    wyoming: str
    """Address of the Wyoming door; empty where it is off."""


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Every part of the server, running, but for the listening socket. Raises SettingsError or StartError."""
    cores = cores_for(settings, model_here=True)
    stage = await asyncio.to_thread(_stage, settings, cores)
    model = create_model(settings.llm, cores)
    site = await asyncio.to_thread(_site)
    await asyncio.to_thread(say_what_is_left, settings)
    async with asyncio.TaskGroup() as tasks, stage, _chat(stage, model, settings, cores) as chat:
        works = (_start(model), _warmer(stage, settings).run(), Encoder(sound_settings(settings).format).load())
        beside = [tasks.create_task(work) for work in works]
        parts = _parts(settings, cores, stage, model, chat)
        http = web_app([*site.routes(), *_routes(parts, site)])
        sockets = _sockets(parts, tasks)
        app = sockets.transports.guarding(FrameGuard(socketio.ASGIApp(sockets.server, http)))
        behind_the_gate = parts.refusals.counting(gated(app, settings))
        stopping = Stopping(chat, sockets, settings.stop_timeout_s)
        try:
            async with wyoming_door(settings, chat, stage.chain, parts.metrics, parts.refusals) as wyoming:
                yield App(behind_the_gate, http, chat, sockets, stopping, wyoming)
        finally:
            await sockets.close()
            for task in beside:
                task.cancel()
            await model.close()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the doors are made of."""

    settings: Settings
    chain: Chain
    chat: Chat
    keys: Keys
    health: Health
    figures: CacheFigures
    refusals: Refusals
    metrics: Metrics


def _parts(settings: Settings, cores: Cores, stage: Stage, model: LanguageModel, chat: Chat) -> _Parts:
    keys = Keys(key.get_secret_value() for key in settings.api_keys)
    figures, refusals = CacheFigures(stage.cache), Refusals()
    metrics = Metrics(stage, chat, figures, refusals)
    return _Parts(settings, stage.chain, chat, keys, Health(stage, model, chat, cores), figures, refusals, metrics)


def _routes(parts: _Parts, site: Site) -> list[BaseRoute]:
    """What is answered over plain HTTP, but for the page."""
    guard = Guard(parts.keys)
    return [
        *Document(asks_for_key=bool(parts.settings.api_keys), assets=f"assets/{site.digest}").routes(guard),
        *Api(parts.health, parts.figures, parts.chat).routes(guard),
        *parts.metrics.routes(guard),
        *SpeechDoor(parts.chain, parts.chat).routes(guard),
    ]


def _sockets(parts: _Parts, tasks: asyncio.TaskGroup) -> Sockets:
    """The door of Socket.IO."""
    settings, chain = parts.settings, parts.chain
    quotas = Quotas(connection_places(settings), settings.max_events_per_s, settings.handshake_timeout_s)
    note = parts.refusals.note
    sockets = Sockets(parts.chat, parts.keys, tasks, lambda: chain.statuses, note=note, quotas=quotas)
    chain.watch(sockets.announce)
    parts.metrics.count_connections("socketio", lambda: sockets.connections)
    return sockets


def _stage(settings: Settings, cores: Cores) -> Stage:
    try:
        return build_stage(settings, cores)
    except EngineUnavailable as error:
        raise StartError(str(error)) from error


def _chat(stage: Stage, model: LanguageModel, settings: Settings, cores: Cores) -> Chat:
    return Chat(
        stage,
        model,
        sound=sound_settings(settings),
        limits=Limits(
            message_chars=settings.max_message_chars,
            replies=settings.max_replies,
            replies_per_session=settings.max_replies_per_session,
            replies_per_caller=settings.max_replies_per_caller,
            max_load=settings.max_load,
            cores=cores.count,
        ),
        grace_s=settings.reconnect_grace_s,
        log_text=settings.log_text,
        archive=open_archive(settings),
        max_age=history_max_age(settings),
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
