"""A text that is too long for one call, in parts that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.engines.parts import check_speakable, in_parts
from unavoce.errors import EngineRefused


@given(text=st.text(max_size=300), limit=st.integers(2, 80))
def test_parts_hold_every_character_that_is_heard(text: str, limit: int) -> None:
    """Put together again, the parts differ from the text in white space only, and none is empty or too long."""
    parts = in_parts(text, limit)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part and len(part) <= limit for part in parts)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("Short.", 20, ["Short."]),
        ("The first one. The second one.", 20, ["The first one.", "The second one."]),
        ("The first one, then another", 20, ["The first one,", "then another"]),
        ("no marks at all in here", 15, ["no marks at all", "in here"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("It costs 3.50 and no more", 12, ["It costs", "3.50 and no", "more"]),
        ('He said "No." And then he left', 20, ['He said "No."', "And then he left"]),
        ("At 10:30 or later, sir", 9, ["At 10:30", "or later,", "sir"]),
        ("今日は晴れです。明日は雨でしょう。", 10, ["今日は晴れです。", "明日は雨でしょう。"]),
        ("   ", 5, []),
    ],
)
def test_a_text_is_cut_at_the_best_place(text: str, limit: int, parts: list[str]) -> None:
    """At a sentence's end before a comma, at a comma before a space, within a word only where there is no other."""
    assert in_parts(text, limit) == parts


@pytest.mark.parametrize("text", ["", "   ", "...", "—", "?!", "“…”"])
def test_a_text_without_words_is_refused(text: str) -> None:
    """Servers answer it with a fault of their own, which would count against them."""
    with pytest.raises(EngineRefused, match="nothing in this text"):
        check_speakable(text, 100)


def test_a_text_that_is_too_long_is_refused_by_its_length() -> None:
    """The message names the length and the limit, and not the text."""
    check_speakable("a" * 100, 100)
    with pytest.raises(EngineRefused, match=r"^101 characters; 100 are"):
        check_speakable("a" * 101, 100)
