"""A real engine that speaks in tones: for tests, simulations and demonstrations without a model.

Each voice is a tone of its own pitch and a text's length is the sound's length, so that what was spoken, and
in which voice, can be told from the sound. Delays are `asyncio.sleep`, so it runs under a virtual clock. What
it does wrong is scripted, call by call.
"""

from __future__ import annotations

import asyncio
import itertools
import zlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from pydantic import Field

from unavoce.audio.pcm import Pcm, Samples
from unavoce.engines.base import (
    Emit,
    Engine,
    EngineContext,
    EngineOptions,
    InHand,
    Progress,
    SteppedEngine,
    Voice,
    take_all,
)
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

Sound = Literal["tone", "silence", "empty", "short", "long", "rate_change"]
"""What comes out: the text's tone; zeros of the same length; no samples; a tenth of the length; ten times the
length; a tone whose second half has another rate (needs two pieces)."""

Outcome = Literal["running", "done", "failed", "cancelled"]

T = TypeVar("T")
AMPLITUDE = 8000
FADE_S = 0.005


class FakeOptions(EngineOptions):
    """Section `fake` of the settings."""

    max_concurrency: int | None = Field(default=None, ge=1)
    voices: tuple[str, ...] = Field(default=("tone",), min_length=1)
    language: str = "en"
    rate_hz: int = Field(default=24_000, ge=8_000, le=192_000)
    s_per_char: float = Field(default=0.06, gt=0)
    """Seconds of sound per character of text, at speed 1."""
    delay_s: float = Field(default=0.05, ge=0)
    """Before the first sound of a call."""
    real_time_factor: float = Field(default=0.1, ge=0)
    """Seconds of synthesis per second of sound."""
    pieces: int = Field(default=1, ge=1)
    """Parts in which a sentence's sound is handed over."""
    in_process: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What one call does. `None` means: as the options say."""

    delay_s: float | None = None
    real_time_factor: float | None = None
    pieces: int | None = None
    fail_after: int | None = None
    """Fail when this many pieces have been handed over; 0 fails before any sound."""
    error: type[EngineError] = EngineError
    hang_after: int | None = None
    """Wait for ever when this many pieces have been handed over; only a cancellation ends it."""
    sound: Sound = "tone"
    stop_s: float = 0.0
    """How long the engine goes on after it was cancelled, as a server does that cannot be told to stop."""


Script = Sequence[Step] | Callable[[int, str], Step]
"""Steps for the first calls (later ones behave as the options say), or a function of call number and text."""


@dataclass(slots=True)
class Call:
    """One call as it went. Times are the event loop's, in seconds."""

    spoken: str
    voice: Voice
    started_at: float
    cancelled_at: float | None = None
    ended_at: float | None = None
    emitted: int = 0
    outcome: Outcome = "running"


