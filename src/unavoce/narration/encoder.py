"""Sound as it goes over the wire: WAV at once, Opus off the event loop; an encode that fails sends WAV."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal

from unavoce.audio.opus import opus_bytes
from unavoce.audio.pcm import Samples
from unavoce.audio.wav import wav_bytes
from unavoce.errors import AudioError

log = logging.getLogger(__name__)

Format = Literal["wav", "opus"]
WAV_TYPE = "audio/wav"
OPUS_TYPE = "audio/ogg; codecs=opus"


@dataclass(frozen=True, slots=True)
class Encoded:
    content_type: str
    data: bytes


class Encoder:
    """Encodes chunks in one format. `bitrate` in bits a second, for Opus."""

    def __init__(self, format: Format = "wav", bitrate: int = 32_000) -> None:
        self._format = format
        self._bitrate = bitrate

    async def encode(self, samples: Samples, rate_hz: int) -> Encoded:
        if self._format == "opus":
            try:
                data = await asyncio.to_thread(opus_bytes, samples, rate_hz, self._bitrate)
                return Encoded(OPUS_TYPE, data)
            except AudioError as error:
                log.warning("opus_failed_sending_wav", extra={"reason": str(error)})
        return Encoded(WAV_TYPE, wav_bytes(samples, rate_hz))
