"""Decoders that have nothing to do with the encoders: libsndfile for WAV, MP3 (mpg123) and Opus, FAAD2 for AAC, and
FLAC's own for FLAC, as libsndfile wants to know first how long it is, which a stream does not say."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

Sound = NDArray[np.float64]
"""Shape (n,), mono, full scale 1."""

RATE_HZ = 24_000
FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
DELAYS = {"mp3": 1105, "aac": 481, "opus": -1}
"""Samples before the sound begins, else 0. MP3: 529 of any decoder and 576 of LAME, which a stream has no place to tell
(https://lame.sourceforge.io/tech-FAQ.txt). AAC: FAAD2's own, as it doubles the rate. Opus: one and a half too early."""
LONGER = {"mp3": 1105 + 2 * 576, "aac": 2 * 1024}
"""Samples by which the sound may be longer than what was encoded, else 0: these two are made of whole frames."""
LIKENESS_DB = {"mp3": 20.0, "aac": 20.0, "opus": 12.0}
"""What is left of a sweep at the least; others lose nothing."""


def decoded(format: str, data: bytes) -> Sound:
    """The sound; fails unless it is mono at 24 kHz."""
    if format == "pcm":
        return np.frombuffer(data, "<i2") / 32768
    if format == "aac":
        return _by_faad(data)
    if format == "flac":
        return _by_flac(data)
    samples, rate_hz = soundfile.read(BytesIO(data), always_2d=True)
    assert (samples.shape[1], rate_hz) == (1, RATE_HZ)
    return samples[:, 0]


def check_length(format: str, sound: Sound, samples: int) -> None:
    """The sound has so many samples, and no more beyond them than the format's frames want."""
    assert samples <= len(sound) <= samples + LONGER.get(format, 0)


def check_likeness(format: str, sound: Sound, original: Sound) -> None:
    """Sample for sample the same, or as near as the format keeps it."""
    copy = np.roll(sound, -DELAYS.get(format, 0))[: len(original)]
    if format not in LIKENESS_DB:
        assert np.array_equal(copy, original)
    else:
        assert likeness_db(original[: len(copy)], copy) >= LIKENESS_DB[format]


def likeness_db(original: Sound, copy: Sound) -> float:
    """Signal to noise."""
    return float(10 * np.log10(np.sum(original**2) / np.sum((original - copy) ** 2)))


def _by_flac(data: bytes) -> Sound:
    """The decoder is strict: frames that are damaged or cut off are an error."""
    return _by_program("flac", data, lambda plain: ["-dfs", "-o", plain], RATE_HZ)


def _by_faad(data: bytes) -> Sound:
    """FAAD2 takes 24 kHz for half of a rate that was halved, and gives twice the rate, in two channels alike."""
    return _by_program("faad", data, lambda plain: ["-q", "-o", plain], 2 * RATE_HZ)[::2]


def _by_program(name: str, data: bytes, options: Callable[[str], list[str]], rate_hz: int) -> Sound:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"the decoder {name} is not installed")
    with TemporaryDirectory() as folder:
        coded, plain = Path(folder, "coded"), Path(folder, "plain.wav")
        coded.write_bytes(data)
        subprocess.run([program, *options(str(plain)), str(coded)], check=True, capture_output=True)
        samples, found_hz = soundfile.read(plain, always_2d=True)
    assert found_hz == rate_hz
    assert np.array_equal(samples[:, 0], samples[:, -1])
    return samples[:, 0]
