"""A reply is equally loud from sentence to sentence, whatever its words: measured by someone else's loudness meter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm  # type: ignore[import-untyped]
import pytest
from tests.support.piper import said_by_piper

from unavoce.audio.edges import Edges
from unavoce.audio.loudness import TARGET_LUFS, gain_for
from unavoce.audio.pcm import Pcm
from unavoce.audio.resample import resampled
from unavoce.audio.shaper import SoundShaper
from unavoce.narration.upkeep import REHEARSAL

RATE_HZ = 24_000
LARGEST_SPREAD_LU = 1.5
HOUSEHOLD = (
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
EXCLAIMED = (
    "Get out of the kitchen, all of you!",
    "My goodness, what a view!",
    "The match starts in ten minutes!",
    "You forgot your umbrella again!",
    "Bravo, maestro, bravo!",
    "Do not feed the ducks!",
    "Happy new year, dear friends!",
    "I found your keys at last!",
    "The cake is on fire!",
    "Catch the ball, Peter!",
    "That is simply not true!",
    "Long live the queen!",
    "Wake up, it is snowing!",
    "What a waste of money!",
    "Everyone loved your speech!",
    "Hands off my chocolate!",
    "The cat has climbed the curtain again!",
    "Keep calm and carry on!",
    "You scared me half to death!",
    "We are going to be late!",
)
"""Short and lively: the loudest and the softest of them are 5 LU apart."""


def lufs(clip: Pcm) -> float:
    return float(pyloudnorm.Meter(clip.rate_hz).integrated_loudness(clip.samples / 32768))


def shaped(clip: Pcm, gain: float) -> Pcm:
    shaper = SoundShaper(RATE_HZ, gain)
    return Pcm(np.concatenate([shaper.feed(clip), shaper.end(0.0)]), RATE_HZ)


def loudness_contour(clip: Pcm) -> np.ndarray:
    """The power of every 0.4 s, ten times a second, in dB; without what is 20 dB below the loudest."""
    powers = np.square(clip.samples / 32768)
    total, block = np.cumsum(powers), int(0.4 * clip.rate_hz)
    sums = (total[block:] - total[:-block])[:: clip.rate_hz // 10]
    return np.asarray(10 * np.log10(np.maximum(sums, sums.max() / 100)))


@pytest.mark.parametrize("sentences", [HOUSEHOLD, EXCLAIMED], ids=["household", "exclaimed"])
def test_twenty_sentences_are_equally_loud(sentences: tuple[str, ...], data_dir: Path) -> None:
    """With the gain a voice's rehearsal teaches, twenty sentences lie within 1.5 LU and near the target, and each rises
    and falls as it did; with that gain and no levelling they do not.
    """
    rehearsal, *spoken = said_by_piper((REHEARSAL, *sentences), data_dir)
    gain = gain_for(rehearsal.samples, rehearsal.rate_hz)
    heard = [shaped(clip, gain) for clip in spoken]
    assert min(clip.duration_s for clip in heard) >= 1.0
    levels = [lufs(clip) for clip in heard]
    assert np.ptp(levels) <= LARGEST_SPREAD_LU, levels
    assert abs(np.mean(levels) - TARGET_LUFS) <= 0.5
    assert np.ptp([lufs(clip) for clip in spoken]) > 2 * LARGEST_SPREAD_LU
    assert np.mean([likeness(as_spoken(clip), out) for clip, out in zip(spoken, heard, strict=True)]) > 0.7


def as_spoken(clip: Pcm) -> Pcm:
    """At the rate and with the edges of what is heard, without its gains."""
    edges = Edges(RATE_HZ)
    samples = resampled(clip.samples, clip.rate_hz, RATE_HZ)
    return Pcm(np.concatenate([edges.feed(samples), edges.end()]), RATE_HZ)


def likeness(one: Pcm, other: Pcm) -> float:
    """The correlation of two loudness contours."""
    first, second = loudness_contour(one), loudness_contour(other)
    count = min(len(first), len(second))
    return float(np.corrcoef(first[:count], second[:count])[0, 1])
