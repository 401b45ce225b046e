"""Kokoro's alphabet, and where a long text is cut."""
# ruff: noqa: RUF001 - phonemes look like other letters

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.engines.kokoro_phonemes import GROWTH, MAX_TOKENS, SHORTEST, in_kokoro, pieces, runs_of, tokens

CLAUSE = "wɛn ðə ɹAn hæd stɑpt, "  # 22 letters and signs, less than a piece
Phonemes = st.lists(st.sampled_from(["ab ", "abcdefgh ", "a, ", "bcd. ", ","]), max_size=300).map("".join)


@pytest.mark.parametrize(
    ("espeak", "british", "kokoro"),
    [("ɡˌəʊ hˈəʊm", True, "ɡˌQ hˈQm"), ("tʃˈeə", True, "ʧˈɛː"), ("ɡˌoʊ", False, "ɡˌO"), ("bˈɜːd", False, "bˈɜɹd")],
)
def test_phonemes_are_kokoros(espeak: str, british: bool, kokoro: str) -> None:
    """Diphthongs and affricates are one letter; long vowels are British."""
    assert in_kokoro(espeak, british=british) == kokoro


@pytest.mark.parametrize("silent", ["...", "ˈ.", "~~~", "", " ˌː "])
def test_what_has_no_sound_is_not_spoken(silent: str) -> None:
    """Stops, marks of stress and length, and what the vocabulary lacks are no sound by themselves."""
    assert tokens(silent, {".": 4, "ˈ": 156, "ˌ": 157, "ː": 158, " ": 16}) == []


def test_unknown_signs_are_left_out() -> None:
    """What the vocabulary lacks does not keep the rest from being spoken."""
    assert tokens("a~.", {"a": 43, ".": 4}) == [43, 4]


@given(st.text(alphabet="ab ,."), st.integers(1, 9))
def test_cutting_to_the_models_limit_loses_nothing(phonemes: str, limit: int) -> None:
    """The parts together are the whole, each within the limit and none empty."""
    parts = runs_of(phonemes, limit)
    assert "".join(parts) == phonemes
    assert all(0 < len(part) <= limit for part in parts)


@given(Phonemes)
def test_pieces_are_the_text(phonemes: str) -> None:
    """Pieces together are the text; none is too long for the model, and one that is cut at a clause is not short."""
    parts = pieces(phonemes)
    assert "".join(parts) == phonemes
    assert all(0 < len(part) <= MAX_TOKENS for part in parts)
    if all(len(part) < MAX_TOKENS / 2 for part in parts) and len(parts) > 1:
        assert all(len(part) >= SHORTEST for part in parts)


@given(Phonemes)
def test_the_second_piece_is_ready_in_time(phonemes: str) -> None:
    """What follows the first piece is at most so many times as long."""
    first, *rest = pieces(phonemes[:MAX_TOKENS]) or [""]
    if rest:
        assert len(rest[0]) <= GROWTH * len(first)


def test_a_short_text_is_whole() -> None:
    """Two clauses of a short text are one piece, however many marks there are."""
    assert pieces(CLAUSE * 2) == [CLAUSE * 2]


def test_a_long_text_is_cut_after_clauses() -> None:
    """Each piece ends after a clause's mark, the first of them as soon as it is long enough."""
    parts = pieces(CLAUSE * 6)
    assert parts[0] == CLAUSE * 2
    assert all(part.endswith(", ") for part in parts)


def test_a_long_text_without_clauses_is_whole() -> None:
    """A sentence is not torn between two words to be heard sooner."""
    assert pieces("wɛn ðə ɹAn " * 12) == ["wɛn ðə ɹAn " * 12]
