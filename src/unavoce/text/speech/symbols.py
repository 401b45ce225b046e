"""Signs that are said: "a → b" is "a to b". Those no language table names are dropped at the end."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import re
from functools import cache

from unavoce.text.speech.languages.base import Language

_ELLIPSIS = re.compile(r" ?(?:\.{3,100}|…{1,100})(?= ?[\w\"'“‘(])")
_FINAL_ELLIPSIS = re.compile(r"…{1,100}|\.{4,100}")
_DASH = re.compile(r"(?: [–—-]{1,3} |—|--|(?<=[^\W\d])–(?=[^\W\d]))")
_PLURAL = re.compile(r"(?<=\w)\((s|es|n|en|e)\)")
_OPEN = re.compile(r"(?<=[\w.,;:!?\"'”’%]) ?\((?=[^()])")
_PARENTHESES = re.compile(r"\(|\)(?=[.,;:!?…\"'”’)]|\s{0,20}$)")
_CLOSE = re.compile(r"\)")
_AMPERSAND = re.compile(r" ?& ?")
_SLASH = re.compile(r"(?<=\w)/(?=[^\W\d])")
_EDGE_SLASH = re.compile(r"(?<!\w)/|/(?!\w)")
_NUMBER_SIGN = re.compile(r"(?<!\w)(?:#|№ ?)(?=[0-9])")
_HASH = re.compile(r"#(?=\w)|(?<!\w)#")
_ABOUT = re.compile(r"(?<![\w~])~ ?(?=[$€£]?[0-9])")
_SQUASHED = re.compile(r"(?<=[0-9)])([+=<>×÷±≈≥≤≠]|==|>=|<=|!=)(?=[0-9(])|(?<=\w)(=)(?=\w)")
_POSITIVE = re.compile(r"(?<![\w+)])\+(?=[$€£]?[0-9])")


@cache
def _signs(language: Language) -> re.Pattern[str]:
    """ASCII signs only with space around; the others wherever they stand."""
    ascii_signs = sorted((s for s in language.signs if s.isascii() and s != "~"), key=len, reverse=True)
    spaced = "|".join(re.escape(sign) for sign in ascii_signs)
    others = "".join(sign for sign in language.signs if not sign.isascii())
    return re.compile(rf"(?<![^\s(])(?:{spaced})(?![^\s().,;:!?])|[{others}]")


def read_pauses(text: str) -> str:
    """Ellipses within a sentence, dashes and parentheses become commas: espeak makes no pause at them."""
    text = _ELLIPSIS.sub(", ", text)
    text = _FINAL_ELLIPSIS.sub("...", text)
    text = _PLURAL.sub(r"\1", text)
    text = _OPEN.sub(", ", _DASH.sub(", ", text))
    text = _PARENTHESES.sub("", text)
    return _CLOSE.sub(", ", text)


def read_number_signs(text: str, language: Language) -> str:
    """Signs that touch a number, before the number is read: "#5", "~5", "2+2"."""
    text = _NUMBER_SIGN.sub(f"{language.number_sign} ", text)
    text = _ABOUT.sub(f"{language.signs['~']} ", text)
    text = _POSITIVE.sub(f"{language.signs['+']} ", text)
    return _SQUASHED.sub(lambda match: f" {match[0]} ", text)


def read_symbols(text: str, language: Language) -> str:
    """Every sign of the language's table, "&" and slashes."""
    text = _signs(language).sub(lambda match: f" {language.signs[match[0]]} ", text)
    text = _AMPERSAND.sub(f" {language.join} ", text)
    return drop_symbols(text)


def drop_symbols(text: str) -> str:
    """Slashes and hash signs that nothing has read."""
    return _HASH.sub(" ", _EDGE_SLASH.sub(" ", _SLASH.sub(" ", text)))
