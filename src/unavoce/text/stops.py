# ruff: noqa: RUF001 (marks of several scripts are what this file is about)
"""Does the sentence end here? The rules of a stop, from what stands before and after it.

A verdict is final as soon as it is not `WAIT`: more text after it would not change it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from unavoce.text import vocabulary
from unavoce.text.words import Abbreviation, Words

BEFORE = 160
AFTER = 48
"""Most code points of context a verdict rests on."""

WIDE = frozenset("。！？｡．‼⁇⁈⁉।॥؟۔።")
"""Stops that need no space after them."""
STOPS = frozenset(".!?…‽") | WIDE
_CLOSERS = frozenset("\"'”’“‘»«›)]}」』】）》〉*_~`")
_OPENERS = frozenset("\"'“‘«‹„‚»([{¿¡*_~`—–-「『（【《〈")
_QUOTES = frozenset("\"'”’“»«›」』")
_JOINERS = frozenset("\u200d\ufe0f\u20e3")
_REFERENCE = re.compile(r"(?:\[\^?\w{1,3}\])+$")
_BEFORE_WORD = "\"'“”‘’«»‹›„‚([{*_~`—–/「『（¿¡"


class Verdict(Enum):
    CUT = auto()
    KEEP = auto()
    WAIT = auto()


@lru_cache(maxsize=4096)
def is_emoji(char: str) -> bool:
    """Pictures and what joins them; not letters, nor the marks of text."""
    if char in _JOINERS or "\U0001f3fb" <= char <= "\U0001f3ff":
        return True
    return char > "\u2190" and unicodedata.category(char) == "So"


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
    word = text[word_start:start].lstrip(_BEFORE_WORD)
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
    bracketed: bool
    """What has just closed is a bracket."""
    casual: bool
    """The sentence began with a lower-case letter."""
    spaced: bool
    """White space stands between the sentence so far and what follows."""
    broken: bool
    """A line break is in that white space."""


def judge(site: Site, after: str, words: Words, *, final: bool = False) -> Verdict:
    """`after` starts with the first code point that is not white space and grows until the verdict stands."""
    if site.nested:
        return Verdict.KEEP
    tail = take_apart(site.text)
    if tail is None:
        return Verdict.KEEP
    wide = any(stop in WIDE for stop in tail.stops)
    if not site.spaced and not wide and not _cjk_ellipsis(tail, after):
        return Verdict.KEEP
    if not site.broken and is_emoji(after[0]):
        return Verdict.KEEP  # it belongs to what it follows
    if after[0] in ",;:，、；：" or (after[0] in STOPS and after[0] not in "…."):
        return Verdict.KEEP
    if wide:
        return _after_wide_stop(site, tail, after, words, final)
    following = read_next(after, final)
    if following is None:
        return Verdict.WAIT
    if "!" in tail.stops or "?" in tail.stops or "‽" in tail.stops:
        return _after_mark(site, tail, following, after, words, final)
    if len(tail.stops) > 1 or "…" in tail.stops:
        return _after_ellipsis(site, tail, following, words)
    return _after_period(site, tail, following, words)


def _verdict(cut: bool | None) -> Verdict:
    return Verdict.WAIT if cut is None else Verdict.CUT if cut else Verdict.KEEP


def _negated(known: bool | None) -> bool | None:
    return None if known is None else not known


# --- 。！？ and their kin -------------------------------------------------------------------------------------------

_QUOTING_PARTICLE = re.compile(r"と(?![てもきこう])|って|など|なんて|[のをが、]|は(?!い)")
_SAYING = re.compile(r"[^，。！？,.!?]{0,5}?[说說道问問喊答叫]")
_SAYING_REACH = 6


def _cjk_ellipsis(tail: Tail, after: str) -> bool:
    """A six-dot ellipsis ends a Chinese or Japanese sentence without a space, unless it is a mere hesitation."""
    return "…" in tail.stops and after[0] >= "⺀" and len(tail.word) > 2 and tail.word[-1] >= "⺀"


def _after_wide_stop(site: Site, tail: Tail, after: str, words: Words, final: bool) -> Verdict:
    if after[0].islower():
        return _verdict(_lower_case_starts(site, read_next(after, final)))
    if not _QUOTES & set(tail.closers) or site.spaced:
        return Verdict.CUT
    if "\u3040" <= after[0] <= "\u309f" or after[0] == "、":
        if len(after) < 2 and not final:
            return Verdict.WAIT
        return _verdict(not _QUOTING_PARTICLE.match(after))
    if not site.quoted_from_start or words.language == "ja":
        return Verdict.CUT
    if _SAYING.match(after[:_SAYING_REACH]):
        return Verdict.KEEP
    stopped = any(char in "，。！？,.!?" for char in after[:_SAYING_REACH])
    return Verdict.CUT if final or stopped or len(after) >= _SAYING_REACH else Verdict.WAIT


# --- ! and ? --------------------------------------------------------------------------------------------------------


def _after_mark(site: Site, tail: Tail, following: Next, after: str, words: Words, final: bool) -> Verdict:
    closed_quote = bool(_QUOTES & set(tail.closers))
    if site.bracketed and not site.quoted_from_start:
        return Verdict.KEEP
    if following.lower:
        if closed_quote or following.lead[:1] in ("—", "–", "-"):
            return Verdict.KEEP
        return _verdict(_lower_case_starts(site, following))
    if tail.word.casefold() in vocabulary.NAMES_WITH_MARKS and tail.before and tail.before[-1] not in STOPS:
        return _verdict(words.starts(following.word, following.whole))
    if closed_quote and site.quoted_from_start and words.language == "en":
        return _unless_said(after, words, final)
    return Verdict.CUT


def _unless_said(after: str, words: Words, final: bool) -> Verdict:
    """`"Where are you going?" John asked.` is one sentence: the quote is followed by a name and a verb of saying."""
    full = final or len(after) >= AFTER
    first, space, rest = after.partition(" ")
    starts = words.starts(first, bool(space) or full)
    if first != "I" and starts:
        return Verdict.CUT
    if not space or not rest:
        return Verdict.CUT if full or not first.isalpha() else Verdict.WAIT
    second = re.match(r"[a-z]*", rest)
    verb = second.group() if second else ""
    if len(verb) < len(rest) or full:
        return _verdict(verb not in vocabulary.SPEECH)
    return Verdict.WAIT if any(known.startswith(verb) for known in vocabulary.SPEECH) else Verdict.CUT


# --- … --------------------------------------------------------------------------------------------------------------


def _after_ellipsis(site: Site, tail: Tail, following: Next, words: Words) -> Verdict:
    if following.other in ("…", "."):
        return Verdict.KEEP
    if following.lower:
        return _verdict(_lower_case_starts(site, following))
    if following.digit or tail.word.casefold() in vocabulary.HESITATIONS:
        return Verdict.KEEP
    if site.whole and not tail.before and words.language == "en" and following.word.startswith("I"):
        if not following.whole and len(following.word) < 2:
            return Verdict.WAIT
        return _verdict(following.word[1:2] not in ("", "'", "’"))  # "Well... I think": a hesitation
    return Verdict.CUT


# --- the full stop --------------------------------------------------------------------------------------------------

_INITIALISM = re.compile(r"(?:[^\W\d_]{1,3}\.)+-?[^\W\d_]{1,4}")
_CLOCK = frozenset({"a.m", "p.m"})
_ROMAN = re.compile(r"[IVXLC]+")


def _after_period(site: Site, tail: Tail, following: Next, words: Words) -> Verdict:
    if following.other in ("…", "."):
        return Verdict.KEEP
    if tail.closers and (_QUOTES | frozenset(")]）")) & set(tail.closers):
        return _after_closed_period(site, following)
    word = tail.word
    if not word:
        return _verdict(not following.lower)
    if word.isdecimal():
        return _after_number(site, tail, following, words)
    if len(word) == 1 and word.isupper():
        return _after_initial(tail, following, words)
    kind = words.abbreviation(_bare(word))
    if kind is None and _INITIALISM.fullmatch(word):
        kind = Abbreviation.EITHER
    if kind is not None:
        return _after_abbreviation(kind, tail, following, words)
    if following.lower:
        return _verdict(_lower_case_starts(site, following, long_word=len(word) >= 5))
    return Verdict.CUT


def _bare(word: str) -> str:
    """The word after a hyphen or slash counts: "Mini-Dr." is a doctor; "J.-C." stays whole."""
    return word if "." in word else re.split(r"[-/’']", word)[-1] or word


def _after_closed_period(site: Site, following: Next) -> Verdict:
    if site.bracketed and not site.quoted_from_start:
        return Verdict.KEEP
    return _verdict(_lower_case_starts(site, following) if following.lower else True)


def _after_number(site: Site, tail: Tail, following: Next, words: Words) -> Verdict:
    if site.whole and not tail.before:
        return Verdict.KEEP  # "1. First do this": a number within the line
    if words.ordinal_dot and len(tail.word) <= 3:
        return _after_ordinal(tail, following, words)
    if words.ordinal_dot and following.lower:
        return Verdict.KEEP
    return Verdict.CUT


def _after_ordinal(tail: Tail, following: Next, words: Words) -> Verdict:
    if following.lower:
        return Verdict.KEEP
    before = tail.before.split()[-1] if tail.before else ""
    if following.digit:
        return _verdict(not (before.casefold() in vocabulary.BEFORE_ORDINAL or before.rstrip(".").isdecimal()))
    starts = words.starts(following.word, following.whole)
    if starts is not False:
        return _verdict(starts)
    if before.casefold() in vocabulary.BEFORE_ORDINAL or before.rstrip(".").isdecimal():
        return Verdict.KEEP
    if not following.whole:
        return Verdict.WAIT
    return _verdict(following.word.casefold() not in vocabulary.AFTER_ORDINAL)


def _after_initial(tail: Tail, following: Next, words: Words) -> Verdict:
    if following.lower or following.digit:
        return Verdict.KEEP
    before = tail.before.split()[-1].strip(_BEFORE_WORD) if tail.before else ""
    if words.labels(before) or not following.word:
        return Verdict.CUT
    if len(following.word) == 1 and not following.whole:
        return Verdict.WAIT
    if len(following.word) == 1:
        return Verdict.KEEP  # one more initial
    starts = words.starts(following.word, following.whole)
    return _verdict(starts)


def _after_abbreviation(kind: Abbreviation, tail: Tail, following: Next, words: Words) -> Verdict:
    if kind in (Abbreviation.TITLE, Abbreviation.INNER):
        return Verdict.KEEP
    if kind is Abbreviation.NUMBERED:
        return _after_numbered(tail, following)
    if following.lower or following.digit or not following.word:
        return _verdict(not following.word and following.other not in ("", "%", "&", "/", "€", "$", "£", "#", "+"))
    if kind is Abbreviation.CLOSING:
        return Verdict.CUT
    starts = words.starts(following.word, following.whole)
    if starts is not False or tail.word.casefold() not in _CLOCK:
        return _verdict(starts)
    return _verdict(_negated(words.follows_clock(following.word, following.whole)))


def _after_numbered(tail: Tail, following: Next) -> Verdict:
    if following.digit or following.other in ("#", "§"):
        return Verdict.KEEP
    if following.lower:
        return Verdict.KEEP
    if tail.word.casefold() in ("no", "sec", "art"):
        return Verdict.CUT
    if not following.whole and (_ROMAN.fullmatch(following.word) or len(following.word) < 2):
        return Verdict.WAIT
    return _verdict(not (_ROMAN.fullmatch(following.word) or len(following.word) == 1))


# --- lower case after a stop ----------------------------------------------------------------------------------------

_BRAND = re.compile(r"[a-z]{1,3}[A-Z]")
_BRAND_BEGUN = re.compile(r"[a-z]{1,3}")


def _lower_case_starts(site: Site, following: Next | None, *, long_word: bool = False) -> bool | None:
    """A sentence begins in lower case with a brand ("iPhone"), in casual writing, or after a word too long to be short."""
    if following is None:
        return None
    if site.casual or long_word or _BRAND.match(following.word):
        return True
    if not following.whole and _BRAND_BEGUN.fullmatch(following.word):
        return None
    return False


# --- a stream that has paused ---------------------------------------------------------------------------------------


def looks_complete(text: str, words: Words, *, spaced: bool) -> bool:
    """Whether a sentence may be spoken although nothing is known of what follows.

    Not after an abbreviation, an initial or an address, and after a number only with a space behind its stop.
    """
    tail = take_apart(text)
    if tail is None:
        return False
    if tail.stops != ".":
        return True
    word = tail.word
    if any(sign in word for sign in ("://", "@", "www.")) or len(word) == 1:
        return False
    if word[-1:].isdecimal():
        return spaced and not words.ordinal_dot and bool(tail.before)
    return words.abbreviation(_bare(word)) is None and not _INITIALISM.fullmatch(word)
