"""Where to go on in a sentence that broke off: at the start of the clause that was being heard. Pure."""

from __future__ import annotations

import re

_CLAUSE_START = re.compile(r"(?<=[,;:.!?…—–])\s+|(?<=[，、；：。！？])")  # noqa: RUF001 - the marks of other scripts


CAUTION = 0.85
"""Of the share that seems to have been heard is relied on: voices linger on some sentences, and nothing may be lost."""


def rest_of(spoken: str, share: float) -> str:
    """What is left of `spoken` when about the first `share` (0 to 1) of it was heard.

    Begins at the nearest clause at or before that place, so that at most a clause is said twice and nothing is lost.
    """
    place = round(len(spoken) * CAUTION * min(max(share, 0.0), 1.0))
    starts = [match.end() for match in _CLAUSE_START.finditer(spoken) if match.end() < len(spoken)]
    return spoken[max((start for start in starts if start <= place), default=0) :]
