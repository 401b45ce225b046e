"""Loudness against an independent implementation and the recommendation's own reference."""

from __future__ import annotations

from math import inf

import numpy as np
import pyloudnorm
import pytest

from unavoce.audio.loudness import TARGET_LUFS, gain_for, loudness_lufs
from unavoce.audio.pcm import Samples
from unavoce.audio.resample import to_int16

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]


def sounds(rate_hz: int) -> dict[str, Samples]:
    at = np.arange(int(3.3 * rate_hz)) / rate_hz
    noise = np.random.default_rng(1).normal(0, 1, len(at))
    shapes = {
        "noise": 0.1 * noise,
        "tone": 0.3 * np.sin(2 * np.pi * 997 * at),
        "bass": 0.5 * np.sin(2 * np.pi * 50 * at) + 0.01 * noise,
        "bursts": np.where(at % 1 < 0.5, 0.2, 0.001) * noise,
    }
    return {name: to_int16(shape * 32_767) for name, shape in shapes.items()}


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("name", ["noise", "tone", "bass", "bursts"])
def test_another_meter_agrees(rate_hz: int, name: str) -> None:
    """pyloudnorm, written by others, measures the same within 0.1 LU at every rate."""
    sound = sounds(rate_hz)[name]
    theirs = pyloudnorm.Meter(rate_hz).integrated_loudness(sound / 32_768)
    assert abs(loudness_lufs(sound, rate_hz) - theirs) < 0.1


@pytest.mark.parametrize("rate_hz", RATES[1:])
def test_the_reference_tone(rate_hz: int) -> None:
    """BS.1770's calibration: 997 Hz at full scale in one channel is -3.01 LKFS."""
    tone = to_int16(np.sin(2 * np.pi * 997 * np.arange(2 * rate_hz) / rate_hz) * 32_767)
    assert abs(loudness_lufs(tone, rate_hz) + 3.01) < 0.05


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_silence_has_no_loudness(size: int) -> None:
    """Silence is -inf, at any length, and asks for no gain."""
    silence = np.zeros(size, np.int16)
    assert loudness_lufs(silence, 24_000) == -inf
    assert gain_for(silence, 24_000) == 1.0


def test_a_short_sound_is_one_block() -> None:
    """Sound shorter than a gating block is measured as what it is, not as silence."""
    whole = sounds(24_000)["tone"]
    assert abs(loudness_lufs(whole[:2_400], 24_000) - loudness_lufs(whole, 24_000)) < 0.5


def test_the_gain_brings_sound_to_the_target() -> None:
    """Sound times its gain has the target loudness."""
    sound = sounds(24_000)["noise"]
    assert abs(loudness_lufs(to_int16(sound * gain_for(sound, 24_000)), 24_000) - TARGET_LUFS) < 0.02


def test_the_gain_is_bounded() -> None:
    """Next to nothing is not made a roar: 20 dB is the most either way."""
    assert gain_for((sounds(24_000)["tone"] // 300).astype(np.int16), 24_000) == pytest.approx(10.0)
