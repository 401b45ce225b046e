"""The stage: what all replies share. A clip that many want at once is looked for and synthesised once, and what was
synthesised is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from types import TracebackType
from typing import Literal, Self

from unavoce.audio.pcm import Pcm
from unavoce.cache.cache import Cache, Recalled
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.chain.health import Measured
from unavoce.engines.base import SteppedEngine, Voice
from unavoce.errors import EngineError
from unavoce.narration.frequent import Frequent
from unavoce.narration.levels import Levels
from unavoce.narration.slots import Load, Slots
from unavoce.narration.synthesis import NEVER_DUE, Claim, Key, Synthesis
from unavoce.narration.upkeep import OWN_PHRASES, GaveWay, Upkeep

log = logging.getLogger(__name__)

SYNTHESIS_LIMIT_S = 60.0
"""Counted from the grant of a slot: an engine that takes longer over one sentence has hung."""
WAITS_S = 0.2
"""A listener with less in hand waits for the next sound."""
LATE_S = 2.0
"""An engine given up sooner after it got its slot was not late: we were."""


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
        self.levels = Levels(chain.gains, chain.measured_gain)
        self.frequent = Frequent()
        """What listeners heard of late."""
        self._upkeep = Upkeep(chain, self.levels, self._say, rehearse=rehearse, recovery_interval_s=recovery_interval_s)
        self._listeners = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._tasks = asyncio.TaskGroup()
        self._tending: list[asyncio.Task[None]] = []
        self._wanted: dict[Key, Synthesis] = {}
        self._slots = Slots(chain, self._begin, self._give_way)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tending = [self._tasks.create_task(self._upkeep.tend(engine)) for engine in self.chain.engines]
        self._tending.append(self._tasks.create_task(self.cache.run()))
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
            self._slots.hurry()
            # Not given the caller's error: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self.chain.close()
            await self.cache.close()

    # -- what replies ask for

    def claim(
        self, voice: Voice, spoken: str, due_s: float, when_done: Callable[[], None], *, fresh: bool = False
    ) -> Claim:
        """Ask for the clip of `spoken` in `voice`, wanted by `due_s` (loop time).

        `when_done` is called when a synthesis under way has ended, well or badly; a clip at hand is done at once.
        `fresh`: the engine itself is to be heard, not the cache.
        """
        synthesis = self._wanted.get((voice, spoken))
        if synthesis is None and not fresh and (found := self.cache.recall(voice, spoken)) is not None:
            return _at_hand(voice, spoken, found)
        if synthesis is None or synthesis.error is not None or synthesis.silent or (fresh and synthesis.recalled):
            synthesis = self._wanted[voice, spoken] = Synthesis(voice, spoken)
            self._seek(synthesis, fresh=fresh)
        elif fresh and synthesis.sought:
            self._ask(synthesis)
        synthesis.late = False
        claim = Claim(synthesis, due_s, when_done, self._withdraw)
        synthesis.claims.append(claim)
        self._slots.grant(voice.engine)
        return claim

    async def recall(self, voice: Voice, spoken: str) -> Claim | None:
        """A claim on the clip as the cache has it, in memory or on disk; None where it does not."""
        found = await self.cache.fetch(voice, spoken)
        return None if found is None else _at_hand(voice, spoken, found)

    def heard(self, claim: Claim) -> None:
        """A listener hears the clip that `claim` is on."""
        self.frequent.said(claim.synthesis.spoken)
        self.cache.heard(claim.voice, claim.synthesis.spoken, claim.synthesis.recalled)

    # -- what is done while nobody listens

    @contextmanager
    def listening(self) -> Iterator[None]:
        """A reply is under way: what is being warmed gives way, and nothing more is until it is quiet again."""
        self._listeners += 1
        self._quiet.clear()
        for synthesis in [one for one in self._wanted.values() if one.warming and one.due_s == NEVER_DUE]:
            self._give_way(synthesis)
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._quiet.set()

    async def quiet(self) -> None:
        """Returns when no reply is under way."""
        await self._quiet.wait()

    async def warm(self, voice: Voice, spoken: str, *, phrase: bool) -> Literal["present", "warmed"]:
        """Have a clip in the cache before anybody wants it; last in line. Raises EngineError, GaveWay among them.

        `phrase`: it is on disk as well, whatever else is kept there.
        """
        found = await self.cache.fetch(voice, spoken)
        if found is None:
            await self._say(voice, spoken, warming=True, phrase=phrase)
            return "warmed"
        if phrase:
            self.cache.keep_warm(voice, spoken, found.kept)
        return "present"

    async def probe(self, name: str) -> bool:
        """Ask an engine that is down or slow for a phrase of our own; True when it speaks."""
        return await self._upkeep.probe(name)

    async def _say(self, voice: Voice, spoken: str, *, warming: bool = False, phrase: bool = False) -> Pcm:
        """Something of our own, by the engine itself. Last in line: no listener waits for it. Raises EngineError.

        `warming`: it gives way as soon as a reply begins. `phrase`: it is one that is kept warm.
        """
        claim = self.claim(voice, spoken, NEVER_DUE, lambda: None, fresh=True)
        claim.synthesis.warming, claim.synthesis.phrase = warming, phrase
        try:
            async for _ in claim.parts():
                pass
            return claim.synthesis.clip()
        finally:
            claim.withdraw()

    def late(self, claim: Claim) -> None:
        """A reply gave up waiting for the first sound of `claim`. Counts against the engine's health from the grant of
        a slot; while every slot is held by calls that nobody waits for any more, from the grant of those."""
        since_s = self._slots.silent_since_s(claim.synthesis)
        waited_s = asyncio.get_running_loop().time() - since_s if since_s is not None else 0.0
        if waited_s >= LATE_S:
            self.chain.failed(claim.voice.engine, EngineError(f"no sound within {waited_s:.1f} s"), "late")

    def taken_for_s(self, voice: Voice) -> float:
        """Expected seconds until the voice's engine can begin, where it is held up by what was given up already."""
        return self._slots.taken_for_s(voice.engine)

    @property
    def idle(self) -> bool:
        """No reply wants a clip; the stage's own phrases and late clips do not count."""
        return all(synthesis.due_s == NEVER_DUE for synthesis in self._wanted.values())

    @property
    def running(self) -> int:
        """Sentences in synthesis."""
        return self._slots.running

    @property
    def waiting(self) -> int:
        """Sentences that wait for a slot."""
        return self._slots.waiting

    def late_s(self, name: str) -> float:
        """How long the most urgent sentence that waits for the engine called `name` is overdue; 0 where none is."""
        return self._slots.late_s(name)

    def load(self, name: str) -> Load:
        """How busy the engine called `name` is."""
        return self._slots.load(name)

    # -- the disk, before an engine

    def _seek(self, synthesis: Synthesis, *, fresh: bool) -> None:
        """Look on disk, where there is one; an engine is asked for what is not there, or is to be heard `fresh`."""
        if fresh or not self.cache.has_disk:
            self._ask(synthesis)
            return
        synthesis.task = self._tasks.create_task(self._look(synthesis))
        synthesis.sought = True

    async def _look(self, synthesis: Synthesis) -> None:
        found = await self.cache.fetch(synthesis.voice, synthesis.spoken)
        if found is None:
            self._ask(synthesis)
            self._slots.grant(synthesis.voice.engine)
        else:
            synthesis.sought = False
            synthesis.recall(found)

    def _ask(self, synthesis: Synthesis) -> None:
        """Stand in line for the engine."""
        if synthesis.sought and synthesis.task is not asyncio.current_task() and synthesis.task is not None:
            synthesis.task.cancel()
        synthesis.sought, synthesis.task = False, None
        self._slots.ask(synthesis)

    # -- synthesis

    def _begin(self, synthesis: Synthesis) -> asyncio.Task[None]:
        return self._tasks.create_task(self._run(synthesis))

    def _give_way(self, synthesis: Synthesis) -> None:
        self._let_go(synthesis)
        synthesis.finish(GaveWay("a listener needed the engine"))

    async def _run(self, synthesis: Synthesis) -> None:
        name = synthesis.voice.engine
        try:
            engine = await self.chain.ready_for(synthesis.voice)
            synthesis.granted_at_s = synthesis.engaged_at_s = asyncio.get_running_loop().time()
            self.chain.asked(synthesis.voice, len(synthesis.spoken))
            async with asyncio.timeout(SYNTHESIS_LIMIT_S) as limit:
                if isinstance(engine, SteppedEngine):
                    await self._in_steps(engine, synthesis, limit)
                else:
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

    async def _in_steps(self, engine: SteppedEngine, synthesis: Synthesis, limit: asyncio.Timeout) -> None:
        """Whoever is more urgent goes first between two steps; the limit is one of work, not of waiting."""
        now = asyncio.get_running_loop().time
        synthesis.awaited = synthesis.in_hand_s() < WAITS_S
        async with aclosing(engine.steps(synthesis.spoken, synthesis.voice, synthesis.in_hand_s)) as steps:
            async for sound, whole, work_s in steps:
                synthesis.work_s += work_s
                if sound is not None:
                    self._emit(synthesis, sound)
                if not whole:
                    left_s = (limit.when() or now()) - now()
                    limit.reschedule(None)
                    await self._slots.turn(synthesis)
                    limit.reschedule(now() + left_s)

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
                self._keep(synthesis, measured)
        synthesis.finish(error)

    def _keep(self, synthesis: Synthesis, measured: Measured) -> None:
        voice, spoken = synthesis.voice, synthesis.spoken
        cost = self.chain.cost(voice.engine, len(spoken))
        clip, synthesis_s = synthesis.clip(), measured.synthesis_s
        self.cache.keep(voice, spoken, clip, synthesis_s=synthesis_s, cost=cost, phrase=synthesis.phrase)

    def _withdraw(self, claim: Claim, late: bool) -> None:
        synthesis = claim.synthesis
        if claim not in synthesis.claims:
            return
        synthesis.claims.remove(claim)
        if synthesis.claims:
            return
        if late and synthesis.task is not None and not (synthesis.sought or synthesis.finished or synthesis.pieces):
            self._keep_on(synthesis)
            return
        if self._wanted.get(synthesis.key) is synthesis:
            del self._wanted[synthesis.key]
        if synthesis.task is None:
            self._slots.leave(synthesis)
        elif not synthesis.finished:
            synthesis.task.cancel()

    def _keep_on(self, synthesis: Synthesis) -> None:
        """A late clip is worth having next time: it goes on for the cache until a listener needs its slot.

        One that fell silent in mid-sentence does not: who wants it next would hear it break off again.
        """
        synthesis.late = True
        keeper = Claim(synthesis, NEVER_DUE, partial(self._let_go, synthesis), self._withdraw)
        synthesis.claims.append(keeper)
        self._slots.grant(synthesis.voice.engine)

    def _let_go(self, synthesis: Synthesis) -> None:
        for claim in tuple(synthesis.claims):
            claim.withdraw()


def _at_hand(voice: Voice, spoken: str, found: Recalled) -> Claim:
    synthesis = Synthesis(voice, spoken)
    synthesis.recall(found)
    return Claim(synthesis, NEVER_DUE, lambda: None, _nothing_to_withdraw)


def _nothing_to_withdraw(_claim: Claim, _late: bool) -> None:
    """A clip at hand binds nothing."""
