"""Opus in Ogg (RFC 6716, RFC 7845), one self-contained file for each chunk.

A file's pre-skip and final granule position tell a decoder which samples are padding, so that files decode to exactly
the samples that went in and join without a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np

from unavoce.audio.libav import AvWriter, load_av
from unavoce.audio.pcm import Samples
from unavoce.audio.resample import resampled
from unavoce.errors import AudioError

MAX_DECODED_S = 300
"""Silence packs well: a small file could hold hours."""
_DECODED_HZ = 48_000
"""Whatever rate went in."""


def opus_bytes(samples: Samples, rate_hz: int, bitrate: int) -> bytes:
    """An Ogg Opus file, mono, `bitrate` bits a second; decodes to len(samples) · 48000 / rate_hz samples at 48 kHz.

    Rates that Opus does not know are resampled first. Raises AudioError for no samples at all, for a bit rate out of
    libopus's range, or when the package `av` is missing.
    """
    if len(samples) == 0:
        raise AudioError("an Opus file needs at least one sample")
    if not 500 <= bitrate <= 256_000:
        raise AudioError(f"Opus speaks mono at 500 to 256000 bits a second, not at {bitrate}")
    file = BytesIO()
    writer = AvWriter(file, "ogg", "libopus", rate_hz, bitrate)
    writer.write(samples)
    writer.close()
    return file.getvalue()


def opus_samples(data: bytes, rate_hz: int) -> Samples:
    """The sound of a whole Ogg Opus file, stereo mixed to mono, at `rate_hz`.

    Raises AudioError for what is no such file or is longer than MAX_DECODED_S, or when the package `av` is missing.
    """
    parts, count = [np.empty(0, np.int16)], 0
    for part in _decoded(data):
        parts.append(part)
        count += len(part)
        if count > MAX_DECODED_S * _DECODED_HZ:
            raise AudioError(f"an Opus file decodes to more than {MAX_DECODED_S} s")
    return resampled(np.concatenate(parts), _DECODED_HZ, rate_hz)


def _decoded(data: bytes) -> Iterator[Samples]:
    av = load_av()
    to_mono = av.AudioResampler(format="s16", layout="mono", rate=_DECODED_HZ)
    try:
        with av.open(BytesIO(data), format="ogg") as file:
            for frame in file.decode(audio=0):
                yield from (part.to_ndarray()[0] for part in to_mono.resample(frame))
    except (av.FFmpegError, IndexError) as error:
        raise AudioError(f"not an Ogg Opus file: {error}") from error
