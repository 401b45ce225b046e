"""XTTS's languages: how each is called, and how long a text in it may be. Pure."""

from __future__ import annotations

from collections.abc import Sequence

MAX_CHARS = {
    "ar": 166,
    "cs": 186,
    "de": 253,
    "en": 250,
    "es": 239,
    "fr": 273,
    "hi": 150,
    "hu": 224,
    "it": 213,
    "ja": 71,
    "ko": 95,
    "nl": 251,
    "pl": 224,
    "pt": 203,
    "ru": 182,
    "tr": 226,
    "zh": 82,
}
"""Code points of one text, from the tokenizer of coqui-tts 0.28: beyond them sound may be cut off, and at them some
servers cut the text themselves."""


def max_chars(language: str) -> int:
    """The longest text in `language`, below XTTS's limit; where XTTS has no figure, it takes that of English."""
    return MAX_CHARS.get(_base(language), MAX_CHARS["en"]) - 1


def match(wanted: str, known: Sequence[str]) -> str | None:
    """`wanted` as the server writes it: `zh` is its `zh-cn`, and its `en` speaks `en-GB`. None when it has none."""
    exact = [code for code in known if code.lower() == wanted.lower()]
    kin = [code for code in known if _base(code) == _base(wanted)]
    return next(iter([*exact, *kin]), None)


def _base(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]
