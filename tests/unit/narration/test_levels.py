"""One gain per voice, measured once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unavoce.audio.pcm import Pcm, Samples
from unavoce.engines.base import Voice
from unavoce.narration import levels
from unavoce.narration.levels import Levels

RATE_HZ = 24_000
VOICE = Voice("fake", "tone", "en")


def tone(seconds: float, peak: int) -> Pcm:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return Pcm((peak * np.sin(2 * np.pi * 440 * times_s)).astype(np.int16), RATE_HZ)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The loudest sample of each clip whose loudness is measured."""
    peaks: list[int] = []
    gain_for = levels.gain_for

    def counted(samples: Samples, rate_hz: int) -> float:
        peaks.append(int(samples.max()))
        return gain_for(samples, rate_hz)

    monkeypatch.setattr(levels, "gain_for", counted)
    return peaks


def test_a_known_voice_is_not_measured_again(measured: list[int]) -> None:
    """Measuring takes the event loop milliseconds per sentence, so it happens once per voice."""
    known = Levels()
    known.learn(VOICE, tone(2.0, 8_000))
    gains = [known.gain(VOICE, tone(2.0, peak)) for peak in (2_000, 30_000)]
    assert len(measured) == 1
    assert gains[0] == gains[1]


def test_all_speeds_of_a_voice_share_its_gain(measured: list[int]) -> None:
    """Speed changes no loudness."""
    known = Levels()
    assert known.gain(VOICE, tone(2.0, 8_000)) == known.gain(replace(VOICE, speed=1.5), tone(2.0, 2_000))
    assert len(measured) == 1


def test_a_short_clip_sets_only_its_own_gain(measured: list[int]) -> None:
    """Less than a second is brought to level by itself, and the next longer clip still decides the voice's gain."""
    known = Levels()
    short = known.gain(VOICE, tone(0.5, 2_000))
    long = known.gain(VOICE, tone(2.0, 8_000))
    assert short > long
    assert known.gain(VOICE, tone(0.5, 2_000)) == long
    assert len(measured) == 2


def test_a_remembered_gain_holds_until_the_voice_is_measured(measured: list[int]) -> None:
    """What an earlier process measured is used, without another measurement; a rehearsal of this one's corrects it."""
    known = Levels({VOICE: 3.0})
    assert known.gain(replace(VOICE, speed=1.5), tone(2.0, 8_000)) == 3.0
    assert measured == []
    known.learn(VOICE, tone(2.0, 8_000))
    assert known.gain(VOICE, tone(2.0, 2_000)) == pytest.approx(levels.gain_for(tone(2.0, 8_000).samples, RATE_HZ))


def test_what_is_measured_is_told_once() -> None:
    """Of the voice at its own pace, when it is measured and not again; a clip too short to teach tells nothing."""
    told: list[tuple[Voice, float]] = []
    known = Levels(tell=lambda voice, gain: told.append((voice, gain)))
    known.learn(VOICE, tone(0.5, 8_000))
    assert told == []
    gain = known.gain(replace(VOICE, speed=1.5), tone(2.0, 8_000))
    known.learn(VOICE, tone(2.0, 2_000))
    assert told == [(VOICE, gain)]
