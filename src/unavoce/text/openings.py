# ruff: noqa: RUF001 (marks of several scripts are what this file is about)
"""Where a sentence may be parted so that its beginning is spoken while the rest is still unknown. Pure.

Only places at which a reader would take breath are good: behind a semicolon, colon, dash or a comma between clauses, or
before a word that begins a clause. Where none is known there is none: the sentence stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from unavoce.text.joints import Joints, joints_of
from unavoce.text.places import STOPS


class Grade(IntEnum):
    """Kinds of place, best first."""

    SEMICOLON = 0
    COLON = 1
    """Or a dash."""
    COMMA = 2
    CONJUNCTION = 3


class Opening(NamedTuple):
    at: int
    """Index of the code point that the rest begins with."""
    grade: Grade


class Lengths(NamedTuple):
    """Code points, by how much a script says with one."""

    looks: tuple[int, ...]
    """A sentence is looked at when it has grown longer than these."""
    second: int
    """One of them: a piece that goes on after an opening is parted there at the latest."""
    before: int
    after: int
    """The least of either part: less is not worth a seam, and shows too little of what comes."""


ALPHABETIC = Lengths((64, 96, 144, 180, 216, 258), 144, 16, 20)
IDEOGRAPHIC = Lengths((24, 36, 54, 68, 81, 97), 54, 8, 8)
_IDEOGRAPHIC = frozenset({"zh", "ja", "yue"})

_SEMICOLONS, _COLONS, _DASHES, _COMMAS = ";；؛", ":：", "—–-", ",،"
_MARKS = _SEMICOLONS + _COLONS + _DASHES + _COMMAS
_MARKED = re.compile(r"[`\[\]<>|\\~{}]|://|www\.|\w@\w|(?<!\w)_|_(?!\w)|\$(?!\d)")
"""Markup, code, mathematics and addresses, which only the whole sentence shows for what they are."""
_WORDS = re.compile(r"\S+")
_CLAUSE = 4
"""Words of a clause; the items of most lists have fewer."""
_LONG_CLAUSE = 5
"""The same where nothing is known of the language."""


def lengths_of(language: str) -> Lengths:
    """For a BCP 47 tag."""
    return IDEOGRAPHIC if language.lower().replace("_", "-").split("-")[0] in _IDEOGRAPHIC else ALPHABETIC


def opening(text: str, language: str, free: Callable[[int], bool], least: int = 0) -> int | None:
    """Where the rest of the sentence that begins with `text` may begin; None where no place is good.

    The best kind of place, the later of equals; `least` code points come before it, or more. `free` says whether
    nothing is open (a quote, a bracket) at an index.
    """
    lengths = lengths_of(language)
    first, last = max(least, lengths.before), len(text) - lengths.after
    good = [place for place in openings(text, language) if first <= place.at <= last and free(place.at)]
    return min(good, key=lambda place: (place.grade, -place.at)).at if good else None


def openings(text: str, language: str) -> Sequence[Opening]:
    """Every good place in a sentence of which `text` is known, in order."""
    if _MARKED.search(text):
        return ()
    if lengths_of(language) is IDEOGRAPHIC:
        return tuple(_unspaced(text))
    found = [_Word(match.start(), match[0]) for match in _WORDS.finditer(text)]
    return tuple(_spaced(_Sentence(found, joints_of(language))))


# --- scripts with spaces --------------------------------------------------------------------------------------------


class _Word(NamedTuple):
    at: int
    text: str

    @property
    def mark(self) -> str:
        """The mark behind it, or all of it where it is a dash; "" for none."""
        return self.text[-1] if self.text[-1] in _MARKS and (len(self.text) == 1 or self.text[-1] != "-") else ""

    @property
    def core(self) -> str:
        return self.text.rstrip(_MARKS)

    @property
    def lower(self) -> str:
        return self.core.lower().replace("’", "'")


class _Sentence:
    """The words known of a sentence, the last of them perhaps in part."""

    def __init__(self, words: Sequence[_Word], joints: Joints | None) -> None:
        self.words = words
        self.joints = joints

    def clause_before(self, index: int) -> int:
        """Words from the last mark to word `index`, which is among them."""
        start = index
        while start and not self.words[start - 1].mark:
            start -= 1
        return index - start + 1

    def clause_after(self, index: int) -> tuple[int, str]:
        """Words behind word `index` up to the next mark or joining word, and what that is; "" where none is known."""
        joining = self.joints.joining if self.joints else frozenset[str]()
        for end in range(index + 1, len(self.words)):
            word = self.words[end]
            if end > index + 1 and word.lower in joining:
                return end - index - 1, word.lower
            if word.mark:
                return end - index, word.mark
        return len(self.words) - 1 - index, ""


def _spaced(sentence: _Sentence) -> Iterator[Opening]:
    for index in range(1, len(sentence.words) - 1):
        grade = _grade(sentence, index)
        if grade is not None:
            yield Opening(sentence.words[index + 1].at, grade)


def _grade(sentence: _Sentence, index: int) -> Grade | None:
    """What kind of place lies behind word `index`; None for one that is not good."""
    word, following = sentence.words[index], sentence.words[index + 1]
    if not following.text[0].isalpha() or (word.mark and word.core[-1:] in STOPS):
        return None
    if not word.mark:
        return Grade.CONJUNCTION if _joins(sentence, index) else None
    if word.mark in _COMMAS:
        return Grade.COMMA if _parts(sentence, index) else None
    kind = Grade.SEMICOLON if word.mark in _SEMICOLONS else Grade.COLON
    return kind if sentence.clause_after(index)[0] >= _CLAUSE else None


def _parts(sentence: _Sentence, index: int) -> bool:
    """Whether a comma behind word `index` stands between clauses, and not in a list, a name or a date."""
    joints, word, following = sentence.joints, sentence.words[index], sentence.words[index + 1]
    if joints is None:
        return min(sentence.clause_after(index)[0], sentence.clause_before(index)) >= _LONG_CLAUSE
    named = word.core[:1].isupper() and following.text[0].isupper() and not joints.capital_nouns
    if named or word.lower in joints.joining | joints.subordinating:
        return False
    if _opens(sentence, index, joints):
        return _begins_main_clause(sentence, index, joints)
    return _begins_clause(sentence, index, joints)


def _begins_clause(sentence: _Sentence, index: int, joints: Joints) -> bool:
    """Whether what follows the comma behind word `index` is a clause of its own, and so is what comes before."""
    before, (count, ended_by) = sentence.clause_before(index), sentence.clause_after(index)
    word, following = sentence.words[index], sentence.words[index + 1]
    if before < _CLAUSE or word.core[-1:].isdecimal() or following.lower not in joints.starters:
        return False
    if following.lower in joints.joining and before <= index:
        return sentence.words[min(index + 2, len(sentence.words) - 1)].lower in joints.subjects
    return count >= _CLAUSE or not ended_by or _relates(sentence, index + count, joints)


def _opens(sentence: _Sentence, index: int, joints: Joints) -> bool:
    """Whether it is the first mark of a sentence that begins with a subordinate clause, or with a circumstance."""
    before = sentence.clause_before(index)
    return before == index + 1 >= _CLAUSE and sentence.words[0].lower in joints.openers


def _begins_main_clause(sentence: _Sentence, index: int, joints: Joints) -> bool:
    """Whether the main clause begins behind word `index`, and no list."""
    count, ended_by = sentence.clause_after(index)
    if count >= _CLAUSE or ended_by != ",":
        return count >= _CLAUSE or not ended_by
    begins = count >= _CLAUSE - 1 and sentence.words[index + 1].lower in joints.starters
    return begins or _relates(sentence, index + count, joints)


def _relates(sentence: _Sentence, index: int, joints: Joints) -> bool:
    """Whether a relative clause follows word `index`: "the old man, who"."""
    word, following = sentence.words[index], sentence.words[index + 1 : index + 2]
    return word.mark in _COMMAS and bool(following) and following[0].lower in joints.relatives


def _joins(sentence: _Sentence, index: int) -> bool:
    """Whether a clause begins behind word `index`, which has no mark behind it."""
    joints, words = sentence.joints, sentence.words
    word, following = words[index], words[index + 1]
    if joints is None or index + 2 >= len(words) or sentence.clause_before(index) < _CLAUSE:
        return False
    if word.lower in joints.leaning or not word.text[-1].isalnum():
        return False
    behind = words[index + 2].lower
    begins = behind in joints.subjects or (behind in joints.starters and _may_be_over(sentence, index, joints))
    return following.text in joints.subordinating or (following.text in joints.joining and begins)


def _may_be_over(sentence: _Sentence, index: int, joints: Joints) -> bool:
    """Whether a clause's verb is the word before, or the one before that: "had gone", "gegangen waren"."""
    before, word = sentence.words[index - 1].lower, sentence.words[index].lower
    return word in joints.auxiliaries or (before in joints.auxiliaries and word not in joints.subjects)


# --- Chinese and Japanese -------------------------------------------------------------------------------------------

_WIDE_MARKS = {"；": Grade.SEMICOLON, "：": Grade.COLON, "，": Grade.COMMA, "、": Grade.COMMA}
_HALF = 5
"""Characters of a clause on either side."""
_ENDS_JAPANESE = "はがをにでてばらしけりずく"
"""With these a phrase or a clause ends; behind other letters the comma stands in a list."""


def _unspaced(text: str) -> Iterator[Opening]:
    marks = [at for at, char in enumerate(text) if char in _WIDE_MARKS]
    edges = [-1, *marks, len(text)]
    for place, at in enumerate(marks, 1):
        if at - edges[place - 1] - 1 < _HALF or edges[place + 1] - at - 1 < _HALF:
            continue
        if text[at] == "、" and text[at - 1] not in _ENDS_JAPANESE:
            continue
        if text[at + 1 : at + 2].isalpha() and text[at - 1] not in STOPS:
            yield Opening(at + 1, _WIDE_MARKS[text[at]])
