"""The chain: the engines in order, primary first, with each one's health, and the voices they offer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError, EngineUnavailable, RequestError, UnavoceError

log = logging.getLogger(__name__)

Health = Literal["healthy", "slow", "down"]
MIN_SPEED, MAX_SPEED = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class EngineStatus:
    engine: str
    status: Health
    reason: str
    since: float
    """Unix time of the last change, seconds."""


class Chain:
    """Starts the engines, knows how each is, and finds the voice a caller names."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._started = {engine.name: asyncio.Event() for engine in engines}
        self._statuses = {name: _status(name, "down", "loading") for name in self._engines}
        self._watchers: list[Callable[[EngineStatus], None]] = []

    @property
    def engines(self) -> tuple[Engine, ...]:
        return tuple(self._engines.values())

    @property
    def statuses(self) -> tuple[EngineStatus, ...]:
        return tuple(self._statuses.values())

    def engine(self, name: str) -> Engine:
        return self._engines[name]

    def watch(self, watcher: Callable[[EngineStatus], None]) -> None:
        """`watcher` is called at every change of an engine's status."""
        self._watchers.append(watcher)

    def voices(self) -> list[Voice]:
        """Every voice of every engine; the first is the default."""
        return [voice for engine in self.engines for voice in engine.voices()]

    def find_voice(self, name: str | None, speed: float = 1.0) -> Voice:
        """The voice called `name` (`VOICE`, `ENGINE` or `ENGINE/VOICE`), the default one for None, at `speed`.

        Raises RequestError `unknown_voice` or `invalid`.
        """
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise RequestError("invalid", f"speed {speed:g}: expected {MIN_SPEED:g} to {MAX_SPEED:g}")
        for voice in self.voices():
            if name is None or name in (voice.name, voice.engine, f"{voice.engine}/{voice.name}"):
                return voice if speed == 1.0 else replace(voice, speed=voice.speed * speed)
        known = ", ".join(voice.name for voice in self.voices()[:20])
        raise RequestError("unknown_voice", f"voice {name!r} is not one of those here: {known}")

    async def start(self, engine: Engine) -> bool:
        """Start `engine`; a failure is its status, not an exception. True when it can speak."""
        try:
            await engine.start()
        except UnavoceError as error:
            self.mark(engine.name, "down", str(error))
        except Exception as error:
            log.exception("engine_start_crashed", extra={"engine": engine.name})
            self.mark(engine.name, "down", f"{type(error).__name__} while starting: {error}")
        else:
            self.mark(engine.name, "healthy", "ready")
        self._started[engine.name].set()
        return self._statuses[engine.name].status == "healthy"

    async def ready(self, name: str) -> Engine:
        """The engine, once it has started. Raises EngineUnavailable when it could not."""
        await self._started[name].wait()
        status = self._statuses[name]
        if status.status == "down":
            raise EngineUnavailable(status.reason)
        return self._engines[name]

    def mark(self, name: str, health: Health, reason: str) -> None:
        """Note how an engine is; a change is logged once and told to the watchers."""
        if (self._statuses[name].status, self._statuses[name].reason) == (health, reason):
            return
        status = self._statuses[name] = _status(name, health, reason)
        level = logging.INFO if health == "healthy" else logging.WARNING
        log.log(level, "engine_status", extra={"engine": name, "status": health, "reason": reason})
        for watcher in self._watchers:
            watcher(status)

    async def close(self) -> None:
        for engine in self.engines:
            try:
                await engine.close()
            except EngineError:
                log.exception("engine_close_failed", extra={"engine": engine.name})


def _status(name: str, health: Health, reason: str) -> EngineStatus:
    return EngineStatus(name, health, reason, time.time())
