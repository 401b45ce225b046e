"""Engines that break to order, and a stage for them; the fallback is the real Piper."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from bench.account import Ear, Said, Told, account
from bench.replies import TokenSource
from unavoce.audio.pcm import Pcm
from unavoce.chain.chain import Chain
from unavoce.chain.health import Measured
from unavoce.engines.base import Emit, Engine, EngineOptions, Voice
from unavoce.engines.fake import FakeEngine, FakeOptions, Script
from unavoce.errors import EngineUnavailable
from unavoce.narration.encoder import Encoder
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage
from unavoce.narration.upkeep import REHEARSAL

PRIMARY, FALLBACK = "primary", "piper"
PIECES = 8
"""In which a primary hands over a sentence that breaks off in the middle."""


@dataclass(frozen=True, slots=True)
class Death:
    """The moment at which an engine is gone: call number `call` (from 0) has handed over `pieces`; None: it has ended.

    Whatever it is speaking then breaks off, and it refuses every later call.
    """

    call: int
    pieces: int | None = None


class Primary(FakeEngine):
    """Tones in real time, broken to order; costs no CPU to speak of, as a server elsewhere."""

    name = PRIMARY

    def __init__(self, options: FakeOptions | None = None, script: Script = (), death: Death | None = None) -> None:
        super().__init__(options, script=script)
        self._death = death
        self._dead = False
        self._lives: set[asyncio.Timeout] = set()

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        if self._dead:
            raise EngineUnavailable("connection refused")
        number = len(self.calls)
        try:
            async with asyncio.timeout(None) as life:
                self._lives.add(life)
                await super().synthesise(spoken, voice, partial(self._pass_on, emit, number))
        except TimeoutError:
            raise EngineUnavailable("the connection was lost") from None
        finally:
            self._lives.discard(life)
        if self._death == Death(number):
            self._die()

    def _pass_on(self, emit: Emit, number: int, piece: Pcm) -> None:
        emit(piece)
        if self._death == Death(number, self.calls[number].emitted):
            self._die()

    def _die(self) -> None:
        self._dead = True
        for life in self._lives:
            life.reschedule(asyncio.get_running_loop().time())

    @property
    def said(self) -> Sequence[Said]:
        whole = [(call, self.options.s_per_char * len(call.spoken)) for call in self.calls]
        return [Said(call.spoken, whole_s * call.emitted / self.options.pieces, whole_s) for call, whole_s in whole]

    @property
    def rehearsed(self) -> Measured:
        """What the stage's rehearsal would have measured before it broke."""
        sound_s, options = self.rehearsal.duration_s, self.options
        start_s = options.delay_s + options.real_time_factor * sound_s / options.pieces
        return Measured(len(REHEARSAL), start_s, options.delay_s + options.real_time_factor * sound_s, sound_s)

    @property
    def rehearsal(self) -> Pcm:
        return self.tone(REHEARSAL, self.voices()[0])


class Fallback(Engine):
    """A Piper that is started already and stays so, lent to one stage after the other."""

    name = FALLBACK
    max_concurrency = 2
    in_process = True

    def __init__(self, piper: Engine, rehearsed: Measured, rehearsal: Pcm) -> None:
        super().__init__(EngineOptions(), None)  # type: ignore[arg-type]  # it uses nothing of the process itself
        self._piper = piper
        self.rehearsed = rehearsed
        self.rehearsal = rehearsal
        self.said: list[Said] = []

    @classmethod
    async def around(cls, piper: Engine) -> Fallback:
        """Starts and warms it, and measures its rehearsal, as a stage would."""
        await piper.start()
        voice = piper.voices()[0]
        parts: list[Pcm] = []
        await piper.synthesise(REHEARSAL, voice, lambda _: None)  # warms
        began_s = perf_counter()
        came_s: list[float] = []

        def emit(part: Pcm) -> None:
            parts.append(part)
            came_s.append(perf_counter() - began_s)

        await piper.synthesise(REHEARSAL, voice, emit)
        took_s = perf_counter() - began_s
        whole = Pcm(np.concatenate([part.samples for part in parts]), parts[0].rate_hz)
        return cls(piper, Measured(len(REHEARSAL), came_s[0], took_s, whole.duration_s), whole)

    def again(self) -> Fallback:
        """The same one, asked nothing yet."""
        return Fallback(self._piper, self.rehearsed, self.rehearsal)

    def voices(self) -> Sequence[Voice]:
        return self._piper.voices()

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        parts: list[Pcm] = []
        place = len(self.said)
        self.said.append(Said(spoken, 0.0, 0.0))  # where it stands tells when it was asked

        def pass_on(part: Pcm) -> None:
            parts.append(part)
            emit(part)

        await self._piper.synthesise(spoken, voice, pass_on)
        sound_s = sum(part.duration_s for part in parts)
        self.said[place] = Said(spoken, sound_s, sound_s)


async def tell(tokens: Sequence[str], pace: float | None, fallback: Fallback, primary: Primary | None) -> Told:
    """One reply on a stage of its own that has rehearsed its engines; `primary` None: the fallback alone."""
    fallback = fallback.again()
    chain = Chain([primary, fallback] if primary else [fallback])
    async with Stage(chain, rehearse=False) as stage:
        await asyncio.sleep(0)  # the engines start
        for engine in (fallback, primary) if primary else (fallback,):
            chain.spoke(engine.voices()[0], engine.rehearsed)
            stage.levels.learn(engine.voices()[0], engine.rehearsal)
        ear, source = Ear(), TokenSource(tokens, pace)
        plan = Plan(chain.casting(chain.find_voice(None)), Encoder(), sent_ahead_s=None)
        narrator = ReplyNarrator(stage, plan, ear)
        await narrator.run(_stream(source))
    calls = {FALLBACK: fallback.said, PRIMARY: primary.said if primary else ()}
    return account(ear, source.first_token_s, [one.spoken for one in narrator.sentences], calls)


async def _stream(source: TokenSource) -> AsyncGenerator[str, None]:
    async for token in source:
        yield token
