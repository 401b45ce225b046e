"""Nothing an engine could take for its own syntax gets through, and nothing to say is nothing."""
# ruff: noqa: RUF001  (phonemes and Persian letters are what is tested)

from __future__ import annotations

import pytest

from unavoce.text.kind import Kind
from unavoce.text.spoken import speakable


@pytest.mark.parametrize(
    "hostile",
    [
        "Say [[h@'loU]] fine.",
        "A [word](/fəʊniːmz/) fine.",
        "[laughs] Fine.",
        '<break time="2s"/>Fine.',
        "&lt;break time='2s'/&gt; Fine.",
        "&#91;&#91;a&#93;&#93; fine.",
        r"\[\[a\]\] fine.",
        "`[[a]]` fine.",
        "`<speak>` fine.",
        "[\u200b[a]\u200b] fine.",
        "[[[[a]](b)](c) fine.",
        "{{template}} fine.",
        "| [[a]] | fine |",
        "a\\_b \\`c\\` fine.",
    ],
)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", ["en", "de", "xx"])
def test_engine_syntax_is_disarmed(hostile: str, kind: Kind, language: str) -> None:
    """However brackets, tags and braces are smuggled in, none is left in the spoken text."""
    spoken = speakable(hostile, kind, language)
    assert "ine" in spoken
    assert not set(spoken) & set("[]<>{}|`*_^~\\")


@pytest.mark.parametrize(
    "empty", ["", " ", "\n", "---", "***", "…", "...", "?!", "🎉 👍🏽", "→", "|---|:-:|", "$", "&nbsp;"]
)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_text_without_words_is_silent(empty: str, kind: Kind, language: str) -> None:
    """Punctuation, emoji, rules and white space have nothing to say, whatever names their signs have."""
    assert speakable(empty, kind, language) == ""


def test_invisible_characters_are_removed() -> None:
    """Zero-width marks, bidi controls, lone surrogates, controls and private use vanish inside a word."""
    hidden = "wo\u200br\u202ed\u2066s \ud800a\x00r\ue000e\ufeff fi\u00adne\x07."
    assert speakable(hidden, Kind.PROSE, "en") == "words are fine."


def test_joiners_stay_where_spelling_needs_them() -> None:
    """Persian keeps its zero-width non-joiner between letters, English does not."""
    assert speakable("می\u200cخواهم", Kind.PROSE, "fa") == "می\u200cخواهم"
    assert speakable("no\u200cjoin", Kind.PROSE, "en") == "nojoin"


def test_output_is_composed() -> None:
    """Letters and their accents come out as one code point where there is one."""
    assert speakable("cafe\u0301", Kind.PROSE, "en") == "caf\u00e9"


@pytest.mark.parametrize("reference", ["&#" + "1" * 5000 + ";", "&#x110000;", "&#xD800;", "&#0;", "&notareference;"])
def test_strange_character_references_do_no_harm(reference: str) -> None:
    """References out of range or too long for an integer are text, not an error."""
    assert speakable(f"fine {reference} here", Kind.PROSE, "en").startswith("fine")
