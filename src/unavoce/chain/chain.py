"""The chain: the engines in order, primary first, with each one's health, and the voices they offer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from unavoce.chain.health import Measured
from unavoce.chain.known_voices import KnownVoices
from unavoce.chain.member import EngineStatus, Member
from unavoce.engines.base import Engine, Voice
from unavoce.errors import EngineError, EngineRefused, RequestError

log = logging.getLogger(__name__)

MIN_SPEED, MAX_SPEED = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class Casting:
    """Who may be heard in a reply, decided as it begins."""

    voices: tuple[Voice, ...]
    """In the chain's order, the wanted one first; at most one of each engine."""
    asking: tuple[Voice, ...]
    """Those of them whose engines are asked, in that order; the others are only heard in clips that are at hand."""


class Chain:
    """Starts the engines, knows how each is, and finds the voices a reply may be spoken in.

    `pace_check`: pass over an engine that is too slow to hold the pace, as long as another can. `max_parallel`:
    sentences of one reply in synthesis at a time, which bounds what an engine of many slots can do for it. `known`:
    the voices that engines had when they last started; nothing is known, and nothing kept, where it is None.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        *,
        pace_check: bool = True,
        max_parallel: int = 2,
        known: KnownVoices | None = None,
    ) -> None:
        self._known = known or KnownVoices(Path(), {})
        self._members = {
            engine.name: Member(engine, min(engine.max_concurrency, max_parallel), self._known.voices(engine.name))
            for engine in engines
        }
        self._pace_check = pace_check
        self._watchers: list[Callable[[EngineStatus], None]] = []

    @property
    def engines(self) -> tuple[Engine, ...]:
        return tuple(member.engine for member in self._members.values())

    @property
    def members(self) -> tuple[Member, ...]:
        return tuple(self._members.values())

    def member(self, name: str) -> Member:
        return self._members[name]

    @property
    def statuses(self) -> tuple[EngineStatus, ...]:
        return tuple(member.status for member in self._members.values())

    def status(self, name: str) -> EngineStatus:
        return self._members[name].status

    def engine(self, name: str) -> Engine:
        return self._members[name].engine

    def watch(self, watcher: Callable[[EngineStatus], None]) -> None:
        """`watcher` is called at every change of an engine's status."""
        self._watchers.append(watcher)

    # -- voices

    def voices(self) -> list[Voice]:
        """Every voice of every engine; the first is the default. Those of an engine that cannot start are the ones it
        had when it last could, where they are known."""
        return [voice for member in self.members for voice in member.voices]

    def voices_of(self, name: str) -> Sequence[Voice]:
        """Those of one engine, its default first."""
        return self._members[name].voices

    def find_voice(self, name: str | None, speed: float = 1.0) -> Voice:
        """The voice called `name` (`VOICE`, `ENGINE` or `ENGINE/VOICE`), the default one for None, at `speed`.

        Raises RequestError `unknown_voice` or `invalid`.
        """
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise RequestError("invalid", f"speed {speed:g}: expected {MIN_SPEED:g} to {MAX_SPEED:g}")
        for voice in self.voices():
            if name is None or name in (voice.name, voice.engine, f"{voice.engine}/{voice.name}"):
                return _at_speed(voice, speed)
        if name is None:
            # No engine knows its voices yet: the text comes all the same, and each sentence says why it is not heard.
            return _at_speed(Voice(self.engines[0].name, "default", "en"), speed)
        known = ", ".join(voice.name for voice in self.voices()[:20])
        raise RequestError("unknown_voice", f"voice {name!r} is not one of those here: {known}")

    def knows(self, voice: Voice) -> bool:
        """Whether its engine itself offers exactly this voice now, at whatever speed."""
        return self._members[voice.engine].offers(voice)

    def casting(self, wanted: Voice, speed: float = 1.0) -> Casting:
        """Who may speak a reply: `wanted`, then the other engines' default voices at `speed`.

        Engines that are down are not asked, and those too slow to hold the pace only when no other can speak.
        """
        others = [member.voices for member in self.members if member.engine.name != wanted.engine]
        voices = (wanted, *(_at_speed(found[0], speed) for found in others if found))
        asking = [voice for voice in voices if not self.is_down(voice.engine)] or list(voices)
        if self._pace_check:
            asking.sort(key=lambda voice: not self._members[voice.engine].holds_pace)
        return Casting(voices, tuple(asking))

    # -- health

    def is_down(self, name: str) -> bool:
        return self._members[name].is_down

    def is_healthy(self, name: str) -> bool:
        return self._members[name].status.status == "healthy"

    def sound_s(self, voice: Voice, characters: int) -> float:
        """Expected seconds of sound for a text of that length."""
        return self._members[voice.engine].pace.sound_s(voice.name, voice.speed, characters)

    def start_s(self, voice: Voice, characters: int) -> float:
        """Expected seconds from a slot's grant to the first sound of a text of that length."""
        return self._members[voice.engine].pace.start_s(self.sound_s(voice, characters))

    def synthesis_s(self, voice: Voice, characters: int) -> float:
        """Expected seconds from a slot's grant to the end of that clip."""
        return self._members[voice.engine].pace.synthesis_s(self.sound_s(voice, characters))

    async def start(self, engine: Engine) -> bool:
        """Start `engine`; a failure is its status, not an exception. True when it can speak."""
        member = self._members[engine.name]
        with self._telling(member):
            await member.start()
        if not member.is_down:
            self._known.offers(engine.name, engine.voices())
            await self._known.keep()
        return not member.is_down

    async def started(self, name: str) -> None:
        """Returns when the engine has started, or could not."""
        await self._members[name].started.wait()

    async def ready(self, name: str) -> Engine:
        """The engine, once it has started. Raises EngineUnavailable when it could not."""
        return await self._members[name].ready()

    async def ready_for(self, voice: Voice) -> Engine:
        """`ready`, for a sentence in `voice`. Raises EngineRefused where the engine has come up with another model than
        it had as that voice: part of the reply may have been heard already."""
        member = self._members[voice.engine]
        engine = await member.ready()
        if member.has_lost(voice):
            raise EngineRefused(f"engine {voice.engine} has another model now than the one that spoke as {voice.name}")
        return engine

    def asked(self, voice: Voice, characters: int) -> None:
        """The engine begins with a text of that length."""
        self._members[voice.engine].tally.characters += characters

    def cost(self, name: str, characters: int) -> float:
        """What the engine charges for a text of that length."""
        return characters * self.engine(name).cost_per_million_characters / 1_000_000

    def spoke(self, voice: Voice, clip: Measured) -> None:
        """The engine made a whole clip."""
        member = self._members[voice.engine]
        with self._telling(member):
            member.spoke(voice, clip)

    def odd(self, voice: Voice, clip: Measured) -> EngineError | None:
        """Why a clip is not believed after all that this voice has spoken."""
        return self._members[voice.engine].pace.odd(voice.name, voice.speed, clip.characters, clip.sound_s)

    def odd_rate(self, voice: Voice, rate_hz: int) -> EngineError | None:
        """Why sound at that rate is not believed to be this voice's."""
        return self._members[voice.engine].pace.odd_rate(voice.name, rate_hz)

    @property
    def gains(self) -> Mapping[Voice, float]:
        """The linear gain of each voice, at speed 1, that was measured before this process."""
        return self._known.gains

    def measured_gain(self, voice: Voice, gain: float) -> None:
        """`voice` was found to need this linear gain; `remember` writes it down."""
        self._known.measured(voice, gain)

    async def remember(self) -> None:
        """Write down which voices and gains have become known. Never fails; touches no disk where there are none."""
        await self._known.keep()

    def failed(self, name: str, error: EngineError, kind: str = "") -> None:
        """The engine did not speak a sentence it was asked for. `kind`: counted as, the error's own where not given."""
        member = self._members[name]
        with self._telling(member):
            member.failed(error, kind)

    @contextmanager
    def _telling(self, member: Member) -> Iterator[None]:
        """Tell the watchers when the status has changed meanwhile."""
        before = member.tally.changes.total()
        yield
        if member.tally.changes.total() != before:
            for watcher in self._watchers:
                watcher(member.status)

    async def close(self) -> None:
        for engine in self.engines:
            try:
                await engine.close()
            except EngineError:
                log.exception("engine_close_failed", extra={"engine": engine.name})
        await self.remember()


def _at_speed(voice: Voice, speed: float) -> Voice:
    return voice if speed == 1.0 else replace(voice, speed=voice.speed * speed)
