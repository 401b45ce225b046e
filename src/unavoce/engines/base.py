"""What an engine is: something that turns `spoken` text into PCM in its voices.

An engine is a subclass of `Engine` with one coroutine method, `synthesise`. It is found by name through the
entry-point group `unavoce.engines`; docs/writing-an-engine.md shows one from start to end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from unavoce.audio.pcm import Pcm
from unavoce.cores import Cores

Emit = Callable[[Pcm], None]
"""Takes the next part of a sentence's sound, in order. Never blocks; call it on the event loop's thread."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What a listener would call "the same voice". Everything in it changes the sound."""

    engine: str
    name: str
    """What a client asks for, unique within the engine, e.g. `en_US-joe-medium`."""
    language: str
    """BCP 47 tag of what the voice speaks, e.g. `en` or `en-US`."""
    model: str = ""
    """Fingerprint of the model: a digest of a local file, or what a server reports; empty when unknown."""
    speaker: str = ""
    speed: float = 1.0
    """1.0 is the voice's own pace, 2.0 twice as fast."""

    @property
    def at_rest(self) -> Voice:
        """The same at speed 1: what is known of a voice holds at every speed."""
        return replace(self, speed=1.0)


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine may use of the process it lives in."""

    data_dir: Path
    """Where it may keep files (voices, derived models), in a folder of its own name."""
    cores: Cores


class EngineOptions(BaseModel):
    """An engine's section of the settings. Subclass it to add options; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_concurrency: int | None = Field(default=None, ge=1)
    """Calls at a time; the engine's own default where none is given."""
    revision: str = ""
    """Part of a voice's fingerprint for servers that cannot say which model they run."""


class Engine(ABC):
    """Turns text into sound. One instance serves all replies of the process."""

    name: ClassVar[str]
    """As in the settings, e.g. `piper`; its options are read from the section of that name."""
    Options: ClassVar[type[EngineOptions]] = EngineOptions

    max_concurrency: int = 1
    """Calls of `synthesise` the engine can take at a time; the stage never makes more."""
    max_chars: int = 400
    """Longest `spoken` text that one call takes, in code points."""
    in_process: bool = False
    """True when synthesis uses this machine's cores, so that parallel sentences compete with each other."""
    cost_per_million_characters: float = 0.0
    """What its maker charges, in the currency the operator thinks in; 0 where it is free or unknown."""
    detail: str = ""
    """What it found at `start`, for `doctor` and the health report: the kind of server, its version, its model."""

    def __init__(self, options: Any, context: EngineContext) -> None:
        """`options` is an instance of this class's `Options`. Nothing is loaded yet."""
        if options.max_concurrency is not None:
            self.max_concurrency = options.max_concurrency

    @abstractmethod
    def voices(self) -> Sequence[Voice]:
        """The voices it has, its default first. Cheap; may be called before `start`."""

    async def start(self) -> None:  # noqa: B027 - an engine with nothing to load leaves it as it is
        """Load what is needed. May take seconds; raises `EngineUnavailable` with the remedy when it cannot."""

    @abstractmethod
    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        """Speak `spoken` in `voice`: hand each part of the sound to `emit`, return when the sound is whole.

        Mono int16 PCM, one rate for the whole call. An engine that makes whole clips calls `emit` once.
        Raises `EngineError` when the sound is not whole. When cancelled it stops computing at once and
        returns only when it has really stopped, since the caller then gives its slot to the next sentence.
        """

    async def close(self) -> None:  # noqa: B027 - an engine with nothing to free leaves it as it is
        """Free what `start` took."""


class Progress(NamedTuple):
    """How far a sentence came in one step."""

    sound: Pcm | None
    """What can be heard now; None where that step brought nothing to hear."""
    whole: bool = False
    """There is no step after this one."""
    work_s: float = 0.0
    """Seconds that the step was computed, times the threads it had."""


InHand = Callable[[], float]
"""Seconds until the listener runs dry: negative when it has, infinite where nobody listens."""


class SteppedEngine(Engine):
    """An engine that computes on this machine, and does so in steps: between two of them another sentence, whose
    listener runs dry sooner, may go first."""

    @abstractmethod
    def steps(self, spoken: str, voice: Voice, in_hand_s: InHand) -> AsyncGenerator[Progress, None]:
        """Speak `spoken` in `voice`, a step at a time; what holds for `synthesise` holds here.

        A step ends in good time (measured in tenths of a second), since nobody else gets its slot before that. Closed
        or cancelled, it stops computing at once and returns only when it has really stopped.
        """

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        """All steps, one after the other, for a listener who waits."""
        await take_all(self.steps(spoken, voice, lambda: 0.0), emit)


async def take_all(steps: AsyncGenerator[Progress, None], emit: Emit) -> None:
    """Hand over the sound of all steps as it comes, and close them whatever happens."""
    async with aclosing(steps):
        async for sound, *_ in steps:
            if sound is not None:
                emit(sound)
