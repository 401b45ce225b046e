"""The stage: what all replies share. Engine slots go to the sentence whose listener runs dry first, and a clip that
many want at once is synthesised once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from unavoce.chain.chain import Chain
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError
from unavoce.narration.levels import Levels
from unavoce.narration.synthesis import Claim, Key, Synthesis

log = logging.getLogger(__name__)

SYNTHESIS_LIMIT_S = 60.0
"""Counted from the grant of a slot: an engine that takes longer over one sentence has hung."""

REHEARSAL = (
    "Good evening. Everything is ready, and I am listening. "
    "The kettle is on, the lights are low, and dinner will be served at eight."
)
"""Spoken once by each engine's default voice at the start: warms the engine and measures the voice's loudness."""


class Stage:
    """Owns every running synthesis of the process. An async context manager; one per process.

    `rehearse`: speak a fixed text with every engine as it starts, to warm it and to measure its loudness.
    """

    def __init__(self, chain: Chain, *, rehearse: bool = True) -> None:
        self.chain = chain
        self.levels = Levels()
        self._rehearse = rehearse
        self._tasks = asyncio.TaskGroup()
        self._starting: list[asyncio.Task[None]] = []
        self._wanted: dict[Key, Synthesis] = {}
        self._waiting: dict[str, list[Synthesis]] = {engine.name: [] for engine in chain.engines}
        self._running: dict[str, int] = {engine.name: 0 for engine in chain.engines}

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._starting = [self._tasks.create_task(self._start(engine)) for engine in self.chain.engines]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for synthesis in tuple(self._wanted.values()):
            for claim in tuple(synthesis.claims):
                claim.withdraw()
        for task in self._starting:
            task.cancel()
        try:
            # Not given the caller's error: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self.chain.close()

    def claim(self, voice: Voice, spoken: str, due_s: float, when_done: Callable[[], None]) -> Claim:
        """Ask for the clip of `spoken` in `voice`, wanted by `due_s` (loop time).

        `when_done` is called when the synthesis has ended, well or badly.
        """
        synthesis = self._wanted.get((voice, spoken))
        if synthesis is None or synthesis.error is not None:
            synthesis = self._wanted[voice, spoken] = Synthesis(voice, spoken)
            self._waiting[voice.engine].append(synthesis)
        claim = Claim(synthesis, due_s, when_done, self._withdraw)
        synthesis.claims.append(claim)
        self._grant(voice.engine)
        return claim

    @property
    def idle(self) -> bool:
        """No clip is wanted and no slot is in use."""
        return not self._wanted and not any(self._running.values())

    def _grant(self, name: str) -> None:
        waiting = self._waiting[name]
        while waiting and self._running[name] < self.chain.engine(name).max_concurrency:
            synthesis = min(waiting, key=lambda one: one.due_s)
            waiting.remove(synthesis)
            self._running[name] += 1
            synthesis.task = self._tasks.create_task(self._run(synthesis))
            # Also when the task is cancelled before it ever ran.
            synthesis.task.add_done_callback(partial(self._release, name))

    def _release(self, name: str, _: asyncio.Task[None]) -> None:
        self._running[name] -= 1
        self._grant(name)

    async def _run(self, synthesis: Synthesis) -> None:
        name = synthesis.voice.engine
        try:
            engine = await self.chain.ready(name)
            async with asyncio.timeout(SYNTHESIS_LIMIT_S):
                await engine.synthesise(synthesis.spoken, synthesis.voice, synthesis.emit)
        except TimeoutError:
            synthesis.finish(EngineError(f"engine {name} gave no whole clip within {SYNTHESIS_LIMIT_S:g} s"))
        except EngineError as error:
            synthesis.finish(error)
        except Exception as error:
            log.exception("engine_crashed", extra={"engine": name})
            synthesis.finish(EngineError(f"engine {name} crashed: {type(error).__name__}"))
        else:
            synthesis.finish(None)

    def _withdraw(self, claim: Claim) -> None:
        synthesis = claim.synthesis
        if claim not in synthesis.claims:
            return
        synthesis.claims.remove(claim)
        if synthesis.claims:
            return
        if self._wanted.get(synthesis.key) is synthesis:
            del self._wanted[synthesis.key]
        if synthesis.task is not None:
            synthesis.task.cancel()
        else:
            self._waiting[synthesis.voice.engine].remove(synthesis)

    async def _start(self, engine: Engine) -> None:
        if not await self.chain.start(engine) or not self._rehearse or not engine.voices():
            return
        voice = engine.voices()[0]
        # Last in line: a listener never waits for a rehearsal.
        claim = self.claim(voice, REHEARSAL, due_s=float("inf"), when_done=lambda: None)
        try:
            async for _ in claim.parts():
                pass
            self.levels.learn(voice, claim.synthesis.clip())
        except EngineError as error:
            log.warning("rehearsal_failed", extra={"engine": engine.name, "reason": str(error)})
        finally:
            claim.withdraw()
