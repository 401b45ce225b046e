"""The server's composition root: builds every part, runs them, and takes them down in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import socketio

from unavoce.chat.chat import Chat, Limits
from unavoce.composition import build_stage, sound_settings
from unavoce.cores import Cores
from unavoce.errors import EngineUnavailable, ModelError, StartError
from unavoce.llm.base import LanguageModel
from unavoce.llm.factory import create_model
from unavoce.narration.stage import Stage
from unavoce.narration.warming import Warmer
from unavoce.server.api import Api
from unavoce.server.auth import Keys
from unavoce.server.cache_figures import CacheFigures
from unavoce.server.frames import FrameGuard
from unavoce.server.health import Health
from unavoce.server.http import Guard, web_app
from unavoce.server.sockets import Sockets
from unavoce.server.wyoming import wyoming_door
from unavoce.settings import Settings
from unavoce.web.site import Site

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    asgi: Any
    chat: Chat
    sockets: Sockets
    wyoming: str
    """Address of the Wyoming door; empty where it is off."""


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
        api = Api(Health(stage, model, chat), CacheFigures(stage.cache), chat)
        http = web_app([*site.routes(), *api.routes(Guard(keys))])
        sockets = Sockets(
            chat,
            keys,
            tasks,
            lambda: stage.chain.statuses,
            list(settings.cors_origins),
        )
        stage.chain.watch(sockets.announce)
        try:
            async with wyoming_door(settings, chat, stage.chain) as wyoming:
                yield App(FrameGuard(socketio.ASGIApp(sockets.server, http)), chat, sockets, wyoming)
        finally:
            await sockets.close()
            starting.cancel()
            warming.cancel()
            await model.close()


def _chat(stage: Stage, model: LanguageModel, settings: Settings) -> Chat:
    return Chat(
        stage,
        model,
        sound=sound_settings(settings),
        limits=Limits(
            message_chars=settings.max_message_chars,
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
