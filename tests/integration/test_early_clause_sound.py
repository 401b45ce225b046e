"""A sentence that is spoken in two pieces sounds like one: understood, with a comma's pause, equally loud, no click."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm  # type: ignore[import-untyped]
import pytest
from tests.support.hearing import word_error_rate
from tests.support.piper import said_by_piper

from unavoce.audio.loudness import gain_for
from unavoce.audio.pauses import pause_s
from unavoce.audio.pcm import Samples
from unavoce.audio.shaper import SoundShaper
from unavoce.narration.upkeep import REHEARSAL
from unavoce.text import Sentence, SentenceStream

RATE_HZ = 24_000
SENTENCES = (
    "When the last of the guests had gone and the lamps had been put out, the old man walked through the empty rooms.",
    "If you would like me to remind you tomorrow morning, please tell me at what time you usually get up.",
    "I have turned off all the lights in the house because you said that you would be away until Sunday evening.",
)
QUIET = 300
"""Samples below it, of speech at our level, are silence."""


def parted(text: str) -> list[Sentence]:
    stream = SentenceStream(take=lambda offer: not offer.goes_on)
    return [*stream.feed(text), *stream.end()]


def longest_silence_s(samples: Samples) -> float:
    loud = np.flatnonzero(np.abs(samples.astype(int)) > QUIET)
    return float(np.diff(loud).max() / RATE_HZ)


@pytest.mark.parametrize("text", SENTENCES, ids=lambda text: text[:20])
def test_the_seam_sounds_like_a_comma(text: str, data_dir: Path) -> None:
    """Both pieces are understood, as loud as each other, and between them is the pause that a comma has."""
    pieces = parted(text)
    assert len(pieces) == 2
    assert pieces[0].spoken.endswith(",")
    rehearsal, *clips = said_by_piper([REHEARSAL, *(piece.spoken for piece in pieces)], data_dir)
    gain = gain_for(rehearsal.samples, rehearsal.rate_hz)
    sounds: list[Samples] = []
    for piece, clip in zip(pieces, clips, strict=True):
        shaper = SoundShaper(RATE_HZ, gain)
        sounds.append(np.concatenate([shaper.feed(clip), shaper.end(pause_s(piece.spoken, piece.boundary.value))]))
    joined = np.concatenate(sounds)
    assert word_error_rate(text, joined, RATE_HZ) <= 0.15
    levels = [pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound / 32768) for sound in sounds]
    assert abs(levels[0] - levels[1]) <= 1.5, levels
    seam = len(sounds[0])
    assert 0.15 <= longest_silence_s(joined[seam - RATE_HZ // 2 : seam + RATE_HZ // 2]) <= 0.35
    assert np.abs(joined[seam - 20 : seam + 20].astype(int)).max() < QUIET, "a click where the pieces meet"
