"""One engine in the chain: whether it has started, how it is, how fast, and what it has done."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Literal

from unavoce.chain.health import Breaker, Measured, Pace
from unavoce.chain.tally import Tally, kind_of
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError, EngineUnavailable, UnavoceError

log = logging.getLogger(__name__)

Health = Literal["healthy", "slow", "down"]
LOADING = "loading"
"""The reason of an engine that has not started yet."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    engine: str
    status: Health
    reason: str
    since: float
    """Unix time of the last change, seconds."""


class Member:
    """`slots`: calls at a time that one reply can make of it."""

    def __init__(self, engine: Engine, slots: int) -> None:
        self.engine = engine
        self.slots = slots
        self.pace = Pace()
        self.tally = Tally()
        self.status = EngineStatus(engine.name, "down", LOADING, time.time())
        self.started = asyncio.Event()
        """It has tried to start, well or badly."""
        self._breaker = Breaker()
        self._start_error: str | None = None

    async def start(self) -> None:
        """Start the engine; a failure is its status, not an exception."""
        error: str | None = None
        try:
            await self.engine.start()
        except UnavoceError as problem:
            error = str(problem)
        except Exception as problem:
            log.exception("engine_start_crashed", extra={"engine": self.engine.name})
            error = f"{type(problem).__name__} while starting: {problem}"
        self._start_error = error
        self._mark("healthy" if error is None else "down", error or "ready")
        self.started.set()

    async def ready(self) -> Engine:
        """The engine, once it has started. Raises EngineUnavailable when it could not."""
        await self.started.wait()
        if self._start_error is not None:
            raise EngineUnavailable(self._start_error)
        return self.engine

    @property
    def is_down(self) -> bool:
        """It could not start, or its breaker is open. One that is still loading is not down: it is waited for."""
        return self.started.is_set() and self.status.status == "down"

    @property
    def holds_pace(self) -> bool:
        return self.pace.keeps_up(self.slots)

    @property
    def cost(self) -> float:
        """Of all characters asked for, at the engine's price."""
        return self.tally.characters * self.engine.cost_per_million_characters / 1_000_000

    def spoke(self, voice: Voice, clip: Measured) -> None:
        """It made a whole clip."""
        self._breaker.spoke()
        self.pace.measured(voice.name, voice.speed, clip)
        self.tally.clips += 1
        self.tally.sound_s += clip.sound_s
        self.tally.synthesis_s += clip.synthesis_s
        if self.holds_pace:
            self._mark("healthy", "ready")
        else:
            self._mark("slow", "it makes sound more slowly than it is heard")

    def failed(self, error: EngineError, kind: str = "") -> None:
        """It did not speak a sentence it was asked for."""
        self.tally.failures[kind or kind_of(error)] += 1
        self._breaker.failed(error)
        if self._breaker.reason is not None:
            self._mark("down", self._breaker.reason)

    def _mark(self, health: Health, reason: str) -> None:
        """Note how it is. A change is counted and logged once; its time is that of the change."""
        before = self.status
        if before.status == health and before.reason != LOADING:
            if health == "down":
                self.status = EngineStatus(before.engine, health, reason, before.since)
            return
        self.status = EngineStatus(before.engine, health, reason, time.time())
        self.tally.changes[health] += 1
        level = logging.INFO if health == "healthy" else logging.WARNING
        log.log(level, "engine_status", extra={"engine": before.engine, "status": health, "reason": reason})
