# ruff: noqa: RUF001, RUF003 (marks of several scripts are what this file is about)
"""Does the sentence end here? The rules of stops, from what stands before and after.

A verdict is final as soon as it is not `WAIT`: more text after it would not change it.
"""

from __future__ import annotations

import re

from unavoce.text import vocabulary
from unavoce.text.periods import after_period
from unavoce.text.places import (
    AFTER,
    QUOTES,
    STOPS,
    WIDE,
    Case,
    Next,
    Site,
    Tail,
    Verdict,
    is_emoji,
    lower_case_starts,
    read_next,
    take_apart,
    verdict,
)
from unavoce.text.words import Words

_GOES_ON = frozenset(",;:，、；：") | (STOPS - frozenset(".…"))
"""What follows a stop only within a sentence."""


def judge(site: Site, after: str, words: Words, *, final: bool = False) -> Verdict:
    """`after` starts with the first code point that is not white space and grows until the verdict stands."""
    tail = None if site.nested else take_apart(site.text)
    if tail is None or not _may_end(site, tail, after):
        return Verdict.KEEP
    case = Case(site, tail, words, after, final)
    if WIDE & set(tail.stops):
        return _after_wide_stop(case)
    following = read_next(after, final)
    return Verdict.WAIT if following is None else _after_stop(case, following)


def _after_stop(case: Case, following: Next) -> Verdict:
    if following.other in ("…", "."):
        return Verdict.KEEP
    stops = case.tail.stops
    if not set("!?‽").isdisjoint(stops):
        return _after_mark(case, following)
    return _after_ellipsis(case, following) if stops != "." else after_period(case, following)


def _may_end(site: Site, tail: Tail, after: str) -> bool:
    if not site.spaced and not WIDE & set(tail.stops) and not _cjk_ellipsis(tail, after):
        return False
    if not site.broken and is_emoji(after[0]):
        return False  # it belongs to what it follows
    return after[0] not in _GOES_ON


# --- 。！？ and their kin -------------------------------------------------------------------------------------------

_QUOTING_PARTICLE = re.compile(r"と(?![てもきこう])|って|など|なんて|[のをが、]|は(?!い)")
_SAYING = re.compile(r"[^，。！？,.!?]{0,5}?[说說道问問喊答叫]")
_SAYING_REACH = 6
_UNSPACED_SCRIPTS = "⺀"
"""From here on scripts write no spaces between words."""


def _cjk_ellipsis(tail: Tail, after: str) -> bool:
    """A six-dot ellipsis ends a Chinese or Japanese sentence without a space, unless it is a mere hesitation."""
    word = tail.word
    return "…" in tail.stops and min(after[0], word[-1:]) >= _UNSPACED_SCRIPTS and len(word) > 2


def _after_wide_stop(case: Case) -> Verdict:
    if case.after[0].islower():
        return verdict(lower_case_starts(case.site, read_next(case.after, case.final)))
    if QUOTES.isdisjoint(case.tail.closers) or case.site.spaced:
        return Verdict.CUT
    if "\u3040" <= case.after[0] <= "\u309f":
        if len(case.after) < 2 and not case.final:
            return Verdict.WAIT
        return verdict(not _QUOTING_PARTICLE.match(case.after))
    if not case.site.quoted_from_start or case.words.language == "ja":
        return Verdict.CUT
    return _unless_chinese_says(case)


def _unless_chinese_says(case: Case) -> Verdict:
    """A quote that is followed by who says it ("他问") is one sentence with it."""
    near = case.after[:_SAYING_REACH]
    if _SAYING.match(near):
        return Verdict.KEEP
    decided = case.final or len(near) == _SAYING_REACH or not set("，。！？,.!?").isdisjoint(near)
    return Verdict.CUT if decided else Verdict.WAIT


# --- ! and ? --------------------------------------------------------------------------------------------------------


def _after_mark(case: Case, following: Next) -> Verdict:
    closed_quote = not QUOTES.isdisjoint(case.tail.closers)
    if case.site.bracketed_inside:
        return Verdict.KEEP
    if following.lower:
        goes_on = closed_quote or following.lead[:1] in ("—", "–", "-")
        return Verdict.KEEP if goes_on else verdict(lower_case_starts(case.site, following))
    if case.tail.word.casefold() in vocabulary.NAMES_WITH_MARKS and case.tail.before[-1:] not in STOPS:
        return verdict(case.words.starts(following.word, following.whole))
    if closed_quote and case.site.quoted_from_start and case.words.language == "en":
        return _unless_said(case)
    return Verdict.CUT


def _unless_said(case: Case) -> Verdict:
    """`"Where are you going?" John asked.` is one sentence: a name and a verb of saying follow the quote."""
    full = case.final or len(case.after) >= AFTER
    first, space, rest = case.after.partition(" ")
    if first != "I" and case.words.starts(first, bool(space) or full):
        return Verdict.CUT
    if not rest:
        return Verdict.CUT if full or not first.isalpha() else Verdict.WAIT
    verb = rest[: len(rest) - len(rest.lstrip("abcdefghijklmnopqrstuvwxyz"))]
    if len(verb) < len(rest) or full:
        return verdict(verb not in vocabulary.SPEECH)
    return Verdict.WAIT if any(known.startswith(verb) for known in vocabulary.SPEECH) else Verdict.CUT


# --- … --------------------------------------------------------------------------------------------------------------


def _after_ellipsis(case: Case, following: Next) -> Verdict:
    if following.lower:
        return verdict(lower_case_starts(case.site, following))
    if following.digit or case.tail.word.casefold() in vocabulary.HESITATIONS:
        return Verdict.KEEP
    one_word = case.site.whole and not case.tail.before
    if one_word and case.words.language == "en" and following.word.startswith("I"):  # "Well... I think": a hesitation
        if not following.whole and len(following.word) < 2:
            return Verdict.WAIT
        return verdict(following.word[1:2] not in ("", "'", "’"))
    return Verdict.CUT
