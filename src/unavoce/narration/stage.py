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
from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError
from unavoce.narration.levels import Levels
from unavoce.narration.synthesis import Claim, Key, Synthesis

log = logging.getLogger(__name__)

SYNTHESIS_LIMIT_S = 60.0
"""Counted from the grant of a slot: an engine that takes longer over one sentence has hung."""
LATE_S = 2.0
"""An engine given up sooner after it got its slot was not late: we were."""
NEVER_DUE = float("inf")
"""The deadline of what nobody listens for."""

PROBE = "Good evening, everything is ready."
"""What an engine that is down or slow is asked to say: never a user's words."""
MOST_BACKOFF = 8
"""Times the recovery interval: the longest wait between two probes."""

REHEARSAL = (
    "Good evening. Everything is ready, and I am listening. "
    "The kettle is on, the lights are low, and dinner will be served at eight."
)
"""Spoken once by each engine's default voice at the start: warms the engine and measures the voice's loudness."""
OWN_PHRASES = frozenset((PROBE, REHEARSAL))
"""Neither kept nor taken from the cache: they are there to hear the engine itself."""


class GaveWay(EngineError):
    """The end of a phrase of our own that a listener's sentence took the place of."""


class Stage:
    """Owns every running synthesis of the process. An async context manager; one per process.

    `rehearse`: speak a fixed text with every engine as it starts, to warm it and to measure its loudness.
    """

    def __init__(
        self,
        chain: Chain,
        *,
        cache: Cache | None = None,
        rehearse: bool = True,
        recovery_interval_s: float = 30.0,
    ) -> None:
        self.chain = chain
        self.cache = cache or Cache(MemoryCache(0))
        self.levels = Levels()
        self._rehearse = rehearse
        self._recovery_interval_s = recovery_interval_s
        self._tasks = asyncio.TaskGroup()
        self._tending: list[asyncio.Task[None]] = []
        self._wanted: dict[Key, Synthesis] = {}
        self._waiting: dict[str, list[Synthesis]] = {engine.name: [] for engine in chain.engines}
        self._running: dict[str, list[Synthesis]] = {engine.name: [] for engine in chain.engines}

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tending = [self._tasks.create_task(self._tend(engine)) for engine in self.chain.engines]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for synthesis in tuple(self._wanted.values()):
            self._let_go(synthesis)
        for task in self._tending:
            task.cancel()
        try:
            await asyncio.sleep(0)
            self._hurry()
            # Not given the caller's error: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self.chain.close()

    def _hurry(self) -> None:
        """Cancel what runs once more: nobody waits any more until a server has finished."""
        for running in self._running.values():
            for synthesis in running:
                if synthesis.task is not None:
                    synthesis.task.cancel()

    # -- what replies ask for

    def claim(
        self, voice: Voice, spoken: str, due_s: float, when_done: Callable[[], None], *, fresh: bool = False
    ) -> Claim:
        """Ask for the clip of `spoken` in `voice`, wanted by `due_s` (loop time).

        `when_done` is called when a synthesis under way has ended, well or badly; a clip at hand is done at once.
        `fresh`: the engine itself is to be heard, not the cache.
        """
        synthesis = self._wanted.get((voice, spoken))
        if synthesis is None and not fresh and (recalled := self.recall(voice, spoken)) is not None:
            return recalled
        if synthesis is None or synthesis.error is not None or synthesis.silent:
            synthesis = self._wanted[voice, spoken] = Synthesis(voice, spoken)
            self._waiting[voice.engine].append(synthesis)
        synthesis.late = False
        claim = Claim(synthesis, due_s, when_done, self._withdraw)
        synthesis.claims.append(claim)
        self._grant(voice.engine)
        return claim

    def recall(self, voice: Voice, spoken: str) -> Claim | None:
        """A claim on the clip as the cache has it; None where it does not."""
        found = self.cache.recall(voice, spoken)
        if found is None:
            return None
        return Claim(Synthesis.recalled(voice, spoken, found), NEVER_DUE, lambda: None, _nothing_to_withdraw)

    def at_hand(self, voice: Voice, spoken: str) -> bool:
        """Whether the clip can be had without any engine."""
        return (voice, spoken) in self.cache

    def late(self, claim: Claim) -> None:
        """A reply gave up waiting for the first sound of `claim`. Counts against the engine's health from the grant of
        a slot; while every slot is held by calls that nobody waits for any more, from the grant of those."""
        granted_at_s = self._silent_since_s(claim.synthesis)
        waited_s = asyncio.get_running_loop().time() - granted_at_s if granted_at_s is not None else 0.0
        if waited_s >= LATE_S:
            self.chain.failed(claim.voice.engine, EngineError(f"no sound within {waited_s:.1f} s"), "late")

    @property
    def idle(self) -> bool:
        """No reply wants a clip; the stage's own phrases and late clips do not count."""
        return all(synthesis.due_s == NEVER_DUE for synthesis in self._wanted.values())

    @property
    def running(self) -> int:
        """Sentences in synthesis."""
        return sum(map(len, self._running.values()))

    @property
    def waiting(self) -> int:
        """Sentences that wait for a slot."""
        return sum(map(len, self._waiting.values()))

    # -- slots

    def _grant(self, name: str) -> None:
        waiting, running = self._waiting[name], self._running[name]
        slots = self.chain.engine(name).max_concurrency
        while waiting and len(running) < slots:
            synthesis = min(waiting, key=lambda one: one.due_s)
            waiting.remove(synthesis)
            running.append(synthesis)
            synthesis.task = self._tasks.create_task(self._run(synthesis))
            # Also when the task is cancelled before it ever ran.
            synthesis.task.add_done_callback(partial(self._release, synthesis))
        self._take_back(waiting, running)

    def _take_back(self, waiting: list[Synthesis], running: list[Synthesis]) -> None:
        """Listeners wait for a slot: what nobody listens for (late clips, our own phrases) gives its slot up."""
        needed = sum(one.due_s < NEVER_DUE for one in waiting) - sum(not one.claims for one in running)
        for synthesis in [one for one in running if one.claims and one.due_s == NEVER_DUE][: max(0, needed)]:
            self._let_go(synthesis)
            synthesis.finish(GaveWay("a listener needed the engine"))

    def _release(self, synthesis: Synthesis, _: asyncio.Task[None]) -> None:
        self._running[synthesis.voice.engine].remove(synthesis)
        self._grant(synthesis.voice.engine)

    def _silent_since_s(self, synthesis: Synthesis) -> float | None:
        """Since when its engine has kept silent; None where it has not been asked."""
        if synthesis.granted_at_s is not None:
            return synthesis.granted_at_s
        holding = self._running[synthesis.voice.engine]
        if any(one.granted_at_s is None or one.due_s < NEVER_DUE or one.pieces for one in holding):
            return None
        return max((one.granted_at_s for one in holding if one.granted_at_s is not None), default=None)

    async def _run(self, synthesis: Synthesis) -> None:
        name = synthesis.voice.engine
        try:
            engine = await self.chain.ready(name)
            synthesis.granted_at_s = asyncio.get_running_loop().time()
            self.chain.asked(synthesis.voice, len(synthesis.spoken))
            async with asyncio.timeout(SYNTHESIS_LIMIT_S):
                await engine.synthesise(synthesis.spoken, synthesis.voice, partial(self._emit, synthesis))
        except TimeoutError:
            self._finish(synthesis, EngineError(f"engine {name} gave no whole clip within {SYNTHESIS_LIMIT_S:g} s"))
        except EngineError as error:
            self._finish(synthesis, error)
        except Exception as error:
            log.exception("engine_crashed", extra={"engine": name})
            self._finish(synthesis, EngineError(f"engine {name} crashed: {type(error).__name__}"))
        else:
            self._finish(synthesis, None)

    def _emit(self, synthesis: Synthesis, piece: Pcm) -> None:
        """Takes the engine's sound (`unavoce.engines.base.Emit`). Raises ImplausibleAudio."""
        odd = None if synthesis.pieces else self.chain.odd_rate(synthesis.voice, piece.rate_hz)
        if odd is not None:
            raise odd
        synthesis.emit(piece)

    def _finish(self, synthesis: Synthesis, error: EngineError | None) -> None:
        """The engine is done with it: its health first, since those who wait may ask for it."""
        voice, measured = synthesis.voice, synthesis.measured()
        error = error or synthesis.implausible() or (self.chain.odd(voice, measured) if measured else None)
        if error is not None:
            if not synthesis.late:  # that counted already
                self.chain.failed(voice.engine, error)
        elif measured is not None:
            self.chain.spoke(voice, measured)
            # A voice named before its engine had started lacks the model's fingerprint: such a clip could outlive it.
            if synthesis.spoken not in OWN_PHRASES and self.chain.knows(voice):
                self.cache.keep(voice, synthesis.spoken, synthesis.clip())
        synthesis.finish(error)

    def _withdraw(self, claim: Claim, late: bool) -> None:
        synthesis = claim.synthesis
        if claim not in synthesis.claims:
            return
        synthesis.claims.remove(claim)
        if synthesis.claims:
            return
        if late and synthesis.task is not None and not (synthesis.finished or synthesis.pieces):
            self._keep_on(synthesis)
            return
        if self._wanted.get(synthesis.key) is synthesis:
            del self._wanted[synthesis.key]
        if synthesis.task is None:
            self._waiting[synthesis.voice.engine].remove(synthesis)
        elif not synthesis.finished:
            synthesis.task.cancel()

    def _keep_on(self, synthesis: Synthesis) -> None:
        """A late clip is worth having next time: it goes on for the cache until a listener needs its slot.

        One that fell silent in mid-sentence does not: who wants it next would hear it break off again.
        """
        synthesis.late = True
        keeper = Claim(synthesis, NEVER_DUE, partial(self._let_go, synthesis), self._withdraw)
        synthesis.claims.append(keeper)
        self._grant(synthesis.voice.engine)

    def _let_go(self, synthesis: Synthesis) -> None:
        for claim in tuple(synthesis.claims):
            claim.withdraw()

    # -- engines that start, fall and rise

    async def _tend(self, engine: Engine) -> None:
        """Start an engine, and bring it back whenever it is down or slow, whether or not anyone is talking."""
        await self._start(engine)
        wait_s = self._recovery_interval_s
        while True:
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - only so that not all probe at once
            if self.chain.is_healthy(engine.name):
                wait_s = self._recovery_interval_s
            elif await self.probe(engine.name) and self.chain.is_healthy(engine.name):
                log.info("engine_recovered", extra={"engine": engine.name})
            else:
                wait_s = min(2 * wait_s, MOST_BACKOFF * self._recovery_interval_s)

    async def probe(self, name: str) -> bool:
        """Ask an engine for a phrase of our own, after starting it where it could not start; True when it speaks."""
        engine = self.chain.engine(name)
        try:
            await self.chain.ready(name)
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
        claim = self.claim(engine.voices()[0], phrase, NEVER_DUE, lambda: None, fresh=True)
        try:
            async for _ in claim.parts():
                pass
            return claim.synthesis.clip()
        except GaveWay:
            return None
        except EngineError as error:
            log.warning("phrase_failed", extra={"engine": engine.name, "reason": str(error)})
            return None
        finally:
            claim.withdraw()


def _nothing_to_withdraw(_claim: Claim, _late: bool) -> None:
    """A clip at hand binds nothing."""
