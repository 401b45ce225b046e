"""The chain: the engines in order, primary first, with each one's health, and the voices they offer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from unavoce.chain.health import Breaker, Measured, Pace
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError, EngineUnavailable, RequestError, UnavoceError

log = logging.getLogger(__name__)

Health = Literal["healthy", "slow", "down"]
LATE_S = 2.0
"""An engine given up sooner after it got its slot was not late: we were."""
MIN_SPEED, MAX_SPEED = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class EngineStatus:
    engine: str
    status: Health
    reason: str
    since: float
    """Unix time of the last change, seconds."""


class Chain:
    """Starts the engines, knows how each is, and finds the voices a reply may be spoken in.

    `pace_check`: pass over an engine that is too slow to hold the pace, as long as another can.
    """

    def __init__(self, engines: Sequence[Engine], *, pace_check: bool = True) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._pace_check = pace_check
        self._start_errors: dict[str, str | None] = {}
        self._started = {engine.name: asyncio.Event() for engine in engines}
        self._breakers = {engine.name: Breaker() for engine in engines}
        self._paces = {engine.name: Pace() for engine in engines}
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

    # -- voices

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
                return _at_speed(voice, speed)
        known = ", ".join(voice.name for voice in self.voices()[:20])
        raise RequestError("unknown_voice", f"voice {name!r} is not one of those here: {known}")

    def voices_for(self, wanted: Voice, speed: float = 1.0) -> tuple[Voice, ...]:
        """Who may speak a reply, in order: `wanted`, then the other engines' default voices at `speed`.

        Engines that are down are left out, and those too slow to hold the pace, as long as another is left.
        """
        others = [engine for engine in self.engines if engine.name != wanted.engine and engine.voices()]
        voices = [wanted, *(_at_speed(engine.voices()[0], speed) for engine in others)]
        up = [voice for voice in voices if not self.is_down(voice.engine)] or voices
        steady = [voice for voice in up if self._holds_pace(voice.engine)] or up
        return tuple(steady if self._pace_check else up)

    # -- health

    def is_down(self, name: str) -> bool:
        """It could not start, or its breaker is open. One that is still loading is not down: it is waited for."""
        return self._started[name].is_set() and self._statuses[name].status == "down"

    def start_s(self, name: str) -> float:
        """Expected seconds from a slot's grant to the engine's first sound."""
        return self._paces[name].start_s

    async def start(self, engine: Engine) -> bool:
        """Start `engine`; a failure is its status, not an exception. True when it can speak."""
        error: str | None = None
        try:
            await engine.start()
        except UnavoceError as problem:
            error = str(problem)
        except Exception as problem:
            log.exception("engine_start_crashed", extra={"engine": engine.name})
            error = f"{type(problem).__name__} while starting: {problem}"
        self._start_errors[engine.name] = error
        self._mark(engine.name, "healthy" if error is None else "down", error or "ready")
        self._started[engine.name].set()
        return error is None

    async def ready(self, name: str) -> Engine:
        """The engine, once it has started. Raises EngineUnavailable when it could not."""
        await self._started[name].wait()
        if (error := self._start_errors[name]) is not None:
            raise EngineUnavailable(error)
        return self._engines[name]

    def sound_s(self, name: str, characters: int) -> float:
        """Expected seconds of the engine's sound for a text of that length."""
        return self._paces[name].sound_s(characters)

    def spoke(self, name: str, clip: Measured) -> None:
        """The engine made a whole clip."""
        self._breakers[name].spoke()
        self._paces[name].measured(clip)
        if self._holds_pace(name):
            self._mark(name, "healthy", "ready")
        else:
            self._mark(name, "slow", "it makes sound more slowly than it is heard")

    def failed(self, name: str, error: EngineError) -> None:
        """The engine did not speak a sentence it was asked for."""
        breaker = self._breakers[name]
        breaker.failed(error)
        if breaker.reason is not None:
            self._mark(name, "down", breaker.reason)

    def late(self, name: str, granted_at_s: float | None, now_s: float) -> None:
        """A reply gave up waiting for the engine's first sound. Counts from the grant of its slot, loop time."""
        if granted_at_s is not None and now_s - granted_at_s >= LATE_S:
            self.failed(name, EngineError(f"no sound within {now_s - granted_at_s:.1f} s"))

    def _holds_pace(self, name: str) -> bool:
        return self._paces[name].keeps_up(self._engines[name].max_concurrency)

    def _mark(self, name: str, health: Health, reason: str) -> None:
        """Note how an engine is; a change is logged once and told to the watchers."""
        before = self._statuses[name]
        if before.status == health and (health == "down" or before.reason == reason) and before.reason != "loading":
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


def _at_speed(voice: Voice, speed: float) -> Voice:
    return voice if speed == 1.0 else replace(voice, speed=voice.speed * speed)


def _status(name: str, health: Health, reason: str) -> EngineStatus:
    return EngineStatus(name, health, reason, time.time())
