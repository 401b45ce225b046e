# ruff: noqa: RUF001 (marks of several scripts are what this file is about)
"""What a line is, told from its first characters: the block structure of Markdown as models write it.

Indented code is prose here: models indent to continue a list item, hardly ever to quote a program.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

LOOK = 80
"""A line is classified by at most this many of its first code points."""


class Line(Enum):
    BLANK = auto()
    PROSE = auto()
    HEADING = auto()
    ITEM = auto()
    ROW = auto()
    SILENT = auto()
    """A rule or a table's separator: nothing of it is read."""
    FENCE = auto()
    THINK = auto()


@dataclass(frozen=True, slots=True)
class LineStart:
    """`length` code points of the line are its mark (of a block quote, only `quote` belong to the quote)."""

    line: Line
    length: int = 0
    quote: int = 0
    indented: bool = False
    fence: str = ""


_QUOTE = re.compile(r"(?:[ \t]*>)*[ \t]*")
_THINK = ("<think>", "<thinking>", "</think>", "</thinking>")
_FENCE = re.compile(r"(`{3,}|~{3,})([^\n]*)")
_HEADING = re.compile(r"#{1,6}(?=[ \t\r\n])[ \t]*")
_RULE = re.compile(r"([-*_=])(?:[ \t]*\1)*[ \t]*\r?\n?")
_SEPARATOR = re.compile(r"[|:\- \t]*\r?\n?")
_BULLET = re.compile(r"(?:[-*+][ \t]+|[•‣◦▪●][ \t]*)(?=[^\s])")
_NUMBER = re.compile(r"(\d{1,3})(?:\.?[.)][ \t]+|[、．])(?=[^\s])")
_NUMBER_BEGUN = re.compile(r"\d{1,3}(?:\.?[.)][ \t]*)?")
_BULLET_BEGUN = re.compile(r"[-*+•‣◦▪●][ \t]*")


def classify(prefix: str, *, numbers_may_start: bool, final: bool) -> LineStart | None:
    """What the line beginning with `prefix` is, or None while more of it is needed.

    `numbers_may_start`: a number with a stop may begin a list item here; false in mid-sentence, where "am\\n5. Mai"
    goes on (a list that begins at 1 may always interrupt). `final`: nothing follows the prefix.
    """
    complete = final or "\n" in prefix or len(prefix) >= LOOK
    quote = _QUOTE.match(prefix)
    quoted = quote.end() if quote else 0
    rest = prefix[quoted:]
    if not rest:
        return LineStart(Line.BLANK, quoted) if complete else None
    if rest in ("\r", "\n", "\r\n"):
        return LineStart(Line.BLANK, len(prefix)) if rest != "\r" or final else None
    if rest[0].isdecimal():
        found = _numbered(rest, complete, numbers_may_start)
    else:
        found = _BY_MARK.get(rest[0], _prose)(rest, complete)
    return found and _placed(found, prefix[:quoted])


def _placed(start: LineStart, before: str) -> LineStart:
    marks = before.rfind(">") + 1
    indent = len(before) - marks
    return LineStart(start.line, start.length + len(before), marks, indent >= 2 or "\t" in before, start.fence)


def _think(rest: str, complete: bool) -> LineStart | None:
    lowered = rest.lower()
    for tag in _THINK:
        if lowered.startswith(tag):
            return LineStart(Line.SILENT if tag[1] == "/" else Line.THINK, len(tag))
    begun = any(tag.startswith(lowered) for tag in _THINK)
    return None if begun and not complete else LineStart(Line.PROSE)


def _fence(rest: str, complete: bool) -> LineStart | None:
    match = _FENCE.match(rest)
    if match is None:
        begun = len(rest) < 3 and len(set(rest)) == 1
        return None if begun and not complete else LineStart(Line.PROSE)
    marks, info = match.groups()
    if marks[0] == "`" and "`" in info:  # code within a line
        return LineStart(Line.PROSE)
    return LineStart(Line.FENCE, len(marks), fence=marks) if complete else None


def _heading(rest: str, complete: bool) -> LineStart | None:
    match = _HEADING.match(rest)
    if match:
        return LineStart(Line.HEADING, match.end())
    begun = len(rest) <= 6 and not rest.strip("#")
    return None if begun and not complete else LineStart(Line.PROSE)


def _row(rest: str, complete: bool) -> LineStart | None:
    if not _SEPARATOR.fullmatch(rest):
        return LineStart(Line.ROW)
    if not complete:
        return None
    return LineStart(Line.SILENT if "-" in rest or not rest.strip("| \t\r\n") else Line.ROW)


def _rule_or_bullet(rest: str, complete: bool) -> LineStart | None:
    if _RULE.fullmatch(rest):
        if not complete:
            return None
        marks = sum(char == rest[0] for char in rest)
        return LineStart(Line.SILENT if marks >= 3 or marks == 1 else Line.PROSE)
    bullet = _BULLET.match(rest)
    if bullet:
        return LineStart(Line.ITEM, bullet.end())
    begun = _BULLET_BEGUN.fullmatch(rest)
    return None if begun and not complete else LineStart(Line.PROSE)


def _numbered(rest: str, complete: bool, numbers: bool) -> LineStart | None:
    match = _NUMBER.match(rest)
    if match and (numbers or match[1] == "1"):
        return LineStart(Line.ITEM, match.end())
    begun = _NUMBER_BEGUN.fullmatch(rest)
    return None if begun and not complete else LineStart(Line.PROSE)


def _prose(_rest: str, _complete: bool) -> LineStart | None:
    return LineStart(Line.PROSE)


_BY_MARK: dict[str, Callable[[str, bool], LineStart | None]] = {
    "<": _think,
    "#": _heading,
    "|": _row,
    **dict.fromkeys("`~", _fence),
    **dict.fromkeys("-*_=+•‣◦▪●", _rule_or_bullet),
}


def closes_fence(line: str, fence: str) -> bool:
    """Whether `line` (its first code points) is the end of a code block that `fence` opened."""
    marks = line.strip(" \t>\r")
    return len(marks) >= len(fence) and not marks.strip(fence[0])
