"""A sentence of a reply, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Boundary(Enum):
    """What follows a sentence; decides the pause after it."""

    CLAUSE = "clause"
    """The sentence goes on: it was too long, or a colon leads over."""
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"
    """A blank line, a heading's end, the end of a list, or another kind of block."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a reply's text that is spoken in one go."""

    number: int
    """From 0; text with nothing to say gets none."""
    start: int
    end: int
    """Code points in the reply's text; `text` is what stands there."""
    text: str
    """As displayed, without surrounding white space."""
    spoken: str
    """What an engine should read."""
    boundary: Boundary
