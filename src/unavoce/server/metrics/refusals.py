"""What was refused, by door and code."""

from __future__ import annotations

from collections import Counter
from typing import Final

MOST: Final = 256
"""Pairs of door and code that are counted apart; there are far fewer, since both come from the code."""


class Refusals:
    """Each door notes here what it refuses."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def note(self, door: str, code: str) -> None:
        """`door` refused something with `code` (docs/protocol.md)."""
        pair = (door, code)
        self.counts[pair if pair in self.counts or len(self.counts) < MOST else (door, "other")] += 1
