"""What the passes need to know about a language: tables only. One file per language beside this one."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Currency:
    one: str
    """With its article, since digits do not agree with it: "ein Euro", "une livre"."""
    many: str
    cent_one: str
    cent_many: str
    of: str = ""
    """The name after "million", where it differs: "d'euros"."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """How the marks in a URL, an e-mail address or a file name are said."""

    dot: str
    slash: str
    at: str
    dash: str
    underscore: str
    plus: str
    port: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Templates; `{h}` hour, `{m}` minutes, `{day}`, `{month}`, `{year}`."""

    time: str
    full_hour: str
    date: str
    months: tuple[str, ...]
    first_day: str = ""
    """What the 1st is called where it is not a plain number."""
    one: Mapping[str, str] = field(default_factory=dict)
    """`time` and `full_hour` for one o'clock, where "1" would not agree with its noun: "une heure {m}"."""
    small_minutes: str = "{m}"
    """Minutes below ten: "oh {m}"."""
    late_full_hour: str = ""
    """`full_hour` outside 1 to 12, where it differs: "{h} hundred"."""
    suffix: str = ""
    """Regex of a word that may follow a time and is already in the template: "Uhr"."""
    time_mark: str = ":"
    """Regex of what stands between hours and minutes."""


def _digits_as_they_are(number: str) -> str:
    return number


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """Compared by identity, so that compiled patterns can be kept per language."""

    code: str
    addresses: Addresses
    decimal_mark: str
    group_mark: str
    decimal_word: str
    join: str
    """"and" for the symbol &."""
    to: str
    """Between the ends of a range."""
    minus: str
    number_sign: str
    """What "#5" or "№ 5" begins with."""
    signs: Mapping[str, str]
    """Symbols with spaces around them in speech: + = × ÷ ≥ → …"""
    units: Mapping[str, tuple[str, str]]
    """Symbol → (name after one, name after any other number)."""
    one: Mapping[str, str]
    """Unit name after one → "1" with the right gender; "" is the default."""
    currencies: Mapping[str, Currency]
    cents: str
    """Template of an amount with cents: `{major}` is "2 Euro", `{cents}` the number, `{name}` its noun."""
    scales: Mapping[str, str]
    """After an amount: "million", "Mio." → the word said."""
    clock: Clock
    fractions: Mapping[str, str]
    abbreviations: Mapping[str, str]
    """Written form with its stops → words. Capitalised forms follow by themselves."""
    number: Callable[[str], str] = field(default=_digits_as_they_are)
    """A run of digits → what is said. English spells numbers out; other languages leave digits to the engine,
    which knows gender and case better than a table (docs/decisions on spoken text)."""
    decimals_one_by_one: bool = False
    """Whether 3,14 is said "three comma one four" (German) or "three comma fourteen" (French)."""
    day_first: bool = True
