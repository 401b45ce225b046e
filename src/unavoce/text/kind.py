"""What a piece of a reply is on the page; the spoken form of a heading differs from that of a table row."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """The block that a sentence stands in. Code, `<think>` passages and rules are silent and have no kind."""

    PROSE = "prose"
    HEADING = "heading"
    ITEM = "item"
    """Of a list; only the item's first sentence begins with the mark."""
    ROW = "row"
    """A table row as displayed, `| a | b |`."""
