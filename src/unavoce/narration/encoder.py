"""Sound as it goes over the wire: WAV at once, Opus off the event loop; an encode that fails sends WAV."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from unavoce.audio.opus import PRE_ROLL_S, OpusPiece, OpusPieces, load_opus, opus_is_loaded
from unavoce.audio.pcm import Samples
from unavoce.audio.wav import wav_bytes
from unavoce.errors import AudioError

log = logging.getLogger(__name__)

Format = Literal["wav", "opus"]
WAV_TYPE = "audio/wav"
OPUS_TYPE = "audio/ogg; codecs=opus"
LEAST_OPUS_S = 0.5
"""Of a piece, while its listener has sound in hand: in shorter ones Ogg's heads and the pre-roll weigh too much."""


class Form(NamedTuple):
    """How sound is encoded. `bitrate` in bits a second, for Opus."""

    format: Format = "wav"
    bitrate: int = 32_000

    @property
    def content_type(self) -> str:
        return OPUS_TYPE if self.format == "opus" else WAV_TYPE

    @property
    def least_s(self) -> float:
        """A shorter piece is better joined with the next one."""
        return LEAST_OPUS_S if self.format == "opus" else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    content_type: str
    data: bytes
    samples: Samples
    """What `data` holds."""


class _Made(NamedTuple):
    """`taken`: how many of the samples that wait `data` holds."""

    content_type: str
    data: bytes
    taken: int


_Encode = Callable[[OpusPieces, Samples], OpusPiece]


class Encoder:
    """Encodes chunks in one format. `bitrate` in bits a second, for Opus."""

    def __init__(self, format: Format = "wav", bitrate: int = 32_000) -> None:
        self.form = Form(format, bitrate)

    def begin(self, rate_hz: int) -> Encoding:
        """A sound that leaves in pieces which join without a seam: of a sentence, all that one voice says at a time."""
        return Encoding(self.form, rate_hz)

    async def load(self) -> None:
        """Have everything loaded that the first sound of a process would wait for."""
        if self.form.format == "opus" and not opus_is_loaded():
            with suppress(AudioError):  # then each chunk says so, and is counted
                await asyncio.to_thread(load_opus)


class Encoding:
    """One sound on its way out: what is added waits until it leaves, a piece at a time."""

    def __init__(self, form: Form, rate_hz: int) -> None:
        self._form = form
        self._rate_hz = rate_hz
        self._waiting: Samples = np.zeros(0, np.int16)
        self._opus: OpusPieces | None = None
        self._unencoded = 0
        """The last of what waits, that the encoder has not seen yet; in samples."""
        self.left: list[Encoded] = []

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that were added and have not left."""
        return len(self._waiting) / self._rate_hz

    def add(self, samples: Samples) -> None:
        self._waiting = np.concatenate([self._waiting, samples])
        self._unencoded += len(samples)

    async def piece(self) -> Encoded | None:
        """What waits, as far as it can leave: Opus keeps a little back (`OpusPieces.feed`). None where nothing can."""
        made = await self._made(OpusPieces.feed)
        return self._leave(made) if made.taken else None

    async def rest(self, samples: Samples) -> Encoded:
        """All that waits, and `samples`; together at least one sample. Nothing may be added after it."""
        self.add(samples)
        return self._leave(await self._made(OpusPieces.end))

    async def _made(self, encode: _Encode) -> _Made:
        """Opus, or WAV where that failed: then what follows is tried again, by another encoder."""
        fresh, self._unencoded = self._waiting[len(self._waiting) - self._unencoded :], 0
        if self._form.format == "opus":
            try:
                self._opus, piece = await asyncio.to_thread(self._encode, encode, fresh)
                return _Made(OPUS_TYPE, piece.data, piece.taken)
            except AudioError as error:
                self._opus = None
                log.warning("opus_failed_sending_wav", extra={"reason": str(error)})
        return _Made(WAV_TYPE, wav_bytes(self._waiting, self._rate_hz), len(self._waiting))

    def _encode(self, encode: _Encode, fresh: Samples) -> tuple[OpusPieces, OpusPiece]:
        """In a thread; where the reply ends meanwhile, nobody touches the encoder again."""
        opus = self._opus or OpusPieces(self._rate_hz, self._form.bitrate, self._tail())
        return opus, encode(opus, fresh)

    def _tail(self) -> Samples | None:
        """The last of what left, for an encoder that takes over in the middle."""
        if not self.left:
            return None
        return np.concatenate([sound.samples for sound in self.left])[-round(PRE_ROLL_S * self._rate_hz) :]

    def _leave(self, made: _Made) -> Encoded:
        sound = Encoded(made.content_type, made.data, self._waiting[: made.taken])
        self._waiting = self._waiting[made.taken :]
        self.left.append(sound)
        return sound
