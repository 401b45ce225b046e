# ruff: noqa: RUF001 (marks of several scripts are what this file is about)
"""Where a sentence that is too long for an engine is cut: at the best clause, as late as it fits."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from unavoce.text.places import STOPS
from unavoce.text.vocabulary import CONJUNCTIONS


class Rank(IntEnum):
    """Kinds of place, best first."""

    STOP = 0
    """After a stop that did not end the sentence (inside a quote)."""
    SEMICOLON = 1
    COLON = 2
    DASH = 3
    COMMA_AND = 4
    COMMA = 5
    CONJUNCTION = 6
    SPACE = 7
    PROTECTED = 8
    """In inline code, a link's text or between the digits of a number."""


class Place(NamedTuple):
    at: int
    """Index of the code point that the next piece begins with."""
    rank: Rank
    free: bool = True
    """Nothing is open there: no quote, bracket, code or emphasis."""


_AFTER = {
    **dict.fromkeys(";；؛", Rank.SEMICOLON),
    **dict.fromkeys(":：", Rank.COLON),
    **dict.fromkeys("—–|", Rank.DASH),
    **dict.fromkeys(",，、،", Rank.COMMA),
}
UNSPACED = frozenset("；：，、")
"""Marks after which a clause may begin without a space."""
_LINK_SIGNS = ("://", "](", "www.", "@")
_WORD_LOOK = 12
_GRAPHEME_LOOK = 16


def rank_of(before: str, char: str, *, spaced: bool, protected: bool) -> Rank | None:
    """The kind of place before `char`, `before` being the last code points that are not white space."""
    last = before[-1:]
    if not spaced and last not in UNSPACED:
        return None
    if protected or (last.isdecimal() and char.isdecimal()):
        return Rank.PROTECTED
    if last in STOPS or before[-2:-1] in STOPS:
        return Rank.STOP
    if last == "-" or char in "—–":
        return Rank.DASH if len(before) < 2 or before[-2].isspace() or last != "-" else Rank.SPACE
    return _AFTER.get(last, Rank.SPACE)


def best_cut(chars: Sequence[str], places: Sequence[Place], start: int, limit: int) -> int | None:
    """Where the sentence from `start` is cut so that at most `limit` code points come before; None in a long link.

    Prefers the best kind of place in the last two thirds, the later of equals.
    """
    fitting = [place for place in places if start < place.at <= start + limit]
    late = [place for place in fitting if place.at >= start + limit // 3 and place.rank < Rank.PROTECTED]
    if late:
        return min(late, key=lambda place: (_refined(chars, place), -place.at)).at
    early = [place for place in fitting if place.rank < Rank.PROTECTED]
    if early:
        return early[-1].at
    return fitting[-1].at if fitting else None


def _refined(chars: Sequence[str], place: Place) -> Rank:
    """Tells a comma or space before a conjunction from others; its first word is known by now."""
    if place.rank not in (Rank.COMMA, Rank.SPACE):
        return place.rank
    word = "".join(chars[place.at : place.at + _WORD_LOOK]).split(maxsplit=1)[0].lower()
    if word not in CONJUNCTIONS:
        return place.rank
    return Rank.COMMA_AND if place.rank is Rank.COMMA else Rank.CONJUNCTION


def hard_cut(chars: Sequence[str], start: int, limit: int) -> int:
    """A cut in unbroken text, not inside a character of several code points."""
    for at in range(start + limit, start + limit - _GRAPHEME_LOOK, -1):
        joined = unicodedata.combining(chars[at]) or chars[at] in "\u200d\ufe0f" or chars[at - 1] == "\u200d"
        if not joined and not "\U0001f3fb" <= chars[at] <= "\U0001f3ff":
            return at
    return start + limit


def is_link(text: str) -> bool:
    return any(sign in text for sign in _LINK_SIGNS)
