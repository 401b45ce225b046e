"""Numbers as English words and German ordinals."""

from __future__ import annotations

import pytest

from unavoce.text.speech.languages import de, english_numbers, language_of


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (101, "one hundred and one"),
        (1_000, "one thousand"),
        (1_001, "one thousand and one"),
        (1_100, "one thousand one hundred"),
        (1_000_000, "one million"),
        (2_000_010, "two million and ten"),
        (999_999_999_999_999, "nine hundred and ninety-nine trillion"),
    ],
)
def test_cardinals(number: int, words: str) -> None:
    """Cardinals are said as in Britain, "and" before the last two digits."""
    assert english_numbers.cardinal(number).startswith(words)
    assert number > 10**12 or english_numbers.cardinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "first"), (2, "second"), (12, "twelfth"), (20, "twentieth"), (22, "twenty-second"), (100, "one hundredth"),
     (103, "one hundred and third")],
)  # fmt: skip
def test_ordinals(number: int, words: str) -> None:
    """Only the last word of an ordinal changes."""
    assert english_numbers.ordinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(1066, "ten sixty-six"), (1100, "eleven hundred"), (1905, "nineteen oh five"), (2000, "two thousand"),
     (2009, "two thousand and nine"), (2010, "twenty ten"), (2026, "twenty twenty-six")],
)  # fmt: skip
def test_years(number: int, words: str) -> None:
    """Years are said by the century, but for the first decade of a millennium."""
    assert english_numbers.year(number) == words


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "erste"), (7, "siebte"), (20, "zwanzigste"), (21, "einundzwanzigste"), (30, "dreißigste"),
     (31, "einunddreißigste")],
)  # fmt: skip
def test_german_ordinals(number: int, word: str) -> None:
    """German days of the month in their weak form."""
    assert de.ordinal(number) == word


@pytest.mark.parametrize(
    ("tag", "code", "day_first"),
    [("en", "en", False), ("en-US", "en", False), ("en_US", "en", False), ("en-GB", "en", True), ("EN-gb", "en", True),
     ("de-AT", "de", True), ("fr", "fr", True)],
)  # fmt: skip
def test_tags_find_their_tables(tag: str, code: str, day_first: bool) -> None:
    """Region and spelling of a tag do not matter, but for the order of day and month."""
    tables = language_of(tag)
    assert tables is not None
    assert (tables.code, tables.day_first) == (code, day_first)


@pytest.mark.parametrize("tag", ["", "ja", "xx", "english", "zh-Hant"])
def test_other_languages_have_no_tables(tag: str) -> None:
    """A language without tables is not taken for another one."""
    assert language_of(tag) is None
