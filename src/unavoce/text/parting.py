"""When the beginning of a long sentence is given before the rest of it is known. Where that may be is in `openings`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from unavoce.text.clauses import Place
from unavoce.text.openings import lengths_of, opening
from unavoce.text.phrases import fitting_cut
from unavoce.text.sentence import Sentence


class Offer(NamedTuple):
    """A sentence could be parted. Places are code points of the reply's text."""

    start: int
    """Where it begins."""
    at: int
    """Where the rest would begin."""
    next_look: int
    """Where it is looked at again if it stays whole now; its longest end, when it is not any more."""
    follows: int
    """Where the piece after this one is expected to be known."""
    next_end: int
    """Where that piece ends at the latest."""
    longest: int
    """Where it ends at the latest."""
    goes_on: bool
    """It is what follows an opening: the sentence was begun."""
    before: Sequence[Sentence]
    """Sentences found before it and not given out yet."""


Take = Callable[[Offer], bool]
"""Whether the beginning of a sentence should be spoken before the rest is known."""


class Parting:
    """Looks at each sentence of a reply when it has grown to certain lengths, so that which pieces there can be depends
    on the text alone, and asks `take` whether there should be one."""

    def __init__(self, language: str, max_chars: int, take: Take) -> None:
        self._language = language
        self._max_chars = max_chars
        self._take = take
        self._lengths = lengths_of(language)
        self._start = -1
        self._looked = 0
        """How many of the lengths at which the sentence from `_start` is looked at lie behind."""
        self._goes_on = self._second = -1
        """Where what follows an opening begins; the same, but only of a sentence's first opening."""

    def cut(self, chars: Sequence[str], start: int, end: int, places: Sequence[Place], before: list[Sentence]) -> int:
        """Where the sentence that is known from `start` to `end` is parted now; 0 where it is not.

        What follows a first opening is parted at a certain length without asking: the same text, when it comes a
        little faster the next time, has the same pieces.
        """
        if start != self._start:
            self._start, self._looked = start, 0
        looks = self._lengths.looks
        if self._looked == len(looks) or end - start <= looks[self._looked]:
            return 0
        settled = start == self._second and looks[self._looked] == self._lengths.second
        self._looked += 1
        text, free = "".join(chars[start:end]), {place.at - start for place in places if place.free}.__contains__
        at = opening(text, self._language, free, self._lengths.second // 3) if settled else None
        if at is None:
            at = self._offered(text, start, free, before)
        if at is None:
            return 0
        self._goes_on, self._second = start + at, start + at if start != self._goes_on else -1
        return start + at

    def _offered(self, text: str, start: int, free: Callable[[int], bool], before: list[Sentence]) -> int | None:
        """The best place, if it is wanted; a lesser one where a sentence was begun and has to go on."""
        at = opening(text, self._language, free)
        if at is None and start == self._goes_on:
            at = fitting_cut(text, len(text) - self._lengths.after, self._language, free)
        return at if at is not None and self._take(self._offer(start, start + at, before)) else None

    def _offer(self, start: int, at: int, before: list[Sentence]) -> Offer:
        looks = (*self._lengths.looks, self._max_chars)
        return Offer(
            start=start,
            at=at,
            next_look=start + looks[self._looked],
            follows=at + looks[1],
            next_end=at + self._lengths.second,
            longest=start + self._max_chars,
            goes_on=start == self._goes_on,
            before=before,
        )
