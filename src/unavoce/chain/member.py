"""One engine in the chain: whether it has started, how it is, how fast, and what it has done."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from unavoce.chain.effort import Effort
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
    """`slots`: calls at a time that one reply can make of it. `remembered`: its voices when it last started, perhaps in
    another process; empty where nothing is known.
    """

    def __init__(self, engine: Engine, slots: int, remembered: Sequence[Voice] = ()) -> None:
        self.engine = engine
        self.slots = slots
        self.pace = Pace()
        self.effort = Effort()
        self.tally = Tally()
        self.status = EngineStatus(engine.name, "down", LOADING, time.time())
        self.started = asyncio.Event()
        """It has tried to start, well or badly."""
        self._breaker = Breaker()
        self._start_error: str | None = None
        self._has_started = False
        self._remembered = tuple(remembered)
        self._had = {voice.at_rest for voice in remembered}
        """Every voice it is known to have had after some start, at speed 1."""

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
        if error is None:
            self._has_started = True
            self._had.update(voice.at_rest for voice in self.engine.voices())
        self._mark("healthy" if error is None else "down", error or "ready")
        self.started.set()

    async def ready(self) -> Engine:
        """The engine, once it has started. Raises EngineUnavailable when it could not."""
        await self.started.wait()
        if self._start_error is not None:
            raise EngineUnavailable(self._start_error)
        return self.engine

    @property
    def voices(self) -> Sequence[Voice]:
        """What it says itself; those remembered only when it has tried to start in this process, and never could.

        Not while it loads: its model may be another by now, and a reply begun in the old voice would have to change.
        """
        if self._remembered and self.never_started:
            return self._remembered
        return self.engine.voices()

    @property
    def never_started(self) -> bool:
        """It has tried to start in this process, and never could."""
        return self.started.is_set() and not self._has_started

    def offers(self, voice: Voice) -> bool:
        """Whether the engine itself says that it has exactly this voice now, at whatever speed."""
        return any(replace(one, speed=voice.speed) == voice for one in self.engine.voices())

    def has_lost(self, voice: Voice) -> bool:
        """Whether it had `voice` after an earlier start, and speaks with another model now.

        What it called its voices before it had started is never lost: such a reply has been heard in no voice yet.
        """
        return bool(voice.model) and self._has_started and voice.at_rest in self._had and not self.offers(voice)

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
        self.effort.add(clip.sound_s, clip.synthesis_s, clip.work_s or clip.synthesis_s)
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
