"""What it costs to send Opus instead of WAV: CPU time and bytes of five seconds of real speech."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import process_time

import numpy as np
import soxr  # type: ignore[import-untyped]

from bench.figures import Spread
from bench.report import Grid, Report
from bench.speakers import piper_voice
from unavoce.audio.opus import opus_bytes
from unavoce.audio.pcm import Samples
from unavoce.audio.wav import wav_bytes

RATE_HZ = 24_000
CLIP_S = 5
BITRATE = 32_000
TEXT = (
    "The kettle is on, the lights are low, and dinner will be served at eight. "
    "If you drop a pebble into the well behind the house, you can count to four before you hear it."
)


async def run(repeat: int) -> Report:
    speech = await asyncio.to_thread(_speech)
    times = max(5, repeat * 5)
    wav, wav_ms = await asyncio.to_thread(_encode, lambda: wav_bytes(speech, RATE_HZ), times)
    opus, opus_ms = await asyncio.to_thread(_encode, lambda: opus_bytes(speech, RATE_HZ, BITRATE), times)
    rows = [
        ["WAV", wav_ms.shown(), f"{len(wav):,}", "1.0"],
        [f"Opus, {BITRATE // 1000} kbit/s", opus_ms.shown(), f"{len(opus):,}", f"{len(wav) / len(opus):.1f}"],
    ]
    title = f"Encoding {CLIP_S} s of speech at {RATE_HZ / 1000:g} kHz"
    figures = {
        "wav": {"bytes": len(wav), "cpu_ms": wav_ms.median},
        "opus": {"bytes": len(opus), "cpu_ms": opus_ms.median, "bitrate": BITRATE},
    }
    return Report(figures, [Grid(title, ["format", "CPU ms", "bytes", "WAV ÷"], rows)])


def _speech() -> Samples:
    parts = list(piper_voice().synthesize(TEXT))
    samples = np.concatenate([part.audio_int16_array for part in parts])
    resampled: Samples = soxr.resample(samples, parts[0].sample_rate, RATE_HZ)
    return resampled[: CLIP_S * RATE_HZ]


def _encode(encode: Callable[[], bytes], times: int) -> tuple[bytes, Spread]:
    """The encoded clip, and the CPU milliseconds it took over `times` goes, the first one left out."""
    data = encode()
    taken = []
    for _ in range(times):
        began_s = process_time()
        data = encode()
        taken.append((process_time() - began_s) * 1000)
    return data, Spread.of(taken)
