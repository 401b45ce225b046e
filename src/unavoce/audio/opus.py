"""Opus in Ogg (RFC 6716, RFC 7845): sound in pieces, each a file of its own, that join without a seam.

A file's pre-skip and final granule position tell a decoder which samples are padding, so that files decode to exactly
the samples that went in. One encoder makes all packets of a sound; the files share them out, and each begins with the
last packets of the one before it, which bring its decoder to where the whole sound's would be and are left out by the
pre-skip. Why, and what else was tried: docs/decisions/019-opus.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO
from typing import NamedTuple

import numpy as np

from unavoce.audio.libav import OpusEncoder, load_av, opus_rate_hz
from unavoce.audio.ogg import PACKET, alike, ogg_opus
from unavoce.audio.pcm import Samples
from unavoce.audio.resample import Resampler, resampled, to_int16
from unavoce.errors import AudioError

MAX_DECODED_S = 300
"""Silence packs well: a small file could hold hours."""
DECODED_HZ = 48_000
"""Whatever rate went in."""
PRE_ROLL_S = 0.08
"""Sound that a piece repeats for its decoder's sake: what RFC 7845 asks for before a seek."""
_PRE_ROLL = round(PRE_ROLL_S * DECODED_HZ) // PACKET

_OPTIONS: Mapping[str, str] = {
    # CELT at every rate: a third of the time of the modes for speech, and its decoder forgets soonest where it came
    # from. How they sound: docs/decisions/019-opus.md.
    "application": "lowdelay",
    "compression_level": "5",
    # Else the bit rate is passed by a fifth.
    "vbr": "constrained",
    # Nothing is lost on the way; but packets then lean less on those before them, which a piece's decoder has not seen.
    "packet_loss": "20",
}


class OpusPiece(NamedTuple):
    """`data` decodes to the next `taken` samples (of those that went in); empty where none can leave yet."""

    data: bytes
    taken: int


