"""Ranges, signs, decimals, percentages, units and whole numbers."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import re
from functools import cache

from unavoce.text.speech.languages.base import Language

_RANGE = re.compile(
    r"(?<![\w.,:/–-])([$€£]?)([0-9](?:[0-9.,:]{0,20}[0-9])?(?:[%€$£]|°[CF]?)?)(?:[-–—]| – )"
    r"([$€£]?)([0-9](?:[0-9.,:]{0,20}[0-9])?)"
    r"(?![0-9–]|-[0-9])"
)
_NEGATIVE = re.compile(r"(?<![\w)\]%°.,:-])[-–−](?=[$€£]?[0-9])")
_DIFFERENCE = re.compile(r"(?<=[0-9]) - (?=[0-9])")
_ARTICLES = (" a ", " an ", "A ", "An ")
_BARE_DECIMAL = re.compile(r"(?<![\w.])\.(?=[0-9])")


@cache
def number_pattern(language: Language) -> str:
    """Regex of a written number: grouped or plain, with or without decimals, in three groups at most deep."""
    group, mark = re.escape(language.group_mark), re.escape(language.decimal_mark)
    return rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}}){{1,4}}(?![0-9])|[0-9]{{1,15}})(?:{mark}[0-9]{{1,40}})?"


def say_number(written: str, language: Language) -> str:
    """One number as written in the language: "1,234.5" → "one thousand two hundred and thirty-four point five"."""
    whole, _, decimals = written.replace(language.group_mark, "").partition(language.decimal_mark)
    spoken = language.number(whole)
    if not decimals:
        return spoken
    return f"{spoken} {language.decimal_word} {_decimals(decimals, language)}"


def _decimals(decimals: str, language: Language) -> str:
    if language.decimals_one_by_one or decimals.startswith("0") or len(decimals) > 2:
        return " ".join(language.number(digit) for digit in decimals)
    return language.number(decimals)


def follows_article(match: re.Match[str], language: Language) -> bool:
    """Whether an English amount describes a noun and so stays singular: "a 9V battery", "a $500K house"."""
    return language.code == "en" and match.string[max(match.start() - 4, 0) : match.start()].endswith(_ARTICLES)


def is_one(written: str) -> bool:
    return written == "1"


def read_ranges(text: str, language: Language) -> str:
    """ "5-10" → "5 to 10", "$20-30" → "20 to $30", "-5" → "minus 5", "7 - 2" → "7 minus 2"."""
    text = _RANGE.sub(lambda match: _range(match, language), text)
    text = _DIFFERENCE.sub(f" {language.minus} ", text)
    return _NEGATIVE.sub(f"{language.minus} ", text)


def _range(match: re.Match[str], language: Language) -> str:
    sign, low, second_sign, high = match.groups()
    if low.isdecimal() and high.isdecimal() and int(low) > max(int(high), 99):
        return match[0]  # "747-400" is a name
    if match.string.startswith("%", match.end()):
        low = low.rstrip("%")  # "5%-10%" is "five to ten percent"
    return f"{sign if second_sign else ''}{low} {language.to} {second_sign or sign}{high}"


@cache
def _measure(language: Language) -> re.Pattern[str]:
    units = "|".join(re.escape(unit) for unit in sorted(language.units, key=len, reverse=True))
    return re.compile(rf"(?<![\w.,])({number_pattern(language)})( ?-?)({units})(?![\w²³/°]|\.[A-Za-z])")


def read_measures(text: str, language: Language) -> str:
    """ "5 km" → "five kilometres", "1 km" → "one kilometre", "20 %" → "twenty percent"."""
    return _measure(language).sub(lambda match: _say_measure(match, language), text)


def _say_measure(match: re.Match[str], language: Language) -> str:
    written, link, unit = match.groups()
    one, many = language.units[unit]
    if "-" in link or follows_article(match, language):
        many = one
    stop = "." if unit.endswith(".") and not match.string[match.end() :].strip() else ""
    if not is_one(written):
        return f"{say_number(written, language)} {many}{stop}"
    default = language.one.get("", language.number("1"))
    return f"{language.one.get(one, default)} {one}{stop}"


def read_fractions(text: str, language: Language) -> str:
    """Fractions that the language has a name for, the written ones standing alone: "1/2", "½"."""
    return _fraction(language).sub(lambda match: language.fractions[match[0]], text)


@cache
def _fraction(language: Language) -> re.Pattern[str]:
    signs = "|".join(re.escape(f) for f in language.fractions if "/" not in f)
    written = "|".join(re.escape(f) for f in language.fractions if "/" in f) or "(?!)"
    return re.compile(rf"{signs}|(?<![\w/.,])(?:{written})(?![\w/]|[.,][0-9])")


@cache
def _decimal(language: Language) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,])({number_pattern(language)})(?!\w|[.,][0-9])")


def read_decimals(text: str, language: Language) -> str:
    """For languages that leave whole numbers to the engine: "3,5" → "3 Komma 5", "1.234" → "1234"."""
    return _decimal(language).sub(lambda match: say_number(match[1], language), text)


def with_leading_zero(text: str) -> str:
    """ ".5" → "0.5"."""
    return _BARE_DECIMAL.sub("0.", text)
