"""What is known about a word beside a full stop: which kind of abbreviation it is, whether it begins sentences.

The lists in `vocabulary` hold what matters most; of any other word `sentencex`, which knows abbreviations of many
languages, is asked whether it takes a stop, one word at a time, and the answer is remembered.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

import sentencex  # type: ignore[import-untyped]

from unavoce.text import vocabulary


class Abbreviation(Enum):
    """Kinds, by what may follow; described beside the lists of the same names in `vocabulary`."""

    EITHER = auto()
    CLOSING = auto()
    TITLE = auto()
    INNER = auto()
    NUMBERED = auto()


class Words:
    """The vocabulary of one language (a BCP 47 tag), with what all languages share."""

    def __init__(self, language: str) -> None:
        self.language = language.lower().replace("_", "-").split("-")[0] or "en"
        self._kinds = _kinds(self.language)
        starters = vocabulary.STARTERS.get(self.language, vocabulary.STARTERS["en"]).split()
        self._starters = frozenset(starters)
        self._begun = frozenset(word[:n] for word in starters for n in range(1, len(word) + 1))
        self._ordinary = vocabulary.words(vocabulary.ORDINARY.get(self.language, ""))
        self._labels = vocabulary.words(vocabulary.LABELS.get(self.language, ""))
        self.ordinal_dot = self.language in vocabulary.ORDINAL_DOT

    def abbreviation(self, word: str) -> Abbreviation | None:
        """What kind of abbreviation `word` (without its stop) is, or None for an ordinary word."""
        lowered = word.casefold()
        kind = self._kinds.get(lowered)
        if kind is not None or lowered in self._ordinary:
            return kind
        if self.language == "de" and lowered.endswith("str"):  # "Hauptstr."
            return Abbreviation.NUMBERED
        return Abbreviation.EITHER if _takes_stop(self.language, word) else None

    def starts(self, word: str, whole: bool) -> bool | None:
        """Whether `word` commonly begins a sentence; None while more of the word is needed."""
        word = word.replace("\u2019", "'")
        if whole:
            return word in self._starters
        return None if word in self._begun else False

    def follows_clock(self, word: str, whole: bool) -> bool | None:
        """Whether `word` may follow "a.m." in the same sentence; None while more of the word is needed."""
        lowered = word.casefold()
        if whole:
            return lowered in vocabulary.AFTER_CLOCK
        return None if any(known.startswith(lowered) for known in vocabulary.AFTER_CLOCK) else False

    def labels(self, word: str) -> bool:
        return word.casefold() in self._labels


def _kinds(language: str) -> dict[str, Abbreviation]:
    """The language's own lists win over the shared ones, later kinds over earlier."""
    kinds: dict[str, Abbreviation] = {}
    for owner in ("", language):
        for kind in Abbreviation:
            lists: dict[str, str] = getattr(vocabulary, kind.name)
            kinds.update(dict.fromkeys(lists.get(owner, "").split(), kind))
    return kinds


_PLAIN = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*")


@lru_cache(maxsize=8192)
def _takes_stop(language: str, word: str) -> bool:
    """Whether sentencex sees no sentence end after `word.`, in a bounded sentence of its own."""
    if len(word) > 12 or not _PLAIN.fullmatch(word):
        return False
    return len(sentencex.segment(language, f"und {word}. Berlin war da")) == 1
