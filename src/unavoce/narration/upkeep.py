"""The upkeep of engines: each is started, rehearsed, and brought back when it is down or slow, whether or not anyone
is talking."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from unavoce.audio.pcm import Pcm
from unavoce.chain.chain import Chain
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError
from unavoce.narration.levels import Levels

log = logging.getLogger(__name__)

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


class Upkeep:
    """`say`: has an engine itself say a phrase of ours, last in line; raises EngineError.

    `rehearse`: speak a fixed text with every engine as it starts, to warm it and to measure its loudness.
    """

    def __init__(
        self,
        chain: Chain,
        levels: Levels,
        say: Callable[[Voice, str], Awaitable[Pcm]],
        *,
        rehearse: bool,
        recovery_interval_s: float,
    ) -> None:
        self._chain = chain
        self._levels = levels
        self._say = say
        self._rehearse = rehearse
        self._recovery_interval_s = recovery_interval_s

    async def tend(self, engine: Engine) -> None:
        """Start an engine, and bring it back whenever that is needed; for ever."""
        await self._start(engine)
        wait_s = self._recovery_interval_s
        while True:
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - only so that not all probe at once
            if self._chain.is_healthy(engine.name):
                wait_s = self._recovery_interval_s
            elif await self.probe(engine.name) and self._chain.is_healthy(engine.name):
                log.info("engine_recovered", extra={"engine": engine.name})
            else:
                wait_s = min(2 * wait_s, MOST_BACKOFF * self._recovery_interval_s)

    async def probe(self, name: str) -> bool:
        """Ask an engine for a phrase of our own, after starting it where it could not start; True when it speaks."""
        engine = self._chain.engine(name)
        try:
            await self._chain.ready(name)
        except EngineError:
            if not await self._chain.start(engine):
                return False
        return await self._speaks(engine, PROBE) is not None

    async def _start(self, engine: Engine) -> None:
        if await self._chain.start(engine) and self._rehearse and engine.voices():
            clip = await self._speaks(engine, REHEARSAL)
            if clip is not None:
                self._levels.learn(engine.voices()[0], clip)
                await self._chain.remember()

    async def _speaks(self, engine: Engine, phrase: str) -> Pcm | None:
        """The phrase in the engine's default voice, or None when that fails."""
        try:
            return await self._say(engine.voices()[0], phrase)
        except GaveWay:
            return None
        except EngineError as error:
            log.warning("phrase_failed", extra={"engine": engine.name, "reason": str(error)})
            return None
