"""A recital as bytes: encoded in one continuous stream, off the event loop, and only whole sound looks whole."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import numpy as np

from unavoce.audio.pcm import Samples
from unavoce.audio.streams import SoundStream, StreamFormat, open_stream
from unavoce.chat.recital import Recital
from unavoce.errors import AudioError, EngineError
from unavoce.server.speech.refusals import SpeechRefused, body_of

RATE_HZ: Final = 24_000
"""Of every format, as OpenAI's `pcm` has it."""
SLICE: Final = RATE_HZ // 2
"""Samples encoded at a time: of a long chunk the first bytes leave before the rest is encoded."""
NOTHING_SAID_S: Final = 0.1
"""Silence, for a text in which there is nothing to say: a file without a sample is none."""
TOKENS_PER_S: Final = 20
"""Of sound, in `usage`: about what OpenAI's own speech models take."""


async def stream_for(format: StreamFormat) -> SoundStream:
    """Raises SpeechRefused where the encoder is not installed."""
    try:
        return await asyncio.to_thread(open_stream, format, RATE_HZ)
    except AudioError as error:
        message = f"{format} cannot be made here, wav and pcm can: {error}"
        raise SpeechRefused(400, "unsupported_format", message, param="response_format") from error


class EncodedSound:
    """A recital's sound in one format."""

    def __init__(self, recital: Recital, stream: SoundStream) -> None:
        self._recital = recital
        self._stream = stream
        self._samples = 0

    @property
    def duration_s(self) -> float:
        """Of what was made so far."""
        return self._samples / RATE_HZ

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """As soon as there are any. Raises SpeechRefused when the text was not, or not wholly, spoken."""
        try:
            async for chunk in self._recital:
                for start in range(0, len(chunk.samples), SLICE):
                    if part := await self._feed(chunk.samples[start : start + SLICE]):
                        yield part
            _check(self._recital)
            if not self._samples:
                yield await self._feed(np.zeros(round(NOTHING_SAID_S * RATE_HZ), np.int16))
            if part := await asyncio.to_thread(self._stream.end):
                yield part
        except (EngineError, AudioError) as error:
            raise SpeechRefused(503, "speech_failed", str(error)) from error

    async def _feed(self, samples: Samples) -> bytes:
        self._samples += len(samples)
        # Whoever stops waiting leaves the encoder to its thread, and does not touch it again.
        return await asyncio.to_thread(self._stream.feed, samples)


def _check(recital: Recital) -> None:
    """Raises EngineError unless everything was spoken."""
    recital.check()
    if (reason := recital.narrator.reason) != "complete":
        raise EngineError(f"the reply ended early, as {reason}")


async def as_events(sound: EncodedSound, text: str) -> AsyncGenerator[bytes, None]:
    """The same as OpenAI's server-sent events. What goes wrong after the first of them is told as one, then raised."""
    begun = False
    async with aclosing(sound.parts()) as parts:
        try:
            async for part in parts:
                yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()})
                begun = True
        except SpeechRefused as error:
            if begun:
                yield _event({"type": "error", "error": body_of(error)})
            raise
    yield _event({"type": "speech.audio.done", "usage": _usage(text, sound.duration_s)})


def _usage(text: str, duration_s: float) -> dict[str, int]:
    """Code points of the text, and twentieths of a second of sound: nothing here is counted in a model's tokens."""
    said, heard = len(text), math.ceil(duration_s * TOKENS_PER_S)
    return {"input_tokens": said, "output_tokens": heard, "total_tokens": said + heard}


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
