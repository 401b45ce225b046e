"""How long to be silent after what was said."""

from __future__ import annotations

from enum import Enum


class PauseAfter(Enum):
    """What ended."""

    CLAUSE = "clause"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"


_BASE_S = {PauseAfter.CLAUSE: 0.16, PauseAfter.SENTENCE: 0.38, PauseAfter.PARAGRAPH: 0.75}
"""Room tone as audio-book editors leave it: a comma 0.15 to 0.2 s, a full stop 0.3 to 0.5 s, a new paragraph 0.7
to 1 s. The shaper leaves up to 0.07 s of a clip's own silence around a cut, which belongs to these."""
_EXTRA_S = {"?": 0.08, "…": 0.22, ":": 0.06, ";": 0.06, "—": 0.06}
"""A question waits a moment for its answer, an ellipsis trails off, a colon or dash makes one expect what comes."""
_SAME = str.maketrans({"？": "?", "؟": "?", "：": ":", "；": ";", "–": "—", "⋯": "…"})  # noqa: RUF001 - that is the point
_CLOSING = "\"')]}»”’）」』 \t\n"  # noqa: RUF001 - marks that may stand behind the one that ends the sentence
_SPEEDS = (0.5, 2.0)


def pause_s(spoken: str, after: PauseAfter | str, speed: float = 1.0) -> float:
    """Seconds of silence after `spoken`, which ended a clause, sentence or paragraph; shorter for a faster voice.

    A quick speaker shortens pauses less than words, hence the square root. ValueError for an unknown `after`.
    """
    extra_s = _EXTRA_S.get(_last_mark(spoken), 0.0)
    slowest, fastest = _SPEEDS
    return float((_BASE_S[PauseAfter(after)] + extra_s) / min(max(speed, slowest), fastest) ** 0.5)


def _last_mark(spoken: str) -> str:
    """The mark that ends `spoken`, quotes and brackets behind it set aside; "…" for three dots."""
    bare = spoken.rstrip(_CLOSING)
    return "…" if bare.endswith("...") else bare[-1:].translate(_SAME)
