"""Sound as it goes over the wire: WAV at once, Opus off the event loop; an encode that fails sends WAV."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal, NamedTuple

from unavoce.audio.opus import opus_bytes
from unavoce.audio.pcm import Samples
from unavoce.audio.wav import wav_bytes
from unavoce.errors import AudioError

log = logging.getLogger(__name__)

Format = Literal["wav", "opus"]
WAV_TYPE = "audio/wav"
OPUS_TYPE = "audio/ogg; codecs=opus"


class Form(NamedTuple):
    """How sound is encoded. `bitrate` in bits a second, for Opus."""

    format: Format = "wav"
    bitrate: int = 32_000

    @property
    def content_type(self) -> str:
        return OPUS_TYPE if self.format == "opus" else WAV_TYPE


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    content_type: str
    data: bytes
    samples: Samples
    """What `data` holds."""


class Encoder:
    """Encodes chunks in one format. `bitrate` in bits a second, for Opus."""

    def __init__(self, format: Format = "wav", bitrate: int = 32_000) -> None:
        self.form = Form(format, bitrate)

    async def encode(self, samples: Samples, rate_hz: int) -> Encoded:
        if self.form.format == "opus":
            try:
                data = await asyncio.to_thread(opus_bytes, samples, rate_hz, self.form.bitrate)
                return Encoded(OPUS_TYPE, data, samples)
            except AudioError as error:
                log.warning("opus_failed_sending_wav", extra={"reason": str(error)})
        return Encoded(WAV_TYPE, wav_bytes(samples, rate_hz), samples)
