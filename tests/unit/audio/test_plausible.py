"""Sound that cannot be the text is found, and sound that can be is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible


def sound(duration_s: float) -> Pcm:
    return Pcm((np.sin(np.arange(int(duration_s * 24_000)) / 9) * 9_000).astype(np.int16), 24_000)


LONG = "The committee approved the budget after a long and heated debate about the new bridge."


@pytest.mark.parametrize(
    ("spoken", "duration_s"),
    [
        ("Yes.", 0.2),
        ("Yes.", 2.5),
        ("I", 0.1),
        ("OK", 0.3),
        ("42", 0.6),
        ("7,000,000", 0.7),
        ("1984 1984 1984", 6.0),
        ("NATO, UNESCO, BBC.", 6.0),
        (LONG, 2.4),
        (LONG, 12.0),
        ("こんにちは、世界。", 1.2),
        ("今天天气很好。", 1.5),
        ("今天天气很好。", 4.5),
        ("안녕하세요", 0.9),
        ("مرحبا بكم في بيتنا", 1.5),
        ("100 %", 1.6),
        ("…", 0.2),
    ],
)
def test_speech_at_half_and_double_speed_passes(spoken: str, duration_s: float) -> None:
    """Short words, numbers, initials and several scripts, slow and fast, are plausible."""
    assert implausible(sound(duration_s), spoken) is None


@pytest.mark.parametrize(
    ("spoken", "duration_s"),
    [("Yes.", 0.01), ("Yes.", 30.0), (LONG, 0.5), (LONG, 90.0), ("今天天气很好我们走吧", 0.3)],
)
def test_absurd_lengths_are_found(spoken: str, duration_s: float) -> None:
    """A sentence in half a second or a word in half a minute is not the text; the reason gives figures and no text."""
    reason = implausible(sound(duration_s), spoken)
    assert reason is not None
    assert "plausible" in reason
    assert spoken not in reason


@pytest.mark.parametrize("level", [0, 1, 5_000, -32_768])
def test_silence_and_a_constant_offset_are_found(level: int) -> None:
    """Samples that do not move are silence, wherever they stand."""
    reason = implausible(Pcm(np.full(24_000, level, np.int16), 24_000), "Good morning.")
    assert reason is not None
    assert "silent" in reason


def test_faint_noise_is_silence() -> None:
    """Noise of a few steps around an offset is silence too."""
    noise = np.random.default_rng(1).integers(-5, 6, 24_000).astype(np.int16) + np.int16(300)
    assert "silent" in (implausible(Pcm(noise, 24_000), "Good morning.") or "")


def test_emptiness_is_found() -> None:
    """No samples at all are no speech."""
    assert implausible(Pcm(np.empty(0, np.int16), 24_000), "Yes.") == "the sound is empty"
