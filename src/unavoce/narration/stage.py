"""The stage: what all replies share. Engine slots go to the sentence whose listener runs dry first, and a clip that
many want at once is synthesised once."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from unavoce.audio.pcm import Pcm
from unavoce.chain.chain import Chain
from unavoce.chain.health import Measured
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError
from unavoce.narration.levels import Levels
from unavoce.narration.synthesis import Claim, Key, Synthesis

log = logging.getLogger(__name__)

SYNTHESIS_LIMIT_S = 60.0
"""Counted from the grant of a slot: an engine that takes longer over one sentence has hung."""

LEAVING_S = 0.5
"""How long, when the stage is left, an engine that was cancelled may still wait for its server to finish."""

PROBE = "Good evening, everything is ready."
"""What an engine that is down is asked to say: never a user's words."""
MOST_BACKOFF = 8
"""Times the recovery interval: the longest wait between two probes."""

REHEARSAL = (
    "Good evening. Everything is ready, and I am listening. "
    "The kettle is on, the lights are low, and dinner will be served at eight."
)
"""Spoken once by each engine's default voice at the start: warms the engine and measures the voice's loudness."""


class Stage:
    """Owns every running synthesis of the process. An async context manager; one per process.

    `rehearse`: speak a fixed text with every engine as it starts, to warm it and to measure its loudness.
    """

    def __init__(self, chain: Chain, *, rehearse: bool = True, recovery_interval_s: float = 30.0) -> None:
        self.chain = chain
        self.levels = Levels()
        self._rehearse = rehearse
        self._recovery_interval_s = recovery_interval_s
        self._tasks = asyncio.TaskGroup()
        self._starting: list[asyncio.Task[None]] = []
        self._wanted: dict[Key, Synthesis] = {}
        self._waiting: dict[str, list[Synthesis]] = {engine.name: [] for engine in chain.engines}
        self._running: dict[str, int] = {engine.name: 0 for engine in chain.engines}
        self._synthesising: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._starting = [self._tasks.create_task(self._tend(engine)) for engine in self.chain.engines]
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
            await self._hang_up()
            # Not given the caller's error: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self.chain.close()

    async def _hang_up(self) -> None:
        """Cancelled once, an engine may hear its server out before its slot is free; cancelled twice, it hangs up."""
        if self._synthesising:
            await asyncio.wait(self._synthesising, timeout=LEAVING_S)
        for task in self._synthesising:
            task.cancel()

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
        """No reply wants a clip; the stage's own phrases do not count."""
        return all(synthesis.due_s == float("inf") for synthesis in self._wanted.values())

    def _grant(self, name: str) -> None:
        waiting = self._waiting[name]
        while waiting and self._running[name] < self.chain.engine(name).max_concurrency:
            synthesis = min(waiting, key=lambda one: one.due_s)
            waiting.remove(synthesis)
            self._running[name] += 1
            synthesis.task = self._tasks.create_task(self._run(synthesis))
            self._synthesising.add(synthesis.task)
            # Also when the task is cancelled before it ever ran.
            synthesis.task.add_done_callback(partial(self._release, name))

    def _release(self, name: str, task: asyncio.Task[None]) -> None:
        self._synthesising.discard(task)
        self._running[name] -= 1
        self._grant(name)

    async def _run(self, synthesis: Synthesis) -> None:
        name = synthesis.voice.engine
        try:
            engine = await self.chain.ready(name)
            synthesis.granted_at_s = asyncio.get_running_loop().time()
            async with asyncio.timeout(SYNTHESIS_LIMIT_S):
                await engine.synthesise(synthesis.spoken, synthesis.voice, synthesis.emit)
        except TimeoutError:
            self._finish(synthesis, EngineError(f"engine {name} gave no whole clip within {SYNTHESIS_LIMIT_S:g} s"))
        except EngineError as error:
            self._finish(synthesis, error)
        except Exception as error:
            log.exception("engine_crashed", extra={"engine": name})
            self._finish(synthesis, EngineError(f"engine {name} crashed: {type(error).__name__}"))
        else:
            self._finish(synthesis, None)

    def _finish(self, synthesis: Synthesis, error: EngineError | None) -> None:
        """The engine is done with it: its health first, since those who wait may ask for it."""
        name, error = synthesis.voice.engine, error or synthesis.implausible()
        if error is not None:
            self.chain.failed(name, error)
        elif synthesis.granted_at_s is not None and synthesis.first_sound_at_s is not None:
            start_s = synthesis.first_sound_at_s - synthesis.granted_at_s
            synthesis_s = asyncio.get_running_loop().time() - synthesis.granted_at_s
            self.chain.spoke(name, Measured(len(synthesis.spoken), start_s, synthesis_s, synthesis.duration_s))
        synthesis.finish(error)

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

    async def _tend(self, engine: Engine) -> None:
        """Start an engine, and bring it back whenever it is down, whether or not anyone is talking."""
        await self._start(engine)
        wait_s = self._recovery_interval_s
        while True:
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - only so that not all probe at once
            if not self.chain.is_down(engine.name):
                wait_s = self._recovery_interval_s
            elif await self._probe(engine):
                log.info("engine_recovered", extra={"engine": engine.name})
            else:
                wait_s = min(2 * wait_s, MOST_BACKOFF * self._recovery_interval_s)

    async def _probe(self, engine: Engine) -> bool:
        """Ask an engine that is down for a phrase of our own; True when it speaks again."""
        try:
            await self.chain.ready(engine.name)
        except EngineError:
            if not await self.chain.start(engine):
                return False
        return await self._speaks(engine, PROBE) is not None

    async def _start(self, engine: Engine) -> None:
        if await self.chain.start(engine) and self._rehearse and engine.voices():
            clip = await self._speaks(engine, REHEARSAL)
            if clip is not None:
                self.levels.learn(engine.voices()[0], clip)

    async def _speaks(self, engine: Engine, phrase: str) -> Pcm | None:
        """The phrase in the engine's default voice, or None when that fails. Last in line: no listener waits for it."""
        claim = self.claim(engine.voices()[0], phrase, due_s=float("inf"), when_done=lambda: None)
        try:
            async for _ in claim.parts():
                pass
            return claim.synthesis.clip()
        except EngineError as error:
            log.warning("phrase_failed", extra={"engine": engine.name, "reason": str(error)})
            return None
        finally:
            claim.withdraw()
