"""What the adapters share: who speaks their replies, and the sound in the one rate that their framework was told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from typing import NamedTuple, Protocol

import numpy as np

from unavoce.audio.resample import Resampler, to_int16
from unavoce.narration.encoder import Format
from unavoce.narration.events import Chunk
from unavoce.remote import RemoteNarrator

SERVER_URL = "http://127.0.0.1:8010"


class Speaks(Protocol):
    """`unavoce.Narrator`, `unavoce.RemoteNarrator`, or anything else with their method."""

    def speak(
        self,
        tokens: AsyncIterable[str] | str,
        *,
        voice: str | None = None,
        speed: float = 1.0,
        format: Format | None = None,
    ) -> AsyncGenerator[Chunk, None]: ...


class Source:
    """Speaks with `narrator`, which stays the caller's to close; without one, on the server at `url`."""

    def __init__(self, narrator: Speaks | None, url: str | None, api_key: str | None) -> None:
        self._own = None if narrator is not None else RemoteNarrator(url or SERVER_URL, api_key)
        self._narrator = narrator or self._own

    def speak(self, tokens: AsyncIterable[str], voice: str | None, speed: float) -> AsyncGenerator[Chunk, None]:
        assert self._narrator is not None  # noqa: S101 - one of the two is there
        return self._narrator.speak(tokens, voice=voice, speed=speed, format="wav")

    async def close(self) -> None:
        if self._own is not None:
            await self._own.close()


class TimedWord(NamedTuple):
    """A word as displayed, and when it is heard, in seconds from the reply's first sample."""

    text: str
    start_s: float
    end_s: float


class ReplySound:
    """One reply's chunks as bytes of mono s16 at `rate_hz`, and the words in them."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._resampler: Resampler | None = None
        self._text = ""
        self._heard_s = 0.0
        self._begun_s = 0.0

    @property
    def empty(self) -> bool:
        """There was nothing to say: a reply of nothing but code, for one."""
        return self._resampler is None

    def feed(self, chunk: Chunk) -> tuple[bytes, list[TimedWord]]:
        """The chunk's sound; with the last one of a sentence that sentence's words, spread over its length by letters:
        where exactly in it each of them is heard, no engine says."""
        if self._resampler is None:
            self._resampler = Resampler(chunk.rate_hz, self._rate_hz)
        if chunk.text:
            self._text, self._begun_s = chunk.text, self._heard_s
        self._heard_s += chunk.duration_s
        words = spread(self._text, self._begun_s, self._heard_s) if chunk.last else []
        return _bytes(self._resampler.feed(chunk.samples)), words

    def end(self) -> bytes:
        """The rest of the sound; 10 ms of silence where there was none, which frameworks would take for a fault."""
        if self._resampler is None:
            return bytes(2 * (self._rate_hz // 100))
        return _bytes(self._resampler.end())


def spread(text: str, start_s: float, end_s: float) -> list[TimedWord]:
    """The words of `text`, one after the other between the two, each as long as its share of the letters."""
    words = text.split()
    letters = sum(map(len, words))
    timed, before = [], 0
    for word in words:
        after = before + len(word)
        begins, ends = (start_s + (end_s - start_s) * count / letters for count in (before, after))
        timed.append(TimedWord(word, begins, ends))
        before = after
    return timed


def _bytes(sound: np.ndarray[tuple[int], np.dtype[np.float32]]) -> bytes:
    return to_int16(sound).astype("<i2").tobytes()
