"""Opus that two decoders, neither of them ours, read to the exact sample."""

from __future__ import annotations

import builtins
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.opus import by_libav, by_libsndfile

from unavoce.audio import opus
from unavoce.audio.opus import opus_bytes, opus_samples
from unavoce.audio.pcm import Samples
from unavoce.errors import AudioError

RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 44_100, 48_000]


def tone(count: int, rate_hz: int) -> Samples:
    return (np.sin(2 * np.pi * 440 * np.arange(count) / rate_hz) * 9_000).astype(np.int16)


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 6_000), st.sampled_from(RATES))
def test_two_decoders_find_the_exact_length(count: int, rate_hz: int) -> None:
    """Both decoders give the scaled number of samples: exactly where no resampling was needed, else within a sample."""
    data = opus_bytes(tone(count, rate_hz), rate_hz, 32_000)
    samples, named_hz = by_libsndfile(data)
    slack = 0 if rate_hz in (16_000, 24_000, 48_000) else 48_000 / named_hz
    assert abs(len(by_libav(data)) - count * 48_000 / rate_hz) <= slack
    assert abs(len(samples) / named_hz - count / rate_hz) <= slack / 48_000 + 1e-9


def chirp(rate_hz: int) -> np.ndarray:
    """A second from 200 to 2,000 Hz, which is like itself in one place only."""
    at = np.arange(rate_hz) / rate_hz
    return np.sin(2 * np.pi * (200 * at + 900 * at**2)) * 9_000


@pytest.mark.parametrize("rate_hz", RATES)
def test_the_sound_is_the_same_and_in_its_place(rate_hz: int) -> None:
    """What is decoded is the sound that went in, not shifted (within 0.2 ms): the pre-skip is taken off."""
    decoded = by_libav(opus_bytes(chirp(rate_hz).astype(np.int16), rate_hz, 64_000))
    wanted = chirp(48_000)[4_800:43_200]
    likeness = {lag: np.corrcoef(decoded[4_800 + lag : 43_200 + lag], wanted)[0, 1] for lag in range(-400, 401, 4)}
    best = max(likeness, key=lambda lag: likeness[lag])
    assert abs(best) <= 10
    assert likeness[best] > 0.95


@pytest.mark.parametrize("rate_hz", RATES)
def test_what_was_encoded_is_decoded(rate_hz: int) -> None:
    """Read back at its own rate, the sound has its length (within a sample) and its likeness."""
    sound = chirp(rate_hz).astype(np.int16)
    decoded = opus_samples(opus_bytes(sound, rate_hz, 64_000), rate_hz)
    assert abs(len(decoded) - len(sound)) <= 1
    middle = slice(rate_hz // 10, 9 * rate_hz // 10)
    assert np.corrcoef(decoded[middle], sound[middle])[0, 1] > 0.95


@given(st.binary(max_size=200), st.integers(0, 2_000), st.booleans())
@settings(deadline=None, max_examples=60)
def test_what_is_no_opus_file_is_an_audio_error(junk: bytes, at: int, cut: bool) -> None:
    """Junk, and a file that was cut or written over, is decoded to something or is AudioError; nothing else."""
    whole = opus_bytes(tone(2_400, 24_000), 24_000, 32_000)
    with suppress(AudioError):
        opus_samples(whole[:at] + (b"" if cut else junk + whole[at + len(junk) :]), 24_000)
    with pytest.raises(AudioError):
        opus_samples(junk, 24_000)


def test_a_file_of_too_much_sound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding stops at the bound, however small the file is."""
    monkeypatch.setattr(opus, "MAX_DECODED_S", 1)
    with pytest.raises(AudioError, match="more than 1 s"):
        opus_samples(opus_bytes(tone(48_000, 24_000), 24_000, 32_000), 24_000)


@pytest.mark.parametrize("bitrate", [-1, 0, 499, 1_000_000])
def test_a_bit_rate_opus_does_not_know_is_refused(bitrate: int) -> None:
    """The error names the bit rate and the range."""
    with pytest.raises(AudioError, match=f"not at {bitrate}"):
        opus_bytes(tone(100, 24_000), 24_000, bitrate)


def test_no_samples_are_refused() -> None:
    """An Opus file of nothing cannot be decoded, so none is made."""
    with pytest.raises(AudioError, match="at least one sample"):
        opus_bytes(tone(0, 24_000), 24_000, 32_000)


def test_without_av_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the optional package is missing the error says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(AudioError, match=r"pip install 'unavoce\[codecs\]'"):
        opus_bytes(tone(100, 24_000), 24_000, 32_000)
