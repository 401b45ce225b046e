"""Pauses an editor would leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.audio.pauses import PauseAfter, pause_s


def test_more_ends_longer_silence() -> None:
    """A clause, a sentence and a paragraph end in pauses of growing length."""
    lengths = [pause_s("So it is.", after, 1.0) for after in PauseAfter]
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize("text", ["Is it?", 'He asked, "is it?"', "Well...", "Well…", "そうですか？", "(Is it?) "])  # noqa: RUF001
def test_a_question_and_an_ellipsis_wait_longer(text: str) -> None:
    """The mark that ends a sentence is found behind quotes, brackets and blanks, in wide and Latin scripts."""
    assert pause_s(text, PauseAfter.SENTENCE, 1.0) > pause_s("It is.", PauseAfter.SENTENCE, 1.0)


@given(st.text(max_size=20), st.sampled_from(PauseAfter), st.floats(0.1, 10))
def test_a_pause_is_always_sensible(text: str, after: PauseAfter, speed: float) -> None:
    """Whatever the text and speed, a pause is between a tenth of a second and a second and a half."""
    assert 0.1 <= pause_s(text, after, speed) <= 1.5


def test_a_faster_voice_pauses_shorter() -> None:
    """Speed shortens a pause, less than it shortens words."""
    assert (
        pause_s("It is.", "sentence", 1.0) / 2 < pause_s("It is.", "sentence", 2.0) < pause_s("It is.", "sentence", 1.0)
    )


def test_an_unknown_end_is_an_error() -> None:
    """A name that is none of the three is refused."""
    with pytest.raises(ValueError, match="chapter"):
        pause_s("It is.", "chapter", 1.0)
