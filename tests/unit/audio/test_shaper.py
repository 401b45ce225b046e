"""The shaper on sounds whose outcome is known."""

from __future__ import annotations

import numpy as np
import pytest

from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.shaper import SLICE, SoundShaper
from unavoce.errors import AudioError


def shape(samples: Samples, rate_hz: int = 24_000, gain: float = 1.0, pause_s: float = 0.0) -> Samples:
    shaper = SoundShaper(24_000, gain)
    return np.concatenate([shaper.feed(Pcm(samples, rate_hz)), shaper.end(pause_s)])


def speechlike(duration_s: float, rate_hz: int = 24_000, level: float = 6_000) -> Samples:
    """A low tone that swells and fades like syllables, five a second."""
    at = np.arange(int(duration_s * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * 180 * at) * (0.55 - 0.45 * np.cos(2 * np.pi * 5 * at))).astype(np.int16)


def test_nothing_ends_in_a_sound_of_silence() -> None:
    """A sentence without any sound, and with no pause, still ends in a few silent milliseconds."""
    out = SoundShaper(24_000).end(0.0)
    assert len(out) == 120
    assert not out.any()


def test_silence_around_speech_goes_and_a_pause_within_stays() -> None:
    """Half a second of silence before and after is trimmed to the margins; the one between words keeps its length."""
    quiet, word = np.zeros(12_000, np.int16), speechlike(0.5)
    once, twice = shape(np.concatenate([quiet, word, quiet])), shape(np.concatenate([quiet, word, quiet, word, quiet]))
    assert len(word) <= len(once) <= len(word) + 0.08 * 24_000
    assert abs(len(twice) - len(once) - len(word) - len(quiet)) <= 2


def test_a_soft_start_is_kept() -> None:
    """A hiss at -46 dBFS before a word, as of an "f", is not taken for silence."""
    hiss = np.random.default_rng(1).uniform(-300, 300, 2_400).astype(np.int16)
    out = shape(np.concatenate([np.zeros(12_000, np.int16), hiss, speechlike(0.5)]))
    assert len(out) >= 2_400 + 12_000


@pytest.mark.parametrize("level", [32_767, -32_768])
def test_a_constant_offset_is_harmless(level: int) -> None:
    """Full-scale direct current comes out below the ceiling, faded at both ends."""
    out = shape(np.full(24_000, level, np.int16))
    assert np.abs(out.astype(int)).max() <= 29_205
    assert max(abs(int(out[0])), abs(int(out[-1]))) < 100


def test_a_loud_square_wave_stays_below_the_ceiling() -> None:
    """Full scale, times ten: still -1 dBFS at most, and never wrapped around."""
    square = np.where(np.arange(24_000) // 60 % 2, 32_767, -32_768).astype(np.int16)
    out = shape(square, gain=10.0)
    assert 5_000 < np.abs(out.astype(int)).max() <= 29_205
    assert np.all(out[200:23_800].astype(int) * square[200:23_800] >= 0)


def test_the_gain_has_no_steps() -> None:
    """When a word three times as loud follows another, no step in the sound is larger than the louder word's own."""
    out = shape(np.concatenate([speechlike(0.6, level=2_500), speechlike(0.6, level=7_500)]))
    steepest = 2 * np.pi * 180 / 24_000 * np.abs(out.astype(int)).max()
    assert np.abs(np.diff(out.astype(int))).max() <= 1.1 * steepest


def test_seams_between_sentences_are_smooth() -> None:
    """Sentences that begin and end abruptly join without a step larger than those within them."""
    cut = speechlike(0.53)[400:-300]
    joined = np.concatenate([shape(cut, pause_s=0.2), shape(cut, pause_s=0.2)]).astype(int)
    within = np.abs(np.diff(shape(cut).astype(int)[200:-400])).max()
    assert np.abs(np.diff(joined)).max() <= within


def test_loud_and_soft_sentences_come_out_alike() -> None:
    """Two sentences 5 dB apart are less than 1.5 dB apart when they leave."""
    loud, soft = (shape(speechlike(2.0, level=level)).astype(float) for level in (8_000, 4_500))
    assert abs(20 * np.log10(np.sqrt(np.mean(loud**2) / np.mean(soft**2)))) < 1.5


def test_sound_leaves_before_the_end() -> None:
    """Of a streamed sentence all but the last fifth of a second leaves at once."""
    shaper = SoundShaper(24_000)
    assert len(shaper.feed(Pcm(speechlike(1.0, 22_050), 22_050))) >= 0.8 * 24_000


@pytest.mark.parametrize("rate_hz", [22_050, 24_000])
def test_a_long_clip_is_the_same_in_one_piece_and_in_many(rate_hz: int) -> None:
    """A clip of several slices comes out to the last bit as the same clip fed in pieces of 1,000 samples."""
    clip = speechlike(3 * SLICE / rate_hz, rate_hz, level=3_000)
    shaper = SoundShaper(24_000, 4.0)
    parts = [shaper.feed(Pcm(clip[start : start + 1_000], rate_hz)) for start in range(0, len(clip), 1_000)]
    assert np.array_equal(np.concatenate([*parts, shaper.end(0.0)]), shape(clip, rate_hz, gain=4.0))


def test_a_change_of_rate_is_an_error() -> None:
    """One sentence has one rate; the error names both."""
    shaper = SoundShaper(24_000)
    shaper.feed(Pcm(speechlike(0.1), 24_000))
    with pytest.raises(AudioError, match="24000 to 22050 Hz"):
        shaper.feed(Pcm(speechlike(0.1), 22_050))
