"""Sound as one continuous stream in a format: samples in, bytes out as soon as there are any.

Nothing is written twice, so a stream can leave while it is made; what a format would say at its beginning about its end
(how long it is) says "not known". How much sound each encoder holds back: docs/openai-api.md, "Formats".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import numpy as np

from unavoce.audio.libav import AvWriter
from unavoce.audio.pcm import Samples
from unavoce.audio.wav import wav_bytes

StreamFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

_UNKNOWN = struct.pack("<I", 0xFFFFFFFF)
"""A size in a WAV's header: to the end."""


class SoundStream(Protocol):
    """Takes a stream's samples, in any split, then its end. For one thread at a time."""

    def feed(self, samples: Samples) -> bytes:
        """What can leave now, perhaps nothing. Raises AudioError."""

    def end(self) -> bytes:
        """The rest. Raises AudioError."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How libav makes a format. `bitrate` in bits a second."""

    container: str
    codec: str
    bitrate: int = 0
    codec_options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)


_RECIPES: Final[Mapping[str, _Recipe]] = {
    # Without the reservoir each frame stands for itself and leaves 30 ms earlier. The Xing frame and the tag would
    # speak of a length that is not known yet.
    "mp3": _Recipe("mp3", "libmp3lame", 64_000, {"reservoir": "0"}, {"write_xing": "0", "id3v2_version": "0"}),
    # A page for each packet of 20 ms (in microseconds); libav's own choice is a second.
    "opus": _Recipe("ogg", "libopus", 48_000, container_options={"page_duration": "20000"}),
    "aac": _Recipe("adts", "aac", 64_000),
    # Frames of half the usual length, and no 8 kB of room for tags.
    "flac": _Recipe("flac", "flac", 0, {"frame_size": "1152"}, {"metadata_header_padding": "0"}),
}


def open_stream(format: StreamFormat, rate_hz: int) -> SoundStream:
    """A stream of mono sound at `rate_hz`. Raises AudioError where the package `av` is missing, but for wav and pcm.

    May read files: the package is loaded with the first stream that needs it.
    """
    if format == "pcm":
        return PcmStream()
    if format == "wav":
        return WavStream(rate_hz)
    return _AvStream(_RECIPES[format], rate_hz)


class PcmStream:
    """Bare samples: 16 bits, little-endian."""

    def feed(self, samples: Samples) -> bytes:
        return samples.astype("<i2").tobytes()

    def end(self) -> bytes:
        return b""


class WavStream:
    """WAV whose header says "to the end" (sizes of 0xFFFFFFFF), as OpenAI's does."""

    def __init__(self, rate_hz: int) -> None:
        head = wav_bytes(np.zeros(0, np.int16), rate_hz)
        self._head = head[:4] + _UNKNOWN + head[8:40] + _UNKNOWN

    def feed(self, samples: Samples) -> bytes:
        return self._take_head() + samples.astype("<i2").tobytes()

    def end(self) -> bytes:
        return self._take_head()

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head


class _AvStream:
    def __init__(self, recipe: _Recipe, rate_hz: int) -> None:
        self._made = _Made()
        self._writer = AvWriter(
            self._made,
            recipe.container,
            recipe.codec,
            rate_hz,
            recipe.bitrate,
            codec_options=recipe.codec_options,
            container_options=recipe.container_options,
        )

    def feed(self, samples: Samples) -> bytes:
        self._writer.write(samples)
        return self._made.take()

    def end(self) -> bytes:
        self._writer.close()
        return self._made.take()


class _Made:
    """What was made and not taken yet. It cannot seek, so libav hands over each packet, and returns to none."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes, /) -> int:
        self._bytes += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken
