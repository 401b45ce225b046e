"""Ogg Opus read by two decoders that share no code: libavcodec's own, and libopus by way of libsndfile; and sound that
is hard to join."""

from __future__ import annotations

from io import BytesIO

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from unavoce.audio.pcm import Samples

Sound = NDArray[np.float64]
"""Shape (n,), mono, full scale 1."""


def by_libav(data: bytes) -> Sound:
    """Decoded by libavcodec's own decoder, at 48 kHz."""
    with av.open(BytesIO(data)) as file:
        assert file.streams.audio[0].codec_context.codec.name == "opus"
        return np.concatenate([frame.to_ndarray().mean(axis=0) for frame in file.decode(audio=0)]).astype(np.float64)


def by_libsndfile(data: bytes) -> tuple[Sound, int]:
    """Decoded by libopus, at the rate the file names as its input's."""
    samples, rate_hz = soundfile.read(BytesIO(data))
    return samples, rate_hz


def babble(seconds: float, rate_hz: int, seed: int = 0) -> Samples:
    """A gliding voice with formants, hisses and pops between, and pauses: whatever a coder finds hard in speech."""
    random, count = np.random.default_rng(seed), round(seconds * rate_hz)
    at_s = np.arange(count) / rate_hz
    pitch_hz = 120 + 40 * np.sin(2 * np.pi * 0.7 * at_s) + 25 * np.sin(2 * np.pi * 2.3 * at_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    voice = sum(np.sin(n * phase) / n * (1 + np.cos(2 * np.pi * 1.1 * at_s + n)) for n in range(1, 25))
    loud = np.repeat(random.uniform(0, 1, int(seconds * 8) + 1), rate_hz // 8 + 1)[:count]
    hiss = random.normal(0, 1, count) * np.repeat(random.uniform(0, 1, int(seconds * 5) + 1), rate_hz // 5 + 1)[:count]
    return np.clip((voice * loud + 0.3 * hiss**3 / 4) * 4_000, -30_000, 30_000).astype(np.int16)


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2))) if len(sound) else 0.0
