"""A listener understands what is said: a recogniser hears the words of Piper's sentences, and none in noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.hearing import edits, word_error_rate, words
from tests.support.piper import said_by_piper

LIMIT = 0.15
SENTENCES = (
    "Good morning, sir, I trust you slept well.",
    "The kitchen light has been turned off.",
    "It will rain in the afternoon, so please take an umbrella with you.",
    "I have added milk, eggs and bread to your shopping list.",
    "Your next appointment is with the dentist at three o'clock.",
    "The front door is locked and the alarm is armed.",
    "There are seven unread messages waiting for you.",
    "The temperature in the living room is twenty-one degrees.",
)

Words = st.lists(st.sampled_from("abcd"), max_size=8)


def test_piper_is_understood(data_dir: Path) -> None:
    """Over eight real sentences at most 15 % of the words are misheard."""
    clips = said_by_piper(SENTENCES, data_dir)
    count = [len(words(sentence)) for sentence in SENTENCES]
    rates = [
        word_error_rate(sentence, clip.samples, clip.rate_hz) for sentence, clip in zip(SENTENCES, clips, strict=True)
    ]
    assert np.average(rates, weights=count) <= LIMIT, rates


@pytest.mark.parametrize("level", [300, 6000])
def test_noise_is_not_understood(level: int) -> None:
    """The measure can fail: soft or loud noise is never taken for a sentence."""
    noise = np.random.default_rng(1).normal(0, level, 3 * 22_050).astype(np.int16)
    assert word_error_rate(SENTENCES[0], noise, 22_050) > LIMIT


def test_another_sentence_is_not_understood(data_dir: Path) -> None:
    """The measure can fail: clear speech with other words is not the sentence."""
    (clip,) = said_by_piper([SENTENCES[1]], data_dir)
    assert word_error_rate(SENTENCES[2], clip.samples, clip.rate_hz) > LIMIT


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("At 3 o'clock, 21 degrees.", "at three oclock twenty one degrees"),
        ("At 3:00 sharp!", "at three oclock sharp"),
        ("100, 213 and 6050", "one hundred two hundred and thirteen and six thousand and fifty"),
        ("Twenty-one; I'll do.", "twenty one i'll do"),
    ],
)
def test_spellings_of_the_same_words_are_equal(written: str, said: str) -> None:
    """Digits, clock times, hyphens and case are no errors."""
    assert words(written) == said.split()


@given(Words, Words, Words)
def test_edits_are_a_distance(one: Sequence[str], two: Sequence[str], three: Sequence[str]) -> None:
    """Zero for equal texts only, the same both ways, and never shorter by a detour."""
    assert (edits(one, two) == 0) == (one == two)
    assert edits(one, two) == edits(two, one)
    assert edits(one, three) <= edits(one, two) + edits(two, three)
    assert edits(one, []) == len(one)
