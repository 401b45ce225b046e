# ruff: noqa: RUF001 (marks of several scripts are what this file is about)
"""A place where a sentence may end, taken apart: what stands before it and what comes after."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from unavoce.text.words import Words

BEFORE = 160
AFTER = 48
"""Most code points of context a verdict rests on."""

WIDE = frozenset("。！？｡．‼⁇⁈⁉।॥؟۔።")
"""Stops that need no space after them."""
STOPS = frozenset(".!?…‽") | WIDE
_CLOSERS = frozenset("\"'”’“‘»«›)]}」』】）》〉*_~`$")
_OPENERS = frozenset("\"'“‘«‹„‚»([{¿¡*_~`—–-「『（【《〈")
QUOTES = frozenset("\"'”’“»«›」』")
_JOINERS = frozenset("\u200d\ufe0f\u20e3")
_REFERENCE = re.compile(r"(?:\[\^?\w{1,3}\])+$")
BEFORE_WORD = "\"'“”‘’«»‹›„‚([{*_~`—–/「『（¿¡"


class Verdict(Enum):
    CUT = auto()
    KEEP = auto()
    WAIT = auto()


def verdict(cut: bool | None) -> Verdict:
    """For rules that answer yes, no, or not yet."""
    return Verdict.WAIT if cut is None else Verdict.CUT if cut else Verdict.KEEP


@lru_cache(maxsize=4096)
def is_emoji(char: str) -> bool:
    """Pictures and what joins them; not letters, nor the marks of text."""
    if char in _JOINERS or "\U0001f3fb" <= char <= "\U0001f3ff":
        return True
    return char > "\u2190" and char != "\ufffd" and unicodedata.category(char) == "So"


@lru_cache(maxsize=4096)
def ends_like_a_stop(char: str) -> bool:
    """Whether a sentence may end with `char`: a stop, a closing mark or a picture."""
    return char in STOPS or char in _CLOSERS or is_emoji(char)


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a sentence so far, taken apart: word, stops, closing marks, then references and emoji."""

    before: str
    """What stands before the last word."""
    word: str
    stops: str
    closers: str


def take_apart(text: str) -> Tail | None:
    """The tail of `text` (at most `BEFORE` code points), or None when it does not end with a stop."""
    end = len(text)
    while end and (is_emoji(text[end - 1]) or text[end - 1] in " \t"):
        end -= 1
    reference = _REFERENCE.search(text, max(0, end - 20), end) if end and text[end - 1] == "]" else None
    if reference:
        end = reference.start()
    stop_end = end
    while stop_end and text[stop_end - 1] in _CLOSERS:
        stop_end -= 1
    if stop_end < end and text[stop_end] in "»”" and text[stop_end - 1 : stop_end] in (" ", "\u00a0", "\u202f"):
        stop_end -= 1  # French sets a space inside its quotes
    start = stop_end
    while start and text[start - 1] in STOPS:
        start -= 1
    if start == stop_end:
        return None
    word_start = start
    while word_start and not text[word_start - 1].isspace():
        word_start -= 1
    word = text[word_start:start].lstrip(BEFORE_WORD)
    return Tail(text[:word_start].rstrip(), word, text[start:stop_end], text[stop_end:end].strip())


@dataclass(frozen=True, slots=True)
class Next:
    """The beginning of what follows: its first word without opening marks, and whether that is all of the word."""

    lead: str
    word: str
    whole: bool
    other: str = ""
    """The first character where it is no letter or digit."""

    @property
    def lower(self) -> bool:
        return self.word[:1].islower()

    @property
    def digit(self) -> bool:
        return self.word[:1].isdecimal()


@lru_cache(maxsize=256)
def read_next(after: str, final: bool) -> Next | None:
    """None while `after` holds opening marks only and may go on."""
    full = final or len(after) >= AFTER
    start = 0
    while start < len(after) and after[start] in _OPENERS:
        start += 1
    if start == len(after):
        return Next(after, "", True) if full else None
    end = start
    while end < len(after) and (after[end].isalnum() or after[end] in "'’"):
        end += 1
    return Next(after[:start], after[start:end], full or end < len(after), "" if end > start else after[start])


@dataclass(frozen=True, slots=True)
class Site:
    """A place where a sentence may end."""

    text: str
    """The sentence so far, or its last `BEFORE` code points."""
    whole: bool
    """Whether `text` is the sentence from its start."""
    nested: bool
    """A quote, bracket or code is open."""
    quoted_from_start: bool
    """The quote or bracket that has just closed had opened the sentence."""
    bracketed_inside: bool
    """What has just closed is a bracket within the sentence."""
    casual: bool
    """The sentence began with a lower-case letter."""
    spaced: bool
    """White space stands between the sentence so far and what follows."""
    broken: bool
    """A line break is in that white space."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that a rule rests on."""

    site: Site
    tail: Tail
    words: Words
    after: str
    final: bool
    """Nothing follows `after`."""


_BRAND = re.compile(r"[a-z]{1,3}[A-Z]")
_BRAND_BEGUN = re.compile(r"[a-z]{1,3}")


def lower_case_starts(site: Site, following: Next | None, *, long_word: bool = False) -> bool | None:
    """A sentence begins in lower case with a brand ("iPhone"), in casual writing, or after a long word."""
    if following is None:
        return None
    if site.casual or long_word or _BRAND.match(following.word):
        return True
    if not following.whole and _BRAND_BEGUN.fullmatch(following.word):
        return None
    return False
