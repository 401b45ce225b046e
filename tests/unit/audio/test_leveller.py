"""The leveller's promises: how far and how fast its gain may go, where it rests, and where loudness ends up."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unavoce.audio.leveller import AHEAD, BEHIND, FASTEST, GREATEST_GAIN, LEAST_GAIN, Leveller
from unavoce.audio.loudness import TARGET_LUFS, k_weights, loudness_lufs
from unavoce.audio.resample import Floats, to_int16

RATE_HZ = 24_000


def babble(duration_s: float, level: float, rate_hz: int = RATE_HZ) -> Floats:
    """Noise that falls 6 dB an octave, as speech does, in four syllables a second."""
    at = np.arange(round(duration_s * rate_hz)) / rate_hz
    steps = np.random.default_rng(7).normal(0, 1, len(at))
    smooth = np.convolve(steps, 0.8 ** np.arange(40), "same")
    return np.asarray(level * smooth * (0.6 - 0.4 * np.cos(2 * np.pi * 4 * at)), np.float32)


def levelled(sound: Floats) -> Floats:
    leveller = Leveller(RATE_HZ)
    return np.concatenate([leveller.feed(sound), leveller.end()])


def lufs(sound: Floats) -> float:
    return loudness_lufs(to_int16(sound), RATE_HZ)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1_000)), min_size=1, max_size=8))
def test_the_gain_keeps_its_bounds(stretches: list[tuple[int, float]]) -> None:
    """Whatever the sound, the gain stays within its range and moves from step to step no faster than it may."""
    powers = np.concatenate([*(np.full(count, power) for count, power in stretches), np.zeros(AHEAD)])
    gains = [1.0, *Leveller(RATE_HZ).gains(powers)]
    assert LEAST_GAIN <= min(gains) <= max(gains) <= GREATEST_GAIN
    assert all(1 / FASTEST <= after / before * (1 + 1e-9) <= FASTEST * (1 + 2e-9) for before, after in pairwise(gains))


@settings(deadline=None)
@given(st.floats(0.01, 50), st.integers(60, 200))
def test_the_gain_rests_in_a_pause(power: float, pause: int) -> None:
    """Once speech is out of sight the gain stays where it was, however long the pause: nothing pumps."""
    powers = np.concatenate([np.full(80, power), np.zeros(pause + AHEAD)])
    resting = Leveller(RATE_HZ).gains(powers)[80 + BEHIND :]
    assert len(resting) == pause - BEHIND
    assert np.all(resting == resting[0])


@pytest.mark.parametrize("departure_db", [-5, -2, 0, 2, 5])
def test_a_sentence_ends_near_the_target(departure_db: float) -> None:
    """Three seconds up to 5 dB too soft or too loud come out within 0.5 LU of the target."""
    sound = babble(3.0, 1_000)
    sound *= np.float32(10 ** ((TARGET_LUFS + departure_db - lufs(sound)) / 20))
    assert abs(lufs(sound) - TARGET_LUFS - departure_db) < 0.1
    assert abs(lufs(levelled(sound)) - TARGET_LUFS) < 0.5


def test_a_loud_beginning_is_made_up_for() -> None:
    """What follows a loud first half is softer than it would be by itself, but still there."""
    half = babble(1.0, 1_500)
    after = levelled(np.concatenate([half * 3, half]))[-RATE_HZ // 2 :]
    alone = levelled(np.concatenate([half, half]))[-RATE_HZ // 2 :]
    assert 0.4 < np.sqrt(np.mean(after**2) / np.mean(alone**2)) < 0.97


def test_emphasis_is_kept() -> None:
    """Of 6 dB between a stressed syllable and its neighbours at least a quarter is left."""
    words = [babble(0.5, level) for level in (1_000, 1_000, 2_000, 1_000, 1_000)]
    out = levelled(np.concatenate(words)).reshape(5, -1)
    powers = np.square(out).mean(axis=1)
    assert 10 * np.log10(powers[2] / np.sqrt(powers[1] * powers[3])) > 1.5


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_k_weights_weigh_speech_like_the_meter(rate_hz: int) -> None:
    """At every rate the power from nearby samples is within 0.5 dB of the meter's."""
    sound = to_int16(babble(2.0, 1_500, rate_hz))
    spacing, weights = k_weights(rate_hz, 3)
    x = sound / 32_768
    power = sum(
        weight * np.mean(x[lag * spacing :] * x[: len(x) - lag * spacing]) for lag, weight in enumerate(weights)
    )
    gated = loudness_lufs(sound, rate_hz)
    assert abs(-0.691 + 10 * np.log10(power) - gated) < 0.5
