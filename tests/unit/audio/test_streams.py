"""Continuous streams of every format, read by decoders that are not the encoders' own."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.decoders import FORMATS, RATE_HZ, check_length, check_likeness, decoded

from unavoce.audio.pcm import Samples
from unavoce.audio.streams import StreamFormat, open_stream
from unavoce.audio.wav import parse_wav
from unavoce.errors import AudioError

ENCODED: tuple[StreamFormat, ...] = ("mp3", "opus", "aac", "flac")
HELD_BACK = {"mp3": 5, "opus": 2, "aac": 9, "flac": 5, "wav": 1, "pcm": 1}
"""Hundredths of a second of sound until there are bytes."""


def sweep(count: int) -> Samples:
    times_s = np.arange(count) / RATE_HZ
    return (8_000 * np.sin(2 * np.pi * (600 * times_s + 400 * times_s**2))).astype(np.int16)


def encoded(format: StreamFormat, samples: Samples, pieces: Sequence[int] = ()) -> bytes:
    """`pieces`: where the samples are parted."""
    stream = open_stream(format, RATE_HZ)
    return b"".join([*(stream.feed(piece) for piece in np.split(samples, pieces)), stream.end()])


@pytest.mark.parametrize("format", FORMATS)
def test_it_is_the_same_sound(format: StreamFormat) -> None:
    """What an independent decoder finds has the right length, and is the original or as near as the format keeps it."""
    original = sweep(3 * RATE_HZ + 17)
    sound = decoded(format, encoded(format, original, range(0, len(original), 7_000)))
    check_length(format, sound, len(original))
    check_likeness(format, sound, original / 32768)


@pytest.mark.parametrize("format", FORMATS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_split_gives_the_same_bytes_of_sound(format: StreamFormat, data: st.DataObject) -> None:
    """However the samples fall, the stream is the same but for what names it."""
    samples = sweep(data.draw(st.integers(1, 6_000)))
    cuts = data.draw(st.lists(st.integers(0, len(samples)), max_size=8).map(sorted))
    one, other = encoded(format, samples), encoded(format, samples, cuts)
    if format == "opus":  # an Ogg stream bears a random number
        assert np.array_equal(decoded(format, one), decoded(format, other))
    else:
        assert one == other


@pytest.mark.parametrize("format", FORMATS)
def test_little_is_held_back(format: StreamFormat) -> None:
    """From the very first on, so much new sound always brings bytes."""
    stream = open_stream(format, RATE_HZ)
    made = [bool(stream.feed(hundredth)) for hundredth in np.split(sweep(3 * RATE_HZ), 300)]
    waits = "".join("." if one else "w" for one in made).split(".")
    assert max(len(wait) for wait in waits) + 1 <= HELD_BACK[format]


@pytest.mark.parametrize("format", ENCODED)
def test_sound_that_broke_off_is_playable_up_to_there(format: StreamFormat) -> None:
    """What left before the end can be decoded at any time, but for what was held back."""
    stream = open_stream(format, RATE_HZ)
    left = stream.feed(sweep(RATE_HZ))
    if format != "flac":  # its own decoder stops at what is missing
        assert len(decoded(format, left)) > 0.85 * RATE_HZ
    assert stream.end()


@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_may_be_left(format: StreamFormat) -> None:
    """One that is never ended is no trouble, whether it was fed or not."""
    for count in (0, RATE_HZ):
        stream = open_stream(format, RATE_HZ)
        stream.feed(sweep(count))
        del stream


def test_wav_says_to_the_end() -> None:
    """Both sizes are 0xFFFFFFFF, the header leaves with the first sound, and a stream without sound has one too."""
    data = encoded("wav", sweep(1_000))
    assert data[4:8] == data[40:44] == b"\xff" * 4
    assert np.array_equal(parse_wav(data).samples, sweep(1_000))
    assert len(encoded("wav", sweep(0))) == 44


def test_pcm_has_no_header() -> None:
    """Two bytes a sample, the lower one first."""
    assert encoded("pcm", np.array([1, -2], np.int16)) == b"\x01\x00\xfe\xff"


def test_without_the_package_wav_and_pcm_still_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others say what to install."""
    ordinary = builtins.__import__

    def without_av(name: str, *rest: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError("no module named av")
        return ordinary(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_av)
    assert encoded("wav", sweep(10))
    assert encoded("pcm", sweep(10))
    for format in ENCODED:
        with pytest.raises(AudioError, match=r"pip install 'unavoce\[codecs\]'"):
            open_stream(format, RATE_HZ)