class OpusPieces:
    """One sound as Ogg Opus files, mono, `bitrate` bits a second. For one thread at a time.

    A file decodes to its taken · 48000 / rate_hz samples at 48 kHz; where that is no whole number, the ends of the
    files are those of the sound, rounded down. Rates that Opus does not know are resampled first.

    Raises AudioError for a bit rate out of libopus's range, for whatever libav refuses, or when the package `av` is
    missing.
    """

    def __init__(self, rate_hz: int, bitrate: int, before: Samples | None = None) -> None:
        """`before`: the last PRE_ROLL_S of what was heard before the first piece, where they must join."""
        if not 500 <= bitrate <= 256_000:
            raise AudioError(f"Opus speaks mono at 500 to 256000 bits a second, not at {bitrate}")
        self._rate_hz = rate_hz
        self._encoder_hz = opus_rate_hz(rate_hz)
        self._resampler = Resampler(rate_hz, self._encoder_hz)
        self._encoder = OpusEncoder(self._encoder_hz, bitrate, _OPTIONS)
        self._packets: list[bytes] = []
        """Those that are still needed; `_first` is the number of the first of them in the stream."""
        self._first = 0
        self._resampled = self._fed = self._left = 0
        """Samples given to the encoder, at its rate; samples that came and that have left, at ours."""
        if before is not None:
            self._feed(before)
            self._left = self._fed

    def feed(self, samples: Samples) -> OpusPiece:
        """What can leave now: up to 25 ms are kept back (75 where the rate is none of Opus's)."""
        self._feed(samples)
        decodable = (self._first + len(self._packets)) * PACKET - self._encoder.lookahead
        # The last sample that begins within what a decoder would have by now.
        return self._piece(min(((decodable + 1) * self._rate_hz - 1) // DECODED_HZ, self._fed))

    def end(self, samples: Samples) -> OpusPiece:
        """The rest. Nothing may be fed after it. Raises AudioError where not a single sample is left."""
        self._feed(samples)
        if self._fed <= self._left:
            raise AudioError("an Opus file needs at least one sample")
        self._encode(to_int16(self._resampler.end()))
        whole = -(-self._position(self._fed) // PACKET) * self._encoder_hz * PACKET // DECODED_HZ
        self._encode(np.zeros(max(0, whole - self._resampled), np.int16))
        return self._piece(self._fed)

    def _feed(self, samples: Samples) -> None:
        self._fed += len(samples)
        self._encode(to_int16(self._resampler.feed(samples)))

    def _encode(self, samples: Samples) -> None:
        self._resampled += len(samples)
        self._packets += self._encoder.feed(samples)

    def _position(self, count: int) -> int:
        """Where in a decoder's output the sound's sample number `count` is."""
        return count * DECODED_HZ // self._rate_hz + self._encoder.lookahead

    def _piece(self, until: int) -> OpusPiece:
        if until <= self._left:
            return OpusPiece(b"", 0)
        start, end = self._position(self._left), self._position(until)
        self._drop(start)
        packets = self._packets[: -(-end // PACKET) - self._first]
        pre_skip = start - self._first * PACKET
        data = ogg_opus(packets, pre_skip=pre_skip, samples=end - start, rate_hz=self._encoder_hz)
        taken, self._left = until - self._left, until
        return OpusPiece(data, taken)

    def _drop(self, start: int) -> None:
        """Of the packets before the one that `start` is in, only the pre-roll is needed, as far as it is like that one
        (libopus seldom changes the bandwidth)."""
        heard = start // PACKET
        first = max(heard - _PRE_ROLL, self._first)
        kept = self._packets[first - self._first : heard + 1 - self._first]
        unlike = [at for at, packet in enumerate(kept[:-1]) if not alike(packet, kept[-1])]
        first += unlike[-1] + 1 if unlike else 0
        del self._packets[: first - self._first]
        self._first = first


def opus_bytes(samples: Samples, rate_hz: int, bitrate: int) -> bytes:
    """A whole sound as one Ogg Opus file (`OpusPieces`). Raises AudioError, also for no samples at all."""
    return OpusPieces(rate_hz, bitrate).end(samples).data


@cache
def load_opus() -> None:
    """Load what the first Opus of a process waits 60 ms for. Raises AudioError where there is none to load."""
    opus_bytes(np.zeros(PACKET, np.int16), DECODED_HZ, 32_000)


def opus_is_loaded() -> bool:
    """There is nothing left to wait for."""
    return load_opus.cache_info().currsize > 0


def opus_samples(data: bytes, rate_hz: int) -> Samples:
    """The sound of a whole Ogg Opus file, stereo mixed to mono, at `rate_hz`.

    Raises AudioError for what is no such file or is longer than MAX_DECODED_S, or when the package `av` is missing.
    """
    parts, count = [np.empty(0, np.int16)], 0
    for part in _decoded(data):
        parts.append(part)
        count += len(part)
        if count > MAX_DECODED_S * DECODED_HZ:
            raise AudioError(f"an Opus file decodes to more than {MAX_DECODED_S} s")
    sound = np.concatenate(parts)
    if DECODED_HZ % rate_hz == 0 and _input_hz(data) <= rate_hz:
        # What libopus itself does for such rates. A filter would not know what lies beyond a piece's ends: a click.
        return sound[:: DECODED_HZ // rate_hz].copy()
    return resampled(sound, DECODED_HZ, rate_hz)


def _input_hz(data: bytes) -> int:
    """The rate of what was encoded, which holds nothing above half of it, as a file that was decoded names it."""
    named_hz = int.from_bytes(data[data.find(b"OpusHead") + 12 :][:4], "little")
    return named_hz or DECODED_HZ


def _decoded(data: bytes) -> Iterator[Samples]:
    av = load_av()
    to_mono = av.AudioResampler(format="s16", layout="mono", rate=DECODED_HZ)
    try:
        with av.open(BytesIO(data), format="ogg") as file:
            for frame in file.decode(audio=0):
                yield from (part.to_ndarray()[0] for part in to_mono.resample(frame))
    except (av.FFmpegError, IndexError) as error:
        raise AudioError(f"not an Ogg Opus file: {error}") from error
