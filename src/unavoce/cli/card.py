"""The sound card, through miniaudio: its wheel holds the whole library, so no system package is needed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, Self

from unavoce.audio.pcm import Samples
from unavoce.errors import AudioError

BUFFERED_S = 2.0
"""Sound that may wait for the card; `write` waits after that."""


class Sink(Protocol):
    """Takes sound in order. Both a file and the sound card are one."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, samples: Samples) -> None: ...


class SoundCard:
    """Plays mono int16 sound at `rate_hz`. Blocks its callers: use it from a thread of your own.

    Raises `AudioError` with the remedy when there is no card, or no miniaudio.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._waiting = bytearray()
        self._changed = threading.Condition()
        self._flushed = False
        self._device = _open(rate_hz)

    def __enter__(self) -> Self:
        source = self._frames()
        next(source)
        self._device.start(source)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.drain()
        self.close()

    def close(self) -> None:
        """Give the card back, whatever is waiting."""
        self._device.close()

    def write(self, samples: Samples) -> None:
        """Queue `samples`; waits while `BUFFERED_S` of sound are waiting already."""
        limit = int(BUFFERED_S * self._rate_hz) * 2
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < limit or self._flushed)
            self._flushed = False
            self._waiting += samples.astype("<i2", copy=False).tobytes()

    def flush(self) -> None:
        """Be quiet now: forget what is waiting."""
        with self._changed:
            self._waiting.clear()
            self._flushed = True
            self._changed.notify_all()

    def drain(self) -> None:
        """Wait until everything queued has been handed to the card."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)

    @property
    def waiting_s(self) -> float:
        """Sound that the card has not taken yet."""
        with self._changed:
            return len(self._waiting) / 2 / self._rate_hz

    def _frames(self) -> Generator[bytes, int, None]:
        """What the card plays, on its own thread; silence where nothing waits."""
        count = yield b""
        while True:
            count = yield self._take(count * 2)

    def _take(self, size: int) -> bytes:
        with self._changed:
            data = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._changed.notify_all()
        return data.ljust(size, b"\0")


def _open(rate_hz: int) -> Any:
    try:
        import miniaudio  # noqa: PLC0415 - an extra, needed for this alone
    except ImportError:
        raise AudioError("sound cards need miniaudio: pip install 'unavoce[play]', or use -o FILE") from None
    # Without this list miniaudio may fall back to a null device that plays to nobody.
    real = [backend for backend in miniaudio.Backend if backend is not miniaudio.Backend.NULL]
    try:
        with _muted_stderr():
            return miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.SIGNED16,
                nchannels=1,
                sample_rate=rate_hz,
                backends=real,
                app_name="unavoce",
            )
    except miniaudio.MiniaudioError:
        raise AudioError("no sound card: use -o FILE") from None


@contextmanager
def _muted_stderr() -> Iterator[None]:
    """Sound systems print pages of complaints to descriptor 2 where there is no card; ours is one line."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
