"""What is said again and again. Kept in memory only, and never in a log."""

from __future__ import annotations

from typing import Final

MOST_COUNTED: Final = 256
"""Texts counted at a time."""
LONGEST: Final = 300
"""Code points of a text that is counted."""


class Frequent:
    """Counts texts in bounded space, by the method of Misra and Gries ("Finding repeated elements", 1982): a text that
    makes up more than one in MOST_COUNTED of all is always among those counted, and no count is too high."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def said(self, spoken: str) -> None:
        counts = self._counts
        if len(spoken) > LONGEST:
            return
        if spoken in counts or len(counts) < MOST_COUNTED:
            counts[spoken] = counts.get(spoken, 0) + 1
            return
        # Everything counted once less, the newcomer as well: its one is gone.
        self._counts = {text: count - 1 for text, count in counts.items() if count > 1}

    def often(self, most: int, least: int) -> list[str]:
        """At most `most` texts said `least` times or more, the most frequent first."""
        found = sorted(self._counts, key=self._counts.__getitem__, reverse=True)
        return [text for text in found[:most] if self._counts[text] >= least]
