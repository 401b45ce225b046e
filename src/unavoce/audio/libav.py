"""The one place that touches PyAV, an optional package: samples in, packets of a container out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from unavoce.audio.pcm import Samples
from unavoce.audio.resample import Resampler, to_int16
from unavoce.errors import AudioError

OPUS_RATES_HZ = (16_000, 24_000, 48_000)
"""Lowest first. libopus takes 8 and 12 kHz too, but then a lone packet is trimmed wrongly (8 kHz) and moving
tones come out distorted (both)."""
_OPUS_OPTIONS = {"application": "voip", "compression_level": "5"}
"""Complexity 5 takes two thirds of the time of the default, which is 10 and meant for music."""


def load_av() -> ModuleType:
    """PyAV, or AudioError with the remedy."""
    try:
        import av  # noqa: PLC0415 - optional and large
    except ImportError as error:
        raise AudioError("MP3, Opus, AAC and FLAC need the package `av`: pip install 'unavoce[codecs]'") from error
    return av


class Target(Protocol):
    """Where bytes go. What cannot `seek` is only ever added to."""

    def write(self, data: bytes, /) -> int: ...


class AvWriter:
    """Encodes a stream of samples into a container. Raises AudioError for whatever libav refuses."""

    def __init__(
        self,
        target: Target,
        container: str,
        codec: str,
        rate_hz: int,
        bitrate: int = 0,
        *,
        codec_options: Mapping[str, str] | None = None,
        container_options: Mapping[str, str] | None = None,
    ) -> None:
        """`bitrate` in bits a second, for lossy codecs; `codec` as libav calls its encoder, e.g. `libopus` or `flac`.

        The options are libav's own: https://ffmpeg.org/ffmpeg-codecs.html and ffmpeg-formats.html.
        """
        opus = codec == "libopus"
        self._rate_hz = opus_rate_hz(rate_hz) if opus else rate_hz
        self._resampler = Resampler(rate_hz, self._rate_hz)
        self._av = load_av()
        with _translated():
            self._container = self._av.open(
                target, "w", format=container, container_options=dict(container_options or {})
            )
            options = {**(_OPUS_OPTIONS if opus else {}), **(codec_options or {})}
            self._stream = self._container.add_stream(codec, rate=self._rate_hz, layout="mono", options=options)
            if bitrate:
                self._stream.bit_rate = bitrate
        self._written = 0

    def write(self, samples: Samples) -> None:
        self._encode(to_int16(self._resampler.feed(samples)))

    def close(self) -> None:
        """Encode the rest (10 ms of silence where there was nothing at all) and write the container's end."""
        self._encode(to_int16(self._resampler.end()))
        if not self._written:
            # A file of these formats without a single frame cannot be read back.
            self._encode(np.zeros(self._rate_hz // 100, np.int16))
        with _translated():
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def _encode(self, samples: Samples) -> None:
        if len(samples) == 0:
            return
        with _translated():
            frame = _frame(self._av, samples, self._rate_hz, self._written)
            self._written += len(samples)
            self._container.mux(self._stream.encode(frame))


class OpusEncoder:
    """libopus alone: a stream of samples in, packets of 20 ms out as soon as they are whole. Raises AudioError for
    whatever libav refuses."""

    def __init__(self, rate_hz: int, bitrate: int, options: Mapping[str, str]) -> None:
        """`rate_hz`: one of OPUS_RATES_HZ. `bitrate` in bits a second. The options are libav's own."""
        self._rate_hz = rate_hz
        self._fed = 0
        self._av = load_av()
        with _translated():
            codec = self._av.CodecContext.create("libopus", "w")
            codec.sample_rate, codec.layout, codec.format = rate_hz, "mono", "s16"
            codec.bit_rate, codec.options = bitrate, {**options, "frame_duration": "20"}
            codec.open()
        self._codec = codec

    @property
    def lookahead(self) -> int:
        """Samples at 48 kHz that a decoder gives before those that were encoded."""
        return int.from_bytes(bytes(self._codec.extradata)[10:12], "little")

    def feed(self, samples: Samples) -> list[bytes]:
        """The packets that are whole now; what fills none is kept until there is more."""
        if len(samples) == 0:
            return []
        with _translated():
            frame = _frame(self._av, samples, self._rate_hz, self._fed)
            self._fed += len(samples)
            return [bytes(packet) for packet in self._codec.encode(frame)]


def opus_rate_hz(rate_hz: int) -> int:
    """The rate to encode at: the same, or the next that Opus knows."""
    return next((rate for rate in OPUS_RATES_HZ if rate >= rate_hz), OPUS_RATES_HZ[-1])


def _frame(av: ModuleType, samples: Samples, rate_hz: int, at: int) -> Any:
    """Mono sound that begins `at` samples into its stream."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate_hz, at
    return frame


@contextmanager
def _translated() -> Iterator[None]:
    """PyAV's errors derive from FFmpegError, and from the built-in ones for wrong arguments."""
    try:
        yield
    except (load_av().FFmpegError, ValueError, TypeError, OverflowError) as error:
        raise AudioError(f"the sound could not be encoded: {error}") from error
