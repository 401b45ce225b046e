"""Where a sentence may be parted so that its beginning can be spoken sooner. Pure."""

from __future__ import annotations

import re

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
_CLAUSE = re.compile(r"(?<=[,;:–—])\s+|(?<=[，、；：])")  # noqa: RUF001 - the marks of other scripts
_WORDS = re.compile(r"(\w+)\s+(?=(\w+))")


def fitting_cut(spoken: str, longest: int) -> int | None:
    """Where the second part of `spoken` begins, at most `longest` code points coming before it; None: nowhere.

    After a clause, as late as it fits; else before a conjunction or preposition.
    """
    clauses = [found.end() for found in _CLAUSE.finditer(spoken)]
    pairs = [(found.end(), found[1].lower(), found[2].lower()) for found in _WORDS.finditer(spoken)]
    joints = [at for at, before, after in pairs if after in _JOINTS and before not in _LEANING]
    for places in (clauses, joints):
        fitting = [at for at in places if LEAST_BEFORE <= at <= longest and len(spoken) - at >= LEAST_AFTER]
        if fitting:
            return fitting[-1]
    return None


def unfinished(part: str) -> str:
    """The first part as it should be read: a comma tells a voice that the sentence goes on."""
    part = part.rstrip()
    return f"{part}," if part[-1:].isalnum() else part
