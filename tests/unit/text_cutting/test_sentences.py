"""The cutter by example: blocks, boundaries, pauses of the stream, over-long sentences, broken Unicode."""

from __future__ import annotations

import pytest

from unavoce.text import Boundary, Sentence, SentenceStream


def cut(text: str, language: str = "en", max_chars: int = 300) -> list[Sentence]:
    stream = SentenceStream(language, max_chars)
    return stream.feed(text) + stream.end()


def texts(text: str, language: str = "en", max_chars: int = 300) -> list[str]:
    return [sentence.text for sentence in cut(text, language, max_chars)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith paid $3.50 at 10 a.m. (see example.com).",
        'He said "Go. Now." and left.',
        "Yahoo! is still around.",
        "We met No. 5 and Fig. 2, e.g. in vol. 3.",
        "Wait... what?!",
        "Use `a. B` and [the docs. Really](https://a.b/c. D).",
        "I. Newton, J. R. R. Tolkien and George W. Bush came.",
        "At 5 a.m. Mr. Smith rose.",
        "Steps: 1. Boil water.",
        "Quite like Jonas E. Smith at Pitt, Briggs & Co. in the U.S. Government.",
        "It is 10:30, v1.2.3 costs 3.14.",
        "“Who. Me?” he said.",
        "He (it was late! Very.) slept.",
    ],
)
def test_stops_within_a_sentence(sentence: str) -> None:
    """A stop of an abbreviation, number, address, name or quotation does not end the sentence around it."""
    assert texts(f"{sentence} Then we went on.") == [sentence, "Then we went on."]


@pytest.mark.parametrize(
    "first", ["We sell pens, etc.", "She lives in the U.S.", "It ends at 5 p.m.", "I took plan B."]
)
def test_an_abbreviation_may_end_a_sentence(first: str) -> None:
    """A word that begins sentences shows that the abbreviation before it was the end."""
    assert texts(f"{first} Then we left.") == [first, "Then we left."]


def test_a_sentence_comes_as_soon_as_it_is_sure() -> None:
    """An ordinary end is known at the first code point of the next word, an abbreviation's when that word tells."""
    stream = SentenceStream()
    assert stream.feed("It rained. ") == []
    assert [s.text for s in stream.feed("T")] == ["It rained."]
    assert stream.feed("hey like the U.S. Some") == []
    assert [s.text for s in stream.feed(" ")] == ["They like the U.S."]
    assert stream.feed("want the U.S. S") == []
    assert stream.feed("enate to act. ") == []
    assert [s.text for s in stream.end()] == ["Some want the U.S. Senate to act."]


def test_places_count_code_points() -> None:
    """`start` and `end` are code points of the displayed text, whatever their width elsewhere."""
    stream = SentenceStream()
    found = stream.feed("😀😀 Hi. There.") + stream.end()
    assert [(s.number, s.start, s.end) for s in found] == [(0, 0, 6), (1, 7, 13)]
    assert stream.text == "😀😀 Hi. There."


def test_boundaries_say_what_follows() -> None:
    """Sentences of a paragraph, its end, a colon before a list, items and headings have their own boundaries."""
    found = cut("# Tea\nBoil water. Wait.\n\nYou need:\n- a pot\n- tea\n\nDone.")
    assert [(s.text, s.boundary) for s in found] == [
        ("# Tea", Boundary.PARAGRAPH),
        ("Boil water.", Boundary.SENTENCE),
        ("Wait.", Boundary.PARAGRAPH),
        ("You need:", Boundary.CLAUSE),
        ("- a pot", Boundary.SENTENCE),
        ("- tea", Boundary.PARAGRAPH),
        ("Done.", Boundary.PARAGRAPH),
    ]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```python\nx = 1. \n# Not a heading\n```", []),
        ("~~~\n```\nstill code. Yes.\n~~~", []),
        ("<think>Hm. Let me see.\n\n- no</think>", []),
        ("<thinking>\nHm.\n</thinking>", []),
        ("| a | b |\n|---|:-:|\n| 1. | x. Y |", ["| a | b |", "| 1. | x. Y |"]),
        ("---", []),
        ("***", []),
        ("* * *", []),
        ("* one\n* two. Three.", ["* one", "* two.", "Three."]),
        ("+ one\n  goes on", ["+ one\n  goes on"]),
        ("1. one\n2) two\n3.) three", ["1. one", "2) two", "3.) three"]),
        ("### Head. Still head!", ["### Head. Still head!"]),
        ("> one\n> two", ["one\n> two"]),
        ("**Bold title**\nText", ["**Bold title**", "Text"]),
        ("    indented. Prose.", ["indented.", "Prose."]),
    ],
)
def test_blocks(block: str, said: list[str]) -> None:
    """Each kind of block is cut, or kept silent, as a reader would; the paragraphs around it are not touched."""
    assert texts(f"Before\n\n{block}\n\nAfter") == ["Before", *said, "After"]
    assert texts(f"Before.\n{block}\n\nAfter") == ["Before.", *said, "After"]


@pytest.mark.parametrize("block", ["```\ncode. More.", "~~~ py\nx", "<think>Hm. Well", "<thinking>"])
def test_silent_blocks_may_be_unclosed(block: str) -> None:
    """Code or thinking that the end of the stream cuts off stays silent."""
    assert texts(f"Before.\n\n{block}") == ["Before."]


def test_thinking_is_only_where_models_think() -> None:
    """The tag in mid-sentence or in code is text like any other."""
    assert texts("The `<think>` tag. It opens.") == ["The `<think>` tag.", "It opens."]
    assert texts("<think>Hm.</think>Yes. No.") == ["Yes.", "No."]


def test_an_ordinal_may_be_emphasised() -> None:
    """Marks of emphasis round a number change nothing about its stop."""
    assert texts("Wir kommen am **3.** Mai. Gut.", "de") == ["Wir kommen am **3.** Mai.", "Gut."]


def test_a_wrapped_paragraph_goes_on() -> None:
    """A single line break within a paragraph is a space; the number after it begins no list."""
    assert texts("Wir kommen am\n5. Mai an.\nGut so.", "de") == ["Wir kommen am\n5. Mai an.", "Gut so."]
    assert texts("Steps:\n5. Stir.") == ["Steps:", "5. Stir."]


def test_text_with_nothing_to_say_gets_no_number() -> None:
    """Marks and pictures alone are no sentence."""
    assert [(s.number, s.text) for s in cut("***\n\nYes.\n\n...\n\n😀\n\nNo.")] == [(0, "Yes."), (1, "No.")]


# --- a stream that pauses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["All is well.", "Really?", "Wait…", "(So it is.)", '"Go."', "好。", "Yes. ", "- tea\n"]
)
def test_a_stalled_stream_gives_what_looks_complete(text: str) -> None:
    """What ends with a stop, or an item whose line has ended, is spoken when nothing follows for a while."""
    stream = SentenceStream()
    assert stream.feed(text) == []
    assert [s.text for s in stream.stalled()] == [text.strip()]
    assert stream.end() == []


@pytest.mark.parametrize(
    "text",
    ["All is", "Ask Dr.", "Ask J.", "It is 3.", "See https://a.", 'He said "Go.', "the U.S.", "- tea", "(So.", ""],
)
def test_a_stalled_stream_keeps_what_does_not(text: str) -> None:
    """Half a sentence, an abbreviation, a number or an open quote is kept back, and the pause changes nothing."""
    stream = SentenceStream()
    stream.feed(text)
    assert stream.stalled() == []
    assert stream.feed(" x y. Z") + stream.end() == cut(text + " x y. Z")


# --- over-long sentences --------------------------------------------------------------------------------------------


def test_a_long_sentence_is_cut_at_its_best_clause() -> None:
    """A semicolon is better than a comma, a comma with "and" better than one without, any better than a space."""
    long = "the quick brown fox jumps over it, lazily; then, once more, it sleeps and so on for ever and ever"
    assert texts(long, max_chars=60)[0] == "the quick brown fox jumps over it, lazily;"
    long = "one two three four five six, seven eight nine, and ten eleven twelve thirteen, fourteen fifteen sixteen"
    assert texts(long, max_chars=90)[0] == "one two three four five six, seven eight nine,"
    assert cut(long, max_chars=90)[0].boundary is Boundary.CLAUSE


def test_numbers_links_and_code_are_not_cut() -> None:
    """The digits of a number, a link's text and inline code stay together while there is any other place."""
    words = "word " * 9
    for whole in (
        "1 000 000 000",
        "[a long label](https://x.y/z)",
        "`a b c d e f g`",
        "https://example.com/" + "a" * 30,
    ):
        found = texts(f"{words}{whole} and more words follow here", max_chars=50)
        assert any(whole in text for text in found), found


def test_unbroken_text_is_cut_hard_but_not_inside_a_character() -> None:
    """Text without a space is cut at the limit, before a base character and its marks."""
    found = texts("e\u0301" * 100, max_chars=41)
    assert all(text.startswith("e") and len(text) <= 41 for text in found)
    assert "".join(found) == "e\u0301" * 100


def test_max_chars_must_leave_room() -> None:
    """A limit that no clause fits in is refused by name."""
    with pytest.raises(ValueError, match="max_chars = 10"):
        SentenceStream(max_chars=10)


# --- broken Unicode -------------------------------------------------------------------------------------------------


def test_surrogate_halves_are_joined_across_pieces() -> None:
    """Two halves of one character in two pieces are that character; a lone half is U+FFFD."""
    stream = SentenceStream()
    found = stream.feed("Hi \ud83d") + stream.feed("\ude00 there \ude00. \ud83d") + stream.end()
    assert stream.text == "Hi 😀 there \ufffd. \ufffd"
    assert found[0].text == "Hi 😀 there \ufffd."


def test_control_characters_are_harmless() -> None:
    """They stay in the displayed text and end nothing."""
    assert texts("One\x00two\x1b[31m three.\x07 Four.") == ["One\x00two\x1b[31m three.\x07 Four."]
