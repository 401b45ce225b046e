"""Sound files: WAV, FLAC and Ogg Opus, written as the sound comes."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import IO, Protocol, Self

from unavoce.audio.libav import AvWriter
from unavoce.audio.pcm import Samples
from unavoce.errors import AudioError

_OPUS_BITRATE = 48_000
"""Bits a second. A file is kept, so a little more than what the wire gets."""


class _Writer(Protocol):
    def write(self, samples: Samples) -> None: ...
    def close(self) -> None: ...


class SoundFile:
    """A sound file to write into: `with SoundFile(path, rate_hz) as file: file.write(samples)`.

    The suffix decides the format. The file appears under its name when the block is left without an exception, whole;
    otherwise nothing appears, and a file that was there before stays as it was.
    """

    def __init__(self, path: Path | str, rate_hz: int) -> None:
        """Raises AudioError for an unknown suffix, before anything is written."""
        self._path = Path(path)
        self._rate_hz = rate_hz
        self._open = _opener(self._path)

    def __enter__(self) -> Self:
        """Raises AudioError when the folder cannot be written to or a package is missing."""
        try:
            self._file: IO[bytes] = NamedTemporaryFile(
                dir=self._path.parent, prefix=f".{self._path.name}.", delete=False
            )
        except OSError as error:
            raise AudioError(f"cannot write to the folder {self._path.parent}: {error.strerror}") from error
        try:
            self._writer = self._open(self._file, self._rate_hz)
        except BaseException:
            self._discard()
            raise
        return self

    def write(self, samples: Samples) -> None:
        """Mono samples at the file's rate, any number. Raises AudioError, e.g. when the disk is full."""
        try:
            self._writer.write(samples)
        except OSError as error:
            raise self._unwritten(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._writer.close()
                self._publish()
            else:
                self._abandon()
        except OSError as failure:
            raise self._unwritten(failure) from failure
        finally:
            self._discard()

    def _publish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        # A temporary file is its owner's alone; give it the permissions that any new file would have.
        umask = os.umask(0)
        os.umask(umask)
        Path(self._file.name).chmod(0o666 & ~umask)
        self._file.close()
        Path(self._file.name).replace(self._path)

    def _abandon(self) -> None:
        """End the writer of a file that nobody will see; an error of its own would hide the one that went before."""
        with suppress(AudioError, OSError):
            self._writer.close()

    def _discard(self) -> None:
        """Close and remove the temporary file; harmless once it was published."""
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def _unwritten(self, error: OSError) -> AudioError:
        return AudioError(f"cannot write {self._path}: {error.strerror or error}")


class _WavWriter:
    """The standard library's writer: it goes back to fill in the header's sizes at the end."""

    def __init__(self, target: IO[bytes], rate_hz: int) -> None:
        self._wave = wave.open(target, "wb")  # noqa: SIM115 - `close` closes it
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(rate_hz)

    def write(self, samples: Samples) -> None:
        self._wave.writeframesraw(samples.astype("<i2").tobytes())

    def close(self) -> None:
        self._wave.close()


def _flac(target: IO[bytes], rate_hz: int) -> _Writer:
    return AvWriter(target, "flac", "flac", rate_hz)


def _ogg(target: IO[bytes], rate_hz: int) -> _Writer:
    return AvWriter(target, "ogg", "libopus", rate_hz, _OPUS_BITRATE)


_OPENERS: dict[str, Callable[[IO[bytes], int], _Writer]] = {
    ".wav": _WavWriter,
    ".flac": _flac,
    ".ogg": _ogg,
    ".opus": _ogg,
}


def _opener(path: Path) -> Callable[[IO[bytes], int], _Writer]:
    try:
        return _OPENERS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(_OPENERS)
        raise AudioError(f"cannot tell the format of {path.name!r} by its name; it may end in {known}") from None
