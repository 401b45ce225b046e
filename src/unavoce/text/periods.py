# ruff: noqa: RUF001 (marks of several scripts are what this file is about)
"""The full stop: abbreviations, initials, numbers, and what follows them."""

from __future__ import annotations

import re

from unavoce.text import vocabulary
from unavoce.text.places import BEFORE_WORD, QUOTES, Case, Next, Site, Verdict, lower_case_starts, take_apart, verdict
from unavoce.text.words import Abbreviation, Words

_INITIALISM = re.compile(r"(?:[^\W\d_]{1,3}\.)+-?[^\W\d_]{1,4}")
_CLOCK = frozenset({"a.m", "p.m"})
_CLOSERS = QUOTES | frozenset(")]）")
_ROMAN = re.compile(r"[IVXLC]+")


def after_period(case: Case, following: Next) -> Verdict:
    word = case.tail.word
    closed = not _CLOSERS.isdisjoint(case.tail.closers)
    if word.isdecimal() and (_enumerates(case) or not closed):
        return _after_number(case, following)
    if closed:
        return _after_closed_period(case.site, following)
    if len(word) == 1 and word.isupper():
        return _after_initial(case, following)
    kind = _kind(word, case.words)
    if kind is not None:
        return _after_abbreviation(kind, case, following)
    if following.lower:
        return verdict(lower_case_starts(case.site, following, long_word=len(word) >= 5))
    return Verdict.CUT


def _kind(word: str, words: Words) -> Abbreviation | None:
    kind = words.abbreviation(_bare(word)) if word else None
    return Abbreviation.EITHER if kind is None and _INITIALISM.fullmatch(word) else kind


def _bare(word: str) -> str:
    """The word after a hyphen or slash counts: "Mini-Dr." is a doctor; "J.-C." stays whole."""
    return word if "." in word else re.split(r"[-/’']", word)[-1] or word


def _after_closed_period(site: Site, following: Next) -> Verdict:
    if site.bracketed_inside:
        return Verdict.KEEP
    return verdict(lower_case_starts(site, following) if following.lower else True)


def _enumerates(case: Case) -> bool:
    """A number that opens the sentence, or 1 after a colon, counts what comes: "Steps: 1. Boil it"."""
    begins = case.site.whole and not case.tail.before
    return begins or (case.tail.word == "1" and case.tail.before.endswith(":"))


def _after_number(case: Case, following: Next) -> Verdict:
    if _enumerates(case):
        return Verdict.KEEP
    if case.words.ordinal_dot and len(case.tail.word) <= 3:
        return _after_ordinal(case, following)
    if case.words.ordinal_dot and following.lower:
        return Verdict.KEEP
    return Verdict.CUT


def _after_ordinal(case: Case, following: Next) -> Verdict:
    if following.lower:
        return Verdict.KEEP
    before = case.tail.before.split()[-1] if case.tail.before else ""
    if following.digit:
        return verdict(not (before.casefold() in vocabulary.BEFORE_ORDINAL or before.rstrip(".").isdecimal()))
    starts = case.words.starts(following.word, following.whole)
    if starts is not False:
        return verdict(starts)
    if before.casefold() in vocabulary.BEFORE_ORDINAL or before.rstrip(".").isdecimal():
        return Verdict.KEEP
    if not following.whole:
        return Verdict.WAIT
    return verdict(following.word.casefold() not in vocabulary.AFTER_ORDINAL)


def _after_initial(case: Case, following: Next) -> Verdict:
    if following.lower or following.digit:
        return Verdict.KEEP
    before = case.tail.before.split()[-1].strip(BEFORE_WORD) if case.tail.before else ""
    if case.words.labels(before) or not following.word:
        return Verdict.CUT
    if len(following.word) == 1 and not following.whole:
        return Verdict.WAIT
    if len(following.word) == 1:
        return Verdict.KEEP  # one more initial
    starts = case.words.starts(following.word, following.whole)
    return verdict(starts)


def _after_abbreviation(kind: Abbreviation, case: Case, following: Next) -> Verdict:
    clock = case.tail.word.casefold() in _CLOCK
    only_the_hour = clock and case.site.whole and _is_only_the_hour(case.tail.before)
    if kind in (Abbreviation.TITLE, Abbreviation.INNER) or only_the_hour:
        return Verdict.KEEP
    if kind is Abbreviation.NUMBERED:
        return _after_numbered(case.tail.word.casefold(), following)
    if following.lower or following.digit or not following.word:
        return verdict(not following.word and following.other not in ("", "%", "&", "/", "€", "$", "£", "#", "+"))
    if kind is Abbreviation.CLOSING:
        return Verdict.CUT
    starts = case.words.starts(following.word, following.whole)
    if starts is not False or not clock:
        return verdict(starts)
    follows = case.words.follows_clock(following.word, following.whole)
    return verdict(None if follows is None else not follows)


def _is_only_the_hour(before: str) -> bool:
    """ "At 5 a.m." alone is no sentence: what it is the time of is still to come."""
    words = before.split()
    return len(words) == 2 and words[0].casefold() in vocabulary.CLOCK_PREPOSITIONS


def _after_numbered(word: str, following: Next) -> Verdict:
    if following.digit or following.other in ("#", "§"):
        return Verdict.KEEP
    if following.lower:
        return Verdict.KEEP
    if word in ("no", "sec", "art"):
        return Verdict.CUT
    if not following.whole and (_ROMAN.fullmatch(following.word) or len(following.word) < 2):
        return Verdict.WAIT
    return verdict(not (_ROMAN.fullmatch(following.word) or len(following.word) == 1))


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
    return _kind(word, words) is None
