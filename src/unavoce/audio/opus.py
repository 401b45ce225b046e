"""Opus in Ogg (RFC 6716, RFC 7845), one self-contained file for each chunk.

A file's pre-skip and final granule position tell a decoder which samples are padding, so that files decode to exactly
the samples that went in and join without a gap.
"""

from __future__ import annotations

from io import BytesIO

from unavoce.audio.libav import AvWriter
from unavoce.audio.pcm import Samples
from unavoce.errors import AudioError


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
