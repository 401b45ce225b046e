"""Abbreviations from each language's table, initials and dotted acronyms."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import re
from functools import cache

from unavoce.text.speech.languages.base import Language

_AT_END = re.compile(r"[\"'”’»)\]*_]{0,5}\s{0,20}$")
_ACRONYM = re.compile(r"(?<![\w.])(?:[A-Z]\.){2,6}(?:[A-Z](?!\w))?(?!\w)")
_INITIALS = re.compile(r"(?<![\w.])(?:[A-Z]\. ){2,5}(?=[A-Z][\w'’])")
_INITIAL = re.compile(r"(?<![\w.])([A-Z])\.(?= ?[A-Z][\w.'’])")


def expand_abbreviations(text: str, language: Language) -> str:
    """The table's forms in words. A stop that also ended the sentence stays."""
    return _pattern(language).sub(lambda match: _expand(match, language), text)


def join_initials(text: str) -> str:
    """ "J. Jones" → "J Jones", "J. R. Jones" → "J-R Jones"; "U.S." → "U-S".

    Hyphens, because espeak takes a lone "A" for the article and "AM" for a word, but reads "A-M" as letters.
    """
    text = _ACRONYM.sub(_spell, text)
    text = _INITIALS.sub(lambda match: "-".join(match[0].replace(".", "").split()) + " ", text)
    return _INITIAL.sub(r"\1 ", text)


def ends_sentence(match: re.Match[str]) -> bool:
    """Whether nothing but closing marks follows."""
    return _AT_END.match(match.string, match.end()) is not None


def _spell(match: re.Match[str]) -> str:
    letters = "-".join(match[0].replace(".", ""))
    return f"{letters}." if match[0].endswith(".") and ends_sentence(match) else letters


@cache
def _forms(language: Language) -> dict[str, str]:
    """The table and its forms at the start of a sentence."""
    forms = {}
    for form, words in language.abbreviations.items():
        forms[form[0].upper() + form[1:]] = words[0].upper() + words[1:]
    return forms | dict(language.abbreviations)


@cache
def _pattern(language: Language) -> re.Pattern[str]:
    forms = "|".join(re.escape(form) for form in sorted(_forms(language), key=len, reverse=True))
    return re.compile(rf"(?<![\w./'’-])(?:{forms})(?!\w)")


def _expand(match: re.Match[str], language: Language) -> str:
    words = _forms(language)[match[0]]
    return f"{words}." if match[0].endswith(".") and ends_sentence(match) else words
