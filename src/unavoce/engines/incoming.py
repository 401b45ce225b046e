"""Sound as it comes in from a server: bytes to samples, small reads to pieces worth sending. Pure."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.wav import WavReader
from unavoce.errors import AudioError

FIRST_PIECE_S, LATER_PIECES_S = 0.1, 0.5
"""The first piece leaves soon; later ones are long enough that their own overhead does not matter."""
_TEXT_LOOK = 16
"""Bytes: no loud sound has this many printable ASCII characters at its start, every page and JSON answer has."""
_PACKED = {b"ID3": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC", b"RIFF": "WAV"}
"""How files begin that are no bare samples. MP3 without its tag begins as sound may, and is left to the ear."""


class SoundReader(Protocol):
    """Turns the bytes of an answer into samples; any split of the bytes gives the same samples."""

    @property
    def rate_hz(self) -> int: ...

    def feed(self, data: bytes) -> Samples:
        """The next mono samples, perhaps none. Raises AudioError for what is not sound."""

    def end(self) -> None:
        """The answer is over. Raises AudioError when it was cut off."""


class PcmReader:
    """Bare mono s16le, as servers send it that are asked for no header."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._pending = b""
        self._begun = False

    def feed(self, data: bytes) -> Samples:
        self._pending += data
        if not self._begun:
            if len(self._pending) < _TEXT_LOOK:
                return np.empty(0, np.int16)
            self._refuse_others()
        return self._take()

    def end(self) -> None:
        if not self._begun and self._pending:
            self._refuse_others()
            raise AudioError(f"the sound is only {len(self._pending)} bytes long")
        if self._pending:
            raise AudioError("the sound is cut off in the middle of a sample")

    def _refuse_others(self) -> None:
        self._begun = True
        for mark, name in _PACKED.items():
            if self._pending.startswith(mark):
                raise AudioError(f"{name} came instead of bare samples")
        head = self._pending[:_TEXT_LOOK].lstrip()
        if head[:1] in (b"<", b"{", b"[") and head.isascii() and head.decode().replace("\n", "").isprintable():
            raise AudioError("text came instead of sound")

    def _take(self) -> Samples:
        whole = len(self._pending) - len(self._pending) % 2
        sound, self._pending = self._pending[:whole], self._pending[whole:]
        return np.frombuffer(sound, "<i2").astype(np.int16)


class EitherReader:
    """What a server sends that was asked for bare mono s16le at `rate_hz`, and may send a WAV all the same."""

    def __init__(self, rate_hz: int) -> None:
        self._bare = PcmReader(rate_hz)
        self._reader: SoundReader | None = None
        self._head = b""

    @property
    def rate_hz(self) -> int:
        return (self._reader or self._bare).rate_hz

    def feed(self, data: bytes) -> Samples:
        if self._reader is None:
            self._head += data
            if len(self._head) < _TEXT_LOOK:
                return np.empty(0, np.int16)
            data, self._reader = self._head, self._chosen()
        return self._reader.feed(data)

    def end(self) -> None:
        reader = self._reader or self._chosen()
        if self._reader is None:
            reader.feed(self._head)
        reader.end()

    def _chosen(self) -> SoundReader:
        return WavReader() if self._head[:4] == b"RIFF" and self._head[8:12] == b"WAVE" else self._bare


class Pieces:
    """Gathers samples into pieces of at least FIRST_PIECE_S, then LATER_PIECES_S."""

    def __init__(self) -> None:
        self._gathered: list[Samples] = []
        self._size = 0
        self._least_s = FIRST_PIECE_S

    def feed(self, samples: Samples, rate_hz: int) -> Pcm | None:
        """A piece, when there is enough for one."""
        self._gathered.append(samples)
        self._size += len(samples)
        if self._size < self._least_s * rate_hz:
            return None
        self._least_s = LATER_PIECES_S
        return self.end(rate_hz)

    def end(self, rate_hz: int) -> Pcm | None:
        """What is left, if anything."""
        if not self._size:
            return None
        samples = np.concatenate(self._gathered)
        self._gathered, self._size = [], 0
        return Pcm(samples, rate_hz)
