# ruff: noqa: RUF001 (commas of several scripts are meant)
"""Where a sentence may be parted so that its beginning can be spoken sooner. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from unavoce.text.openings import openings
from unavoce.text.vocabulary import CONJUNCTIONS, words

LEAST_BEFORE, LEAST_AFTER = 12, 6
"""Code points of the two parts: shorter ones are not worth a seam."""
_PREPOSITIONS = words(
    "by in on at from with without under over through across after before until since during for into towards "
    "behind beside between mit ohne von aus nach bei durch gegen seit während avec sans dans chez par pour depuis con "
    "sin"
)
_JOINTS = (CONJUNCTIONS - {"that"}) | _PREPOSITIONS
"""`that` is as often the first word of "that year"."""
_LEANING = _PREPOSITIONS | words("of to the a an as than der die das le la les el los")
"""Words that belong to what follows: no part ends with one."""
_CLAUSE = re.compile(r"(?<=[,;:–—])\s+|(?<=[，、；：])")
_WORDS = re.compile(r"(\w+)\s+(?=(\w+))")


def fitting_cut(
    text: str, longest: int, language: str = "en", free: Callable[[int], bool] = lambda _at: True
) -> int | None:
    """Where the second part of `text` begins, at most `longest` code points coming before it; None: nowhere.

    At a good place (`openings`), as late as it fits; else after any clause, or before a conjunction or preposition.
    `free`: whether nothing is open at an index.
    """
    good = [place.at for place in openings(text, language)]
    clauses = [found.end() for found in _CLAUSE.finditer(text)]
    pairs = [(found.end(), found[1].lower(), found[2].lower()) for found in _WORDS.finditer(text)]
    joints = [at for at, before, after in pairs if after in _JOINTS and before not in _LEANING]
    for places in (good, clauses, joints):
        last = min(longest, len(text) - LEAST_AFTER)
        fitting = [at for at in places if LEAST_BEFORE <= at <= last and free(at) and not text[at].isdecimal()]
        if fitting:
            return fitting[-1]
    return None


def unfinished(part: str) -> str:
    """The first part as it should be read: a comma, that of its script, tells a voice that the sentence goes on."""
    part = part.rstrip()
    last = part[-1:]
    if not last.isalnum():
        return part
    return part + ("،" if "\u0600" <= last <= "\u06ff" else "，" if "⺀" <= last < "가" else ",")