class FakeEngine(Engine):
    """Tones. `calls` tells what was asked of it; `running` and `most_running` how many at a time."""

    name = "fake"
    Options = FakeOptions
    max_concurrency = 2

    def __init__(
        self,
        options: FakeOptions | None = None,
        context: EngineContext | None = None,
        *,
        script: Script = (),
        start_error: EngineUnavailable | None = None,
    ) -> None:
        options = options or FakeOptions()
        super().__init__(options, context)  # type: ignore[arg-type]  # it uses nothing of the process
        self.options = options
        self.in_process = options.in_process
        self.script = script
        self.start_error = start_error
        self.calls: list[Call] = []
        self.running = 0
        self.most_running = 0
        self._numbers = itertools.count()

    @classmethod
    def named(cls, name: str) -> type[FakeEngine]:
        """The same engine under another name, for a chain of several."""
        return type(name, (cls,), {"name": name})

    def voices(self) -> Sequence[Voice]:
        model = self.options.revision
        return [Voice(self.name, name, self.options.language, model=model) for name in self.options.voices]

    async def start(self) -> None:
        if self.start_error:
            raise self.start_error

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        await take_all(self._speak(spoken, voice), emit)

    async def _speak(self, spoken: str, voice: Voice) -> AsyncGenerator[Progress, None]:
        """As scripted, piece by piece."""
        if voice.name not in self.options.voices:
            raise EngineRefused(f"the {self.name} engine has no voice {voice.name!r}")
        step = self._step(next(self._numbers), spoken)
        call = self._begin(spoken, voice)
        try:
            async with aclosing(self._perform(step, call)) as progress:
                async for one in progress:
                    self.running -= 1
                    try:
                        yield one
                    finally:
                        self.running += 1
                    self.most_running = max(self.most_running, self.running)
            call.outcome = "done"
        except EngineError:
            call.outcome = "failed"
            raise
        except GeneratorExit:
            call.outcome, call.cancelled_at = "cancelled", _now()  # between two steps: there is nothing to outlast
            raise
        except asyncio.CancelledError:
            call.outcome, call.cancelled_at = "cancelled", _now()
            await _outlast_cancellation(step.stop_s)
            raise
        finally:
            call.ended_at = _now()
            self.running -= 1

    def tone(self, spoken: str, voice: Voice) -> Pcm:
        """The sound that `spoken` has in `voice` when the script does not spoil it."""
        duration_s = self.options.s_per_char * len(spoken) / voice.speed
        return Pcm(_tone(voice.name, duration_s, self.options.rate_hz), self.options.rate_hz)

    def _begin(self, spoken: str, voice: Voice) -> Call:
        call = Call(spoken, voice, _now())
        self.calls.append(call)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        return call

    def _step(self, number: int, spoken: str) -> Step:
        if callable(self.script):
            return self.script(number, spoken)
        return self.script[number] if number < len(self.script) else Step()

    async def _perform(self, step: Step, call: Call) -> AsyncGenerator[Progress, None]:
        factor = _given(step.real_time_factor, self.options.real_time_factor)
        await self._turn(step, call)
        await asyncio.sleep(_given(step.delay_s, self.options.delay_s))
        pieces = self._pieces(step, call)
        for number, piece in enumerate(pieces, 1):
            await asyncio.sleep(piece.duration_s * factor)
            call.emitted += 1
            yield Progress(piece, whole=number == len(pieces) != step.fail_after)
            await self._turn(step, call)

    async def _turn(self, step: Step, call: Call) -> None:
        """What the script has in store between two pieces."""
        if step.hang_after == call.emitted:
            await asyncio.Event().wait()
        if step.fail_after == call.emitted:
            raise step.error("as scripted")

    def _pieces(self, step: Step, call: Call) -> list[Pcm]:
        whole = _spoilt(step.sound, self.tone(call.spoken, call.voice))
        parts = np.array_split(whole.samples, _given(step.pieces, self.options.pieces))
        half = whole.rate_hz // 2 if step.sound == "rate_change" else whole.rate_hz
        rates = [whole.rate_hz if number < (len(parts) + 1) // 2 else half for number in range(len(parts))]
        return [Pcm(part, rate_hz) for part, rate_hz in zip(parts, rates, strict=True)]


class SteppedFakeEngine(FakeEngine, SteppedEngine):
    """The same in steps, as an engine has them that computes here; one that waits for its turn is not `running`."""

    def steps(self, spoken: str, voice: Voice, in_hand_s: InHand) -> AsyncGenerator[Progress, None]:
        return self._speak(spoken, voice)


def tone_hz(voice_name: str) -> float:
    """The pitch of a voice: 200 to 800 Hz, from its name."""
    return 200.0 + zlib.crc32(voice_name.encode()) % 601


def _tone(voice_name: str, duration_s: float, rate_hz: int) -> Samples:
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    wave = AMPLITUDE * np.sin(2 * np.pi * tone_hz(voice_name) * times_s)
    fade = np.minimum(times_s, times_s[::-1]) / FADE_S  # no click at either end
    return (wave * np.clip(fade, 0.0, 1.0)).astype(np.int16)


def _spoilt(sound: Sound, pcm: Pcm) -> Pcm:
    samples = pcm.samples
    if sound == "silence":
        samples = np.zeros_like(samples)
    elif sound == "empty":
        samples = samples[:0]
    elif sound == "short":
        samples = samples[: len(samples) // 10]
    elif sound == "long":
        samples = np.tile(samples, 10)
    return Pcm(samples, pcm.rate_hz)


async def _outlast_cancellation(seconds: float) -> None:
    """Sleep to the end, however often the caller cancels."""
    end = _now() + seconds
    while (left := end - _now()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            continue


def _given(value: T | None, default: T) -> T:
    return default if value is None else value


def _now() -> float:
    return asyncio.get_running_loop().time()
