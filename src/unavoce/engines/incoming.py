"""Sound as it comes in from a server: bytes to samples, small reads to pieces worth sending. Pure."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from unavoce.audio.pcm import Pcm, Samples
from unavoce.errors import AudioError

FIRST_PIECE_S, LATER_PIECES_S = 0.1, 0.5
"""The first piece leaves soon; later ones are long enough that their own overhead does not matter."""
_TEXT_LOOK = 16
"""Bytes: no loud sound has this many printable ASCII characters at its start, every page and JSON answer has."""


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
            self._refuse_text()
        return self._take()

    def end(self) -> None:
        if not self._begun and self._pending:
            self._refuse_text()
            raise AudioError(f"the sound is only {len(self._pending)} bytes long")
        if self._pending:
            raise AudioError("the sound is cut off in the middle of a sample")

    def _refuse_text(self) -> None:
        self._begun = True
        head = self._pending[:_TEXT_LOOK].lstrip()
        if head[:1] in (b"<", b"{", b"[") and head.isascii() and head.decode().replace("\n", "").isprintable():
            raise AudioError("text came instead of sound")

    def _take(self) -> Samples:
        whole = len(self._pending) - len(self._pending) % 2
        sound, self._pending = self._pending[:whole], self._pending[whole:]
        return np.frombuffer(sound, "<i2").astype(np.int16)


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
