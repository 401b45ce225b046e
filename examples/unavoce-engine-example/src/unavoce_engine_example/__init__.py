"""An engine for unavoce that chirps: every letter is a short note, every word a piece of sound."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from unavoce.audio.pcm import Pcm, Samples
from unavoce.engines.base import Emit, Engine, EngineContext, EngineOptions, Voice
from unavoce.errors import EngineRefused

RATE_HZ = 16_000
AMPLITUDE = 8_000


class ChirpOptions(EngineOptions):
    """Section `chirp` of the settings."""

    note_ms: int = Field(default=70, ge=30, le=200)


class ChirpEngine(Engine):
    name = "chirp"
    Options = ChirpOptions
    max_concurrency = 4
    in_process = True

    def __init__(self, options: ChirpOptions, context: EngineContext) -> None:
        super().__init__(options, context)
        self._note_s = options.note_ms / 1000
        self._model = f"{options.note_ms} ms {options.revision}".strip()
        self._lowest_hz = {"lark": 880.0, "owl": 220.0}

    def voices(self) -> Sequence[Voice]:
        return [Voice(self.name, name, "mul", model=self._model) for name in self._lowest_hz]

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        if voice.name not in self._lowest_hz:
            raise EngineRefused(f"the chirp engine has no voice {voice.name!r}")
        words = [word for word in spoken.split() if any(char.isalnum() for char in word)]
        if not words:
            raise EngineRefused("nothing in this text can be chirped")
        for word in words:
            emit(Pcm(self._chirp(word, voice), RATE_HZ))
            await asyncio.sleep(0)  # a place where a cancellation can come in

    def _chirp(self, word: str, voice: Voice) -> Samples:
        notes = [self._note(char, voice) for char in word]
        return np.concatenate([*notes, np.zeros(notes[0].size, np.int16)])

    def _note(self, char: str, voice: Voice) -> Samples:
        pitch_hz = self._lowest_hz[voice.name] * 2 ** (ord(char) % 24 / 12)
        times_s = np.arange(round(self._note_s / voice.speed * RATE_HZ)) / RATE_HZ
        swell = np.hanning(times_s.size)  # from nothing to nothing: no click where notes meet
        return (AMPLITUDE * swell * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.int16)
