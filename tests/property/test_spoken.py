"""What holds for any text whatever: no error, no engine syntax, no surprise, linear cost."""
# ruff: noqa: RUF001  (typographic marks and other alphabets are what is tested)

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unavoce.text.kind import Kind
from unavoce.text.speech import characters, english
from unavoce.text.speech.languages import language_of
from unavoce.text.spoken import speakable

MANY = settings(deadline=None)  # a busy machine is no defect
LANGUAGES = st.sampled_from(["en", "en-GB", "de", "fr", "es", "it", "ja", "ru", "", "nonsense"])
KINDS = st.sampled_from(list(Kind))
MARKS = st.sampled_from(
    ["*", "**", "_", "`", "```", "[", "]", "](", ")", "[[", "]]", "<", ">", "</", "$", "$$", "\\", "\\(", "|", "#",
     "~", "~~", "&", "&amp;", "&#", ";", "://", "http://", "www.", "@", ".", ",", ":", "-", "–", "…", "/", "%", "°C",
     "€", "£", "1", "20", "3.14", "1,000", "2026-11-22",
     "14:30", "am", "Dr.", "e.g.", "St.", "v1.2", "1/2",
     "½",
     "No. ",
     "a", "word", "U.S.", "Henry VIII", " ", "\n", "\u200b", "\u202e", "\ud800", "\ue05b", "e\u0301", "🎉", "٣", "²",
     "→"]
)  # fmt: skip
TEXTS = st.one_of(st.text(st.characters(), max_size=80), st.lists(MARKS, max_size=25).map("".join))
FORBIDDEN = set("[]<>{}|`*_^~\\")
INVISIBLE = {"Cc", "Co", "Cn", "Cs", "Zl", "Zp"}

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéèñçåøłабвгдежзийклαβγδε"
WORDS = st.text(LETTERS, min_size=1, max_size=10)
PROSE = st.builds(
    lambda first, rest: first + "".join(join + word for join, word in rest),
    WORDS,
    st.lists(st.tuples(st.sampled_from([" ", ", "]), WORDS), max_size=12),
)


@given(text=TEXTS, kind=KINDS, language=LANGUAGES)
@settings(MANY, max_examples=400)
def test_any_text_is_read_without_error_or_engine_syntax(text: str, kind: Kind, language: str) -> None:
    """Any string gives composed text with only visible characters, single spaces and no engine syntax."""
    spoken = speakable(text, kind, language)
    assert not set(spoken) & FORBIDDEN
    assert not {unicodedata.category(char) for char in spoken} & INVISIBLE
    assert unicodedata.is_normalized("NFC", spoken)
    assert spoken == spoken.strip()
    assert "  " not in spoken


@given(text=TEXTS, kind=KINDS, language=LANGUAGES)
@settings(MANY, max_examples=300)
def test_what_is_spoken_has_a_word_in_it(text: str, kind: Kind, language: str) -> None:
    """The result is empty or has a letter or a digit: no engine is asked to speak punctuation."""
    spoken = speakable(text, kind, language)
    assert not spoken or any(char.isalnum() for char in spoken)


@given(prose=PROSE, end=st.sampled_from([".", "!", "?", ""]), language=LANGUAGES)
@MANY
def test_plain_prose_is_left_alone(prose: str, end: str, language: str) -> None:
    """Letters, spaces, commas and a final stop come back unchanged unless they spell a known abbreviation."""
    tables = language_of(language)
    forms = tables.abbreviations if tables else {}
    if any(word.rstrip(",") in forms or f"{word}." in forms for word in (*prose.split(), prose.rsplit(maxsplit=1)[-1])):
        return
    assert speakable(prose + end, Kind.PROSE, language) == prose + end


@given(prose=PROSE, end=st.sampled_from([".", "!", "?"]), language=LANGUAGES)
@MANY
def test_reading_twice_changes_nothing_more(prose: str, end: str, language: str) -> None:
    """What has been put into words stays as it is when it is read again."""
    once = speakable(prose + end, Kind.PROSE, language)
    assert speakable(once, Kind.PROSE, language) == once


@given(prose=PROSE, end=st.sampled_from(["!", "?", "?!"]), mark=st.sampled_from(["", "*", "**", "_", "~~"]))
@MANY
def test_emphasis_goes_and_the_end_stays(prose: str, end: str, mark: str) -> None:
    """Marks around or only at one side of a sentence leave its words and its final punctuation."""
    expected = prose + end
    for marked in (mark + prose + end + mark, mark + prose + end, prose + end + mark):
        assert speakable(marked, Kind.PROSE, "ja") == expected


@given(number=st.integers(min_value=0, max_value=10**15 - 1))
@MANY
def test_english_leaves_no_digit(number: int) -> None:
    """Any whole number up to the trillions is in words, with and without separators."""
    plain = speakable(f"There are {number} of them.", Kind.PROSE, "en")
    grouped = speakable(f"There are {number:,} of them.", Kind.PROSE, "en")
    assert not re.search(r"[0-9]", plain + grouped)
    assert plain.endswith(" of them.")
    assert grouped.endswith(" of them.")


@given(dollars=st.integers(0, 10**9), cents=st.integers(0, 99))
@MANY
def test_amounts_say_dollars_before_cents(dollars: int, cents: int) -> None:
    """An amount of money never reaches an engine as a sign and digits, and names its parts in order."""
    spoken = speakable(f"It costs ${dollars:,}.{cents:02}.", Kind.PROSE, "en")
    assert "$" not in spoken
    assert not re.search(r"[0-9]", spoken)
    assert ("cent" in spoken) == (cents > 0)
    assert ("dollar" in spoken) == (dollars > 0 or cents == 0)


@given(hour=st.integers(0, 23), minute=st.integers(0, 59))
@MANY
def test_times_are_words(hour: int, minute: int) -> None:
    """Every time of day is said without a digit or a colon."""
    spoken = speakable(f"at {hour}:{minute:02}", Kind.PROSE, "en")
    assert re.fullmatch(r"at [a-z' -]+", spoken)


REPEATED = [
    "*", "[", "`", "``a", "1", "$", "$$", "$a", "(", "<", "</", "<a", "<!--", "&", "&#1", "_", "~", "#",
    "|", "\\", "\\(", "\\[", "/", ".", "-", ":", ",", "!", "A.", "A. ", "a.", "a@", "a/", "[a](", "[a][",
    "![", "](", "1.", "1,", "1-", "1:", "1/", "1 ", "½", "1½", "€", "—", "…", "http://", "www.", "+1 ",
    "555-", "St. ", "I ", "X", "==a", "\\frac{a}", "\\sqrt{", "^{", "`a`", " ,", "1. ", "> ", "😀",
    "e\u0301", "\u200d",
]  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
@pytest.mark.parametrize("language", ["en", "de"])
def test_long_runs_end(piece: str, language: str) -> None:
    """Twenty thousand characters of one mark are read without backtracking for ever, and grow by a constant at most."""
    text = (piece * 20_000)[:20_000]
    assert len(speakable(text, Kind.PROSE, language)) <= 12 * len(text)


def test_english_passes_leave_plain_words_alone() -> None:
    """None of the passes on its own changes a text without numbers, marks or abbreviations."""
    plain = "these are plain words"
    passes = [english.read_names, english.read_roman, english.read_versions, english.read_half_days,
              english.read_calendar, english.read_ratios, english.read_fractions, english.read_marks,
              english.read_numbers, characters.clean, characters.without_emoji, characters.harmless]  # fmt: skip
    assert {read(plain) for read in passes} == {plain}
