# ruff: noqa: RUF001 (marks of several scripts are what this file is about)
"""Quotes, brackets and inline code: a stop inside them does not end the sentence around them."""

from __future__ import annotations

from typing import NamedTuple

_PAIRS = {
    "(": ")", "[": "]", "{": "}", "“": "”", "‘": "’", "«": "»", "‹": "›", "„": "“”", "‚": "‘’",
    "「": "」", "『": "』", "（": "）", "【": "】", "《": "》", "〈": "〉", "［": "］", "»": "«", '"': '"', "'": "'",
    "`": "`",
}  # fmt: skip
_CLOSERS = set("".join(_PAIRS.values()))
_BRACKETS = frozenset(")]}）】］")
_REACH = 200
"""A quote or bracket left open longer than this many code points was none (inches, a smiley, a slip)."""
_SHORT_REACH = 90
"""The same for single quotes, which are mostly apostrophes."""
_DEPTH = 8
_BEFORE_OPENING = set(":,;—–-*_~/=：，。！？、；…") | set(_PAIRS)
_WIDE = "⺀"
"""From here on scripts write no spaces, so an opening mark may follow a letter."""


class Opened(NamedTuple):
    closers: str
    at: int


class Nesting:
    """What is open in the current sentence. `pass_over` sees each code point once, with its neighbours."""

    def __init__(self) -> None:
        self._open: list[Opened] = []
        self.closed = Opened("", -1)
        """The last pair that was closed, and where it had begun."""
        self.starred = False
        """Between an opening and a closing run of asterisks."""

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def closed_bracket(self) -> bool:
        return self.closed.closers in _BRACKETS

    @property
    def free(self) -> bool:
        """Neither a pair nor emphasis is open."""
        return not self._open and not self.starred

    @property
    def in_code(self) -> bool:
        return any(opened.closers == "`" for opened in self._open)

    @property
    def protected(self) -> bool:
        """In inline code or a link's text, which an over-long sentence is not cut in."""
        return any(opened.closers in ("`", "]") for opened in self._open)

    def expire(self, at: int) -> None:
        """Forget what has been open for too long."""
        self._open = [o for o in self._open if at - o.at <= (_SHORT_REACH if o.closers in "'’" else _REACH)]

    def closes(self, char: str) -> bool:
        """Whether `char`, straight after a stop, belongs to what is ending."""
        if char == "*":
            return self.starred
        if char in "\"'`":
            return any(char in opened.closers for opened in self._open)
        return (char in _CLOSERS and char not in "“‘«") or any(char in opened.closers for opened in self._open)

    def pass_over(self, char: str, at: int, before: str, after: str) -> None:
        """`before` and `after` are the neighbouring code points, empty at the text's ends."""
        if char == "*":
            self.starred ^= before != "*"
        if char not in _PAIRS and char not in _CLOSERS:
            return
        if char == "`":
            if before != "`":
                self._toggle_code(at)
        elif not self.in_code and not self._close(char, before, after):
            self._try_open(char, at, before, after)

    def _toggle_code(self, at: int) -> None:
        if self.in_code:
            self._close_at(next(i for i, opened in enumerate(self._open) if opened.closers == "`"))
        elif len(self._open) < _DEPTH:
            self._open.append(Opened("`", at))

    def _close(self, char: str, before: str, after: str) -> bool:
        if char in "'’" and (after.isalnum() or (before.isspace() and after)):
            return False
        if char == '"' and before.isspace() and after.isalnum():
            return False
        for index in range(len(self._open) - 1, -1, -1):
            if char in self._open[index].closers:
                self._close_at(index)
                return True
        return False

    def _close_at(self, index: int) -> None:
        self.closed = self._open[index]
        del self._open[index:]

    def _try_open(self, char: str, at: int, before: str, after: str) -> None:
        free = not before or before.isspace() or before in _BEFORE_OPENING or before >= _WIDE
        link = char == "(" and before == "]"
        smiley = char in "({[" and before in (":", ";", "=")
        stray = (after.isspace() and char in "\"'»") or (char in "'‘" and after.isdecimal())  # "the '90s"
        wanted = char in _PAIRS and (free or link) and not smiley and not stray
        if wanted and len(self._open) < _DEPTH:
            self._open.append(Opened(_PAIRS[char], at))
