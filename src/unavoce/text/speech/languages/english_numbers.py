"""Numbers as English words. Pure arithmetic, up to 999 trillion; "and" after hundreds, as in Britain."""

# ruff: noqa: SIM905  (a row of words reads best as one string)

from __future__ import annotations

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "? ? twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
MAX_DIGITS = 15


def cardinal(number: int) -> str:
    """1234 → "one thousand two hundred and thirty-four". `number` from 0 to 10**15 - 1."""
    if number < 1000:
        return _below_thousand(number)
    scale, name = next(entry for entry in _SCALES if number >= entry[0])
    head, rest = divmod(number, scale)
    words = f"{cardinal(head)} {name}"
    if not rest:
        return words
    return f"{words} {'and ' if rest < 100 else ''}{cardinal(rest)}"


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(rest)
    words = f"{_SMALL[hundreds]} hundred"
    return f"{words} and {_below_hundred(rest)}" if rest else words


def _below_hundred(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]}-{_SMALL[ones]}" if ones else _TENS[tens]


def ordinal(number: int) -> str:
    """22 → "twenty-second"."""
    words = cardinal(number)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    head, last = words[:cut], words[cut:]
    if last in _IRREGULAR_ORDINALS:
        return head + _IRREGULAR_ORDINALS[last]
    return head + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(number: int) -> str:
    """1980 → "nineteen eighty", 1905 → "nineteen oh five", 2005 → "two thousand and five"."""
    century, rest = divmod(number, 100)
    if century % 10 == 0 and rest < 10:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def decade(number: int) -> str:
    """1980 → "nineteen eighties", 1900 → "nineteen hundreds", 30 → "thirties"."""
    words = cardinal(number) if number < 100 else year(number)
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def digits(number: str) -> str:
    """ "042" → "zero four two"."""
    return " ".join(_SMALL[int(digit)] for digit in number)


def number(written: str) -> str:
    """A run of ASCII digits as words: leading zeros digit by digit, runs too long for a scale as they are."""
    if len(written) > MAX_DIGITS:
        return written
    return digits(written) if written.startswith("0") and len(written) > 1 else cardinal(int(written))
