"""What holds of the cutter for every text and every way it may arrive."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unavoce.text import Boundary, Sentence, SentenceStream
from unavoce.text.parting import Offer


def spaced(text: str) -> list[str]:
    return text.split()


WORDS = spaced("Hello world Dr etc U.S a.m No 3 14 J iPhone Mai am I and Then said https://a.b/c é 你好 يا 😀 👍🏽")
MARKS = spaced(". . . ! ? ... … 。 ؟ ، , ; : - — \" “ ” ' ( ) [ ] 「 」 « » * ** ` ``` ~~~ _ # |")
BLOCKS = ["# ", "- ", "1. ", "> ", "| a |", "|---|", "---", "<think>", "</think>"]
SPACES = [" ", " ", " ", "  ", "\n", "\n", "\n\n", "\r\n", "\t"]
BROKEN = ["\x00", "\u200d", "\ud83d", "\ude00"]
FRAGMENTS = WORDS + MARKS + BLOCKS + SPACES + BROKEN
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join) | st.text(max_size=120)
LANGUAGES = st.sampled_from(["en", "de", "fr", "zh", "ja", "xx"])


def cut(pieces: list[str], language: str = "en", max_chars: int = 300) -> tuple[SentenceStream, list[Sentence]]:
    stream = SentenceStream(language, max_chars)
    found = [sentence for piece in pieces for sentence in stream.feed(piece)]
    return stream, found + stream.end()


def emissions(text: str, language: str, max_chars: int) -> list[tuple[int, Sentence]]:
    """Each sentence with the number of code points fed when it came out."""
    stream = SentenceStream(language, max_chars)
    return [(fed, s) for fed, char in enumerate(text, 1) for s in stream.feed(char)]


@given(text=TEXTS, language=LANGUAGES, max_chars=st.sampled_from([40, 300]), data=st.data())
@settings(max_examples=200, deadline=None)
def test_the_cut_does_not_depend_on_the_pieces(text: str, language: str, max_chars: int, data: st.DataObject) -> None:
    """Every split of a text gives the same sentences, each at the same prefix of the text."""
    splits = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *splits], [*splits, len(text)], strict=True)]
    single = emissions(text, language, max_chars)
    stream = SentenceStream(language, max_chars)
    fed = 0
    found: list[Sentence] = []
    for piece in pieces:
        fed += len(piece)
        found += stream.feed(piece)
        assert found == [sentence for at, sentence in single if at <= fed]
    assert found + stream.end() == cut(list(text), language, max_chars)[1]


CLAUSES = [
    *spaced("when the old man had gone was and but because who , , ; : — I she Portland 3 14 “ ” ( ) * 你好 的 、"),
    *["。", ". "],
]
LONG_TEXTS = st.lists(st.sampled_from(CLAUSES), min_size=20, max_size=120).map(" ".join)


def choosy(choice: int) -> Callable[[Offer], bool]:
    """Takes some of the offers, by where they are."""
    return lambda offer: bool(choice >> (offer.at % 16) & 1)


@given(text=LONG_TEXTS | TEXTS, language=LANGUAGES, choice=st.integers(0, 0xFFFF), data=st.data())
@settings(max_examples=200, deadline=None)
def test_openings_do_not_depend_on_the_pieces(text: str, language: str, choice: int, data: st.DataObject) -> None:
    """Whichever openings are taken, every split of a text has the same pieces, each known at the same prefix."""
    splits = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    whole, split = (SentenceStream(language, 300, choosy(choice)) for _ in range(2))
    single = [(fed, one) for fed, char in enumerate(text, 1) for one in whole.feed(char)]
    fed, found = 0, list[Sentence]()
    for start, end in zip([0, *splits], [*splits, len(text)], strict=True):
        found += split.feed(text[start:end])
        fed = end
        assert found == [one for at, one in single if at <= fed]
    assert split.end() == whole.end()


@given(text=LONG_TEXTS, language=LANGUAGES, choice=st.integers(0, 0xFFFF))
@settings(max_examples=200, deadline=None)
def test_openings_lose_nothing(text: str, language: str, choice: int) -> None:
    """Parted or not, a text has the same words in order, and a first piece is never a lone word."""
    parted, whole = SentenceStream(language, 300, choosy(choice)), SentenceStream(language, 300)
    pieces = [*parted.feed(text), *parted.end()]
    assert [one.number for one in pieces] == list(range(len(pieces)))
    assert all(parted.text[one.start : one.end] == one.text for one in pieces)
    joined = "".join("".join(one.text for one in pieces).split())
    sentences = [*whole.feed(text), *whole.end()]
    assert joined == "".join("".join(one.text for one in sentences).split())
    added = {one.start for one in pieces} - {one.start for one in sentences}
    parted_here = [before for before, one in pairwise(pieces) if one.start in added]
    # One that ends with a stop is a sentence: what is inside a quote may depend on where the quote was parted.
    assert all(one.end - one.start >= 8 for one in parted_here if one.boundary is Boundary.CLAUSE)


SILENT = re.compile(
    r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)|</think(?:ing)?>"
    r"|(`{3,}|~{3,}).*?(?:\n[ \t>]*\1[`~]*[ \t\r]*(?=\n|\Z)|\Z)",
    re.DOTALL,
)
"""Think passages and fenced code, in what lies between sentences."""


@given(text=TEXTS, language=LANGUAGES)
@settings(max_examples=200, deadline=None)
def test_nothing_readable_lies_between_sentences(text: str, language: str) -> None:
    """Between sentences stand white space, marks, thinking and code, but no word of the reply."""
    stream, found = cut([text], language)
    edges = [0, *(edge for sentence in found for edge in (sentence.start, sentence.end)), len(stream.text)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        assert not any(char.isalnum() for char in SILENT.sub("", stream.text[start:end])), stream.text[start:end]


@given(text=TEXTS, language=LANGUAGES, max_chars=st.sampled_from([40, 300]))
@settings(max_examples=200, deadline=None)
def test_sentences_are_the_text_in_order(text: str, language: str, max_chars: int) -> None:
    """Sentences are numbered, in order, apart, stripped, and each is what stands at its place in the text."""
    stream, found = cut([text], language, max_chars)
    whole = stream.text
    end = 0
    for number, sentence in enumerate(found):
        assert sentence.number == number
        assert end <= sentence.start < sentence.end <= len(whole)
        assert whole[sentence.start : sentence.end] == sentence.text == sentence.text.strip()
        assert sentence.spoken
        end = sentence.end


@given(
    words=st.lists(
        st.sampled_from(["word", "Dr.", "etc.", "end.", "Yes!", "3.5", "(so", "so)", '"q', 'q"', "\n", "\n\n"])
    )
)
def test_no_word_is_lost(words: list[str]) -> None:
    """Without silent blocks, what lies between sentences is white space: every word is in exactly one of them."""
    text = " ".join(words)
    _, found = cut([text])
    assert "".join("".join(s.text for s in found).split()) == "".join(text.split())


@given(text=TEXTS, max_chars=st.integers(40, 80))
@settings(deadline=None)
def test_no_sentence_is_longer_than_allowed(text: str, max_chars: int) -> None:
    """A sentence holds at most `max_chars` code points, or twice as many where it holds a link."""
    for sentence in cut([text], max_chars=max_chars)[1]:
        link = any(sign in sentence.text for sign in ("://", "](", "www.", "@"))
        assert len(sentence.text) <= max_chars * (2 if link else 1)


@given(text=TEXTS, data=st.data())
@settings(deadline=None)
def test_a_pause_loses_nothing(text: str, data: st.DataObject) -> None:
    """However often the stream stalls, sentences stay in order and apart, and each is what stands at its place."""
    stalls = data.draw(st.sets(st.integers(0, len(text)), max_size=6))
    stream = SentenceStream()
    found: list[Sentence] = []
    for at, char in enumerate(text):
        found += stream.feed(char)
        found += stream.stalled() if at in stalls else []
    found += stream.end()
    assert [s.number for s in found] == list(range(len(found)))
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(stream.text[s.start : s.end] == s.text for s in found)


@given(st.lists(st.text(st.characters(codec=None, categories=["Cs", "Lu", "So"])), max_size=20))
def test_surrogates_are_mended(pieces: list[str]) -> None:
    """The displayed text is valid Unicode and has each well-formed character of the input, however it was split."""
    stream, _ = cut(pieces)
    stream.text.encode()
    joined = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert stream.text == joined


# --- cost -----------------------------------------------------------------------------------------------------------


def calls(work: Callable[[], Any]) -> int:
    """How many Python functions `work` calls."""
    count = 0

    def on_event(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def parted(text: str) -> None:
    SentenceStream("en", 300, lambda _offer: True).feed(text)


UNITS = [
    *spaced("a ( * ` \" ' [ - | # ~ = . … 。 😀 。😀 “ <think https://a.b/"),
    *[
        "a ",
        "when she had gone, ",
        ". ",
        "? ",
        "> ",
        "1. ",
        "U.S. ",
        "etc. I",
        "\n",
        "a\n",
        "a:\n",
        "x, ",
        "- a\n",
        "```\n",
    ],
]


@pytest.mark.parametrize("unit", UNITS)
def test_cost_is_linear(unit: str) -> None:
    """Twice the text takes hardly more than twice the steps, whatever it repeats, one code point at a time."""
    short, long = unit * (1500 // len(unit)), unit * (3000 // len(unit))
    assert calls(lambda: cut(list(long))) <= 2.2 * calls(lambda: cut(list(short))) + 500
    assert calls(lambda: parted(long)) <= 2.2 * calls(lambda: parted(short)) + 500
