"""WAV: RIFF with 16-bit PCM, written whole, read whole or piece by piece.

Servers that stream a WAV cannot know its length, and say so with a size of 0, 36 (a header around no data) or
0xFFFFFFFF; such a size means "to the end". Any other size is a promise, and less sound than promised is an error.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from unavoce.audio.pcm import Pcm, Samples
from unavoce.errors import AudioError

_TO_THE_END = frozenset({0, 36, 0xFFFFFFFF})
_PCM, _EXTENSIBLE = 1, 0xFFFE
_MAX_HEADER = 65_536
"""Bytes before the sound: more than any LIST or bext chunk of a speech server, little enough to hold."""
_MAX_RATE_HZ = 384_000


def wav_bytes(samples: Samples, rate_hz: int) -> bytes:
    """A whole WAV file: mono, 16-bit PCM."""
    data = np.ascontiguousarray(samples, dtype="<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, 1, rate_hz, 2 * rate_hz, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE")
    return head + form + struct.pack("<4sI", b"data", len(data)) + data


def parse_wav(data: bytes) -> Pcm:
    """The sound of a whole WAV file, stereo mixed to mono. Raises AudioError for anything else or a cut-off file."""
    reader = WavReader()
    parts = reader.feed(data)
    reader.end()
    return Pcm(parts, reader.rate_hz)


@dataclass(frozen=True, slots=True)
class _Format:
    channels: int
    rate_hz: int


class WavReader:
    """Reads a WAV as it arrives; any split of the bytes gives the same samples."""

    def __init__(self) -> None:
        self._pending = b""
        self._format: _Format | None = None
        self._in_data = False
        self._left: int | None = None
        """Bytes of sound still promised; None when it goes on to the end."""

    @property
    def rate_hz(self) -> int:
        """Known once the first samples came out of `feed`; AudioError before."""
        if self._format is None:
            raise AudioError("the WAV header is not complete yet, so its sample rate is unknown")
        return self._format.rate_hz

    def feed(self, data: bytes) -> Samples:
        """The next mono samples, perhaps none. Raises AudioError for what is not 16-bit PCM."""
        self._pending += data
        if not self._in_data:
            self._in_data = self._read_header()
        return self._take_samples() if self._in_data else np.empty(0, np.int16)

    def end(self) -> None:
        """The input is over. Raises AudioError when it was cut off."""
        if not self._in_data:
            raise AudioError("the WAV ends inside its header; was the answer cut off?")
        if self._left:
            raise AudioError(f"the WAV is cut off: {self._left} bytes of its sound are missing")
        if self._pending:
            raise AudioError("the WAV is cut off in the middle of a sample")

    def _read_header(self) -> bool:
        """Walk the chunks before the sound; true once the sound begins."""
        head = self._pending
        if not (b"RIFF".startswith(head[:4]) and b"WAVE".startswith(head[8:12])):
            raise AudioError(f"not a WAV file: it begins with {head[:12]!r} instead of RIFF and WAVE")
        at = 12
        while len(head) >= at + 8:
            name, size = struct.unpack_from("<4sI", head, at)
            if name == b"data":
                self._begin_data(at + 8, size)
                return True
            at = self._skip_chunk(name, at + 8, size)
        return False

    def _skip_chunk(self, name: bytes, start: int, size: int) -> int:
        """The next chunk's place; a `fmt ` chunk is read on the way. Chunks are padded to an even length."""
        if start + size > _MAX_HEADER:
            raise AudioError(f"the WAV has no sound in its first {_MAX_HEADER} bytes (chunk {name!r} of {size} bytes)")
        if name == b"fmt " and len(self._pending) >= start + size:
            self._format = _parse_format(self._pending[start : start + size])
        return start + size + size % 2

    def _begin_data(self, start: int, size: int) -> None:
        if self._format is None:
            raise AudioError("the WAV has sound before any format chunk")
        self._left = None if size in _TO_THE_END else size
        self._pending = self._pending[start:]

    def _take_samples(self) -> Samples:
        assert self._format is not None  # noqa: S101 - _begin_data saw to it
        width = 2 * self._format.channels
        sound = self._pending if self._left is None else self._pending[: self._left]
        whole = len(sound) - len(sound) % width
        if self._left is not None:
            self._left -= whole
        # After the promised sound come only chunks of notes, which nobody needs.
        self._pending = b"" if self._left == 0 else self._pending[whole:]
        return _mono(sound[:whole], self._format.channels)


def _parse_format(body: bytes) -> _Format:
    if len(body) < 16:
        raise AudioError(f"the WAV's format chunk has {len(body)} bytes; 16 are the least")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    if tag != _PCM or bits != 16 or channels not in (1, 2):
        raise AudioError(
            f"the WAV holds format {tag}, {bits} bits, {channels} channels; only 16-bit PCM in mono or stereo is read"
        )
    if not 0 < rate_hz <= _MAX_RATE_HZ:
        raise AudioError(f"the WAV claims a sample rate of {rate_hz} Hz")
    return _Format(channels, rate_hz)


def _mono(data: bytes, channels: int) -> Samples:
    samples: Samples = np.frombuffer(data, "<i2").astype(np.int16)
    if channels == 1:
        return samples
    mixed: Samples = (samples.reshape(-1, 2).sum(axis=1, dtype=np.int32) // 2).astype(np.int16)
    return mixed
