"""WAV as strangers read and write it."""

from __future__ import annotations

import struct
import wave
from io import BytesIO

import numpy as np
import pytest
import soundfile

from unavoce.audio.wav import WavReader, parse_wav, wav_bytes
from unavoce.errors import AudioError

CLIP = (np.sin(np.arange(1_001) / 9) * 20_000).astype(np.int16)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A RIFF file of these chunks, padded to even lengths."""
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def fmt(tag: int = 1, channels: int = 1, rate_hz: int = 24_000, bits: int = 16) -> tuple[bytes, bytes]:
    width = channels * bits // 8
    return b"fmt ", struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * width, width, bits)


def test_others_read_what_we_write() -> None:
    """The standard library and libsndfile find the same samples and rate in our WAV."""
    data = wav_bytes(CLIP, 22_050)
    with wave.open(BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22_050, 1, 2)
        assert file.readframes(10_000) == CLIP.astype("<i2").tobytes()
    samples, rate_hz = soundfile.read(BytesIO(data), dtype="int16")
    assert rate_hz == 22_050
    assert np.array_equal(samples, CLIP)


def test_we_read_what_others_write() -> None:
    """A WAV of libsndfile, extensible header included, gives its samples and rate."""
    for kind in ("WAV", "WAVEX"):
        file = BytesIO()
        soundfile.write(file, CLIP, 16_000, format=kind, subtype="PCM_16")
        pcm = parse_wav(file.getvalue())
        assert pcm.rate_hz == 16_000
        assert np.array_equal(pcm.samples, CLIP)


def test_chunks_around_the_sound_are_skipped() -> None:
    """LIST chunks, of odd length too, before and after the sound are no sound."""
    data = riff(fmt(), (b"LIST", b"INFOodd"), (b"data", CLIP.tobytes()), (b"LIST", b"INFO more"))
    assert np.array_equal(parse_wav(data).samples, CLIP)


def test_stereo_becomes_mono() -> None:
    """The mean of both channels is read, without overflow at full scale."""
    stereo = np.array([[32_767, 32_767], [-32_768, -32_768], [100, 300]], np.int16)
    data = riff(fmt(channels=2), (b"data", stereo.tobytes()))
    assert parse_wav(data).samples.tolist() == [32_767, -32_768, 200]


@pytest.mark.parametrize("chunk", [fmt(tag=3, bits=32), fmt(bits=8), fmt(bits=24), fmt(channels=3), fmt(rate_hz=0)])
def test_other_formats_are_refused(chunk: tuple[bytes, bytes]) -> None:
    """Floats, 8 and 24 bits, three channels and a rate of zero are errors that say what was found."""
    with pytest.raises(AudioError, match=r"format|sample rate"):
        parse_wav(riff(chunk, (b"data", b"\0" * 48)))


@pytest.mark.parametrize("cut", [1, 3, 11, 13, 30, 43, 44, 46, 47, 500, 2_045])
def test_a_cut_file_is_an_error(cut: int) -> None:
    """A WAV of known length that stops anywhere, header or sound, is an error and not a short clip."""
    with pytest.raises(AudioError, match="cut off"):
        parse_wav(wav_bytes(CLIP, 24_000)[:cut])


def test_half_a_sample_at_an_open_end_is_an_error() -> None:
    """A stream of unknown length that stops within a sample was cut off."""
    data = bytearray(wav_bytes(CLIP, 24_000))
    data[40:44] = b"\xff" * 4
    with pytest.raises(AudioError, match="middle of a sample"):
        parse_wav(bytes(data[:-1]))


def test_junk_is_refused_at_once() -> None:
    """An error page is no WAV, and the reader says so at its first bytes."""
    with pytest.raises(AudioError, match="not a WAV"):
        WavReader().feed(b"<html>")


def test_sound_without_a_format_is_refused() -> None:
    """A data chunk before any fmt chunk cannot be read."""
    with pytest.raises(AudioError, match="before any format"):
        parse_wav(riff((b"data", b"\0" * 8)))


def test_a_header_without_end_is_refused() -> None:
    """A chunk larger than any header is not waited for."""
    with pytest.raises(AudioError, match="no sound"):
        WavReader().feed(riff(fmt()) + b"LIST" + struct.pack("<I", 10_000_000))


def test_the_rate_is_unknown_before_the_header() -> None:
    """Asking for the rate too early is an error, not a zero."""
    with pytest.raises(AudioError, match="not complete"):
        _ = WavReader().rate_hz
