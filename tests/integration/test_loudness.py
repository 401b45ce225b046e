"""A reply is equally loud from sentence to sentence, whatever its words: measured by someone else's loudness meter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm  # type: ignore[import-untyped]
from tests.support.piper import said_by_piper

from unavoce.audio.loudness import TARGET_LUFS, gain_for
from unavoce.audio.pcm import Pcm
from unavoce.audio.shaper import SoundShaper

RATE_HZ = 24_000
LARGEST_SPREAD_LU = 1.5
CALIBRATION = (
    "This is the voice that will speak to you today.",
    "It reads a few lines, so that its loudness is known.",
)
SENTENCES = (
    "Good morning, sir, I trust you slept well.",
    "The kitchen light has been turned off.",
    "It will rain in the afternoon, so take an umbrella with you.",
    "I have added milk, eggs and bread to your shopping list.",
    "Your next appointment is at three o'clock with the dentist.",
    "The front door is locked and the alarm is armed.",
    "Would you like me to play some music while you cook?",
    "There are seven unread messages in your inbox.",
    "The temperature in the living room is twenty-one degrees.",
    "I am sorry, I could not find anything by that name.",
    "Dinner will be ready in about a quarter of an hour.",
    "A parcel was delivered to your neighbour this morning.",
    "The train to London leaves from platform four.",
    "Shall I wake you at six tomorrow?",
    "He walked slowly along the river until the sun had set behind the hills.",
    "Water boils at one hundred degrees at sea level.",
    "Mars is the fourth planet from the sun.",
    "All systems are running normally.",
    "I will look into that right away.",
    "That is a very good question, and the answer is not simple.",
)


def lufs(clip: Pcm) -> float:
    return float(pyloudnorm.Meter(clip.rate_hz).integrated_loudness(clip.samples / 32768))


def shaped(clip: Pcm, gain: float) -> Pcm:
    shaper = SoundShaper(RATE_HZ, gain)
    return Pcm(np.concatenate([shaper.feed(clip), shaper.end(0.0)]), RATE_HZ)


def test_twenty_sentences_are_equally_loud(data_dir: Path) -> None:
    """With one gain for the voice, twenty sentences lie within 1.5 LU and near the target; as spoken, they do not."""
    clips = said_by_piper((*CALIBRATION, *SENTENCES), data_dir)
    known, spoken = clips[: len(CALIBRATION)], clips[len(CALIBRATION) :]
    gain = gain_for(np.concatenate([clip.samples for clip in known]), known[0].rate_hz)
    heard = [shaped(clip, gain) for clip in spoken]
    assert min(clip.duration_s for clip in heard) >= 1.0
    levels = [lufs(clip) for clip in heard]
    assert np.ptp(levels) <= LARGEST_SPREAD_LU, levels
    assert abs(np.mean(levels) - TARGET_LUFS) <= 1.0
    assert np.ptp([lufs(clip) for clip in spoken]) > 2 * LARGEST_SPREAD_LU
