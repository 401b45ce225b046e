"""An engine whose every sample tells where it belongs: noise, another for each text and the same each time."""

from __future__ import annotations

import zlib

import numpy as np
from tests.support.server import RATE_HZ

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Voice
from unavoce.engines.fake import FakeEngine, FakeOptions

LOUDNESS = 3000


class NoiseEngine(FakeEngine):
    def tone(self, spoken: str, voice: Voice) -> Pcm:
        length = round(self.options.s_per_char * len(spoken) / voice.speed * self.options.rate_hz)
        noise = np.random.default_rng(zlib.crc32(spoken.encode())).normal(0, LOUDNESS, length)
        return Pcm(noise.clip(-32_768, 32_767).astype(np.int16), self.options.rate_hz)


def noise_engine(s_per_char: float = 0.03) -> NoiseEngine:
    """Speaks at once."""
    return NoiseEngine(FakeOptions(rate_hz=RATE_HZ, s_per_char=s_per_char, delay_s=0, real_time_factor=0))
