# ruff: noqa: RUF001 (a full-width colon is meant)
"""The cutter: a reply's text, piece by piece, becomes sentences.

Every code point is taken in alone, so the cut cannot depend on how the pieces fell. Lines are told apart by their
first characters (`lines`), what is open is tracked (`nesting`), and each place where a sentence may end is judged with
as much of the following text as the verdict needs (`stops`). All look-back and look-ahead is bounded, which keeps the
cost linear in the text.
"""

from __future__ import annotations

from copy import deepcopy
from enum import Enum, auto

from unavoce.text import clauses, lines, periods, places, stops
from unavoce.text.kind import Kind
from unavoce.text.lines import Line, LineStart
from unavoce.text.mending import Mender
from unavoce.text.nesting import Nesting
from unavoce.text.parting import Parting, Take
from unavoce.text.phrases import unfinished
from unavoce.text.places import Verdict
from unavoce.text.sentence import Boundary, Sentence
from unavoce.text.spoken import speakable
from unavoce.text.words import Words

_LINK_PATIENCE = 2
"""An unbroken link is cut only when it is this many times too long."""
_FENCE_LOOK = 100
_LEAD = 3
"""A quote or bracket so near the start of a sentence, after marks like `**` only, holds the sentence."""
_KINDS = {Line.HEADING: Kind.HEADING, Line.ITEM: Kind.ITEM, Line.ROW: Kind.ROW}


class _Mode(Enum):
    LINE = auto()
    """At the start of a line, not yet classified."""
    TEXT = auto()
    SILENT = auto()
    """The rest of the line is not read."""
    FENCE = auto()
    THINK = auto()


class SentenceStream:
    """Turns the text of one reply into sentences. Not thread-safe; no I/O, no clock.

    `language` is a BCP 47 tag; `max_chars` the most code points of a sentence before it is cut at a clause (a link
    may be longer). `take` decides whether the beginning of a long sentence is given before the rest is known (see
    `parting`); without it none is.
    """

    def __init__(self, language: str = "en", max_chars: int = 300, take: Take | None = None) -> None:
        if max_chars < 40:
            raise ValueError(f"max_chars = {max_chars}: a sentence needs room for at least 40 code points")
        self._language = language
        self._words = Words(language)
        self._max_chars = max_chars
        self._parting = Parting(language, max_chars, take) if take else None
        self._mender = Mender()
        self._chars: list[str] = []
        self._parts: list[str] = []
        self._out: list[Sentence] = []
        self._number = 0
        self._pos = 0
        self._mode = _Mode.LINE
        self._line_start = 0
        self._fence = ""
        self._kind = Kind.PROSE
        self._quoted = False
        self._start: int | None = None
        self._limit = max_chars
        self._begin_sentence()

    @property
    def text(self) -> str:
        """The displayed text so far: everything fed, halves of characters joined. Cost: its length."""
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    @property
    def length(self) -> int:
        """Code points of the text so far."""
        return len(self._chars)

    def since(self, place: int) -> str:
        """The text from `place` on, in code points. Cost: its length."""
        return "".join(self._chars[place:])

    def feed(self, piece: str) -> list[Sentence]:
        """The sentences that `piece` completes, in order."""
        self._take(self._mender.feed(piece))
        return self._emitted()

    def stalled(self) -> list[Sentence]:
        """The stream has paused: what looks complete is given now instead of waiting for what follows."""
        if self._looks_complete():
            self._close(Boundary.SENTENCE)
        return self._emitted()

    def end(self) -> list[Sentence]:
        """The text is over: everything that is left. Nothing may be fed afterwards."""
        self._take(self._mender.end())
        self._advance(final=True)
        self._close(Boundary.PARAGRAPH)
        return self._emitted()

    # --- taking text in ---------------------------------------------------------------------------------------------

    def _take(self, text: str) -> None:
        if text:
            self._parts.append(text)
        for char in text:
            self._chars.append(char)
            self._advance(final=False)

    def _emitted(self) -> list[Sentence]:
        out, self._out = self._out, []
        return out

    def _advance(self, *, final: bool) -> None:
        """Go on as far as the text known so far decides."""
        while self._pos < len(self._chars):
            if self._mode is _Mode.LINE:
                moved = self._begin_line(final)
            elif self._mode is _Mode.TEXT:
                moved = self._step(final)
            else:
                moved = self._skip()
            if not moved:
                return

    # --- lines ------------------------------------------------------------------------------------------------------

    def _begin_line(self, final: bool) -> bool:
        prefix = "".join(self._chars[self._line_start : self._line_start + lines.LOOK])
        start = lines.classify(prefix, numbers_may_start=self._numbers_may_start(), final=final)
        if start is None:
            return False
        self._end_block_before(start)
        self._enter(start)
        return True

    def _numbers_may_start(self) -> bool:
        if self._start is None or self._kind is not Kind.PROSE:
            return True
        tail = self._tail()
        return tail.endswith((":", "：")) or places.take_apart(tail) is not None

    def _end_block_before(self, start: LineStart) -> None:
        """Close the sentence under way unless this line continues its paragraph."""
        quoted = start.quote > 0
        goes_on = start.line is Line.PROSE and quoted == self._quoted
        if goes_on and self._kind is Kind.ITEM and not start.indented:
            goes_on = False
        if goes_on and self._kind in (Kind.PROSE, Kind.ITEM):
            return
        listed = self._kind is Kind.ITEM and start.line is Line.ITEM
        self._close(Boundary.SENTENCE if listed else Boundary.PARAGRAPH)
        self._kind = _KINDS.get(start.line, Kind.PROSE)
        self._quoted = quoted

    def _enter(self, start: LineStart) -> None:
        begin = self._line_start
        self._pos = begin + start.length
        if start.line is Line.BLANK:
            self._line_start = self._pos
        elif start.line is Line.SILENT:
            # A closing tag ends here; a rule goes to the end of its line.
            self._mode = _Mode.LINE if self._chars[self._pos - 1] == ">" and start.length else _Mode.SILENT
            self._line_start = self._pos
        elif start.line in (Line.FENCE, Line.THINK):
            self._mode = _Mode.FENCE if start.line is Line.FENCE else _Mode.THINK
            self._fence = start.fence
            self._line_start = self._pos
        else:
            self._enter_text(start, begin)

    def _enter_text(self, start: LineStart, begin: int) -> None:
        self._mode = _Mode.TEXT
        self._spaced = True
        self._broken = self._start is not None
        if start.line in (Line.ITEM, Line.HEADING):
            mark = begin + start.quote
            while self._chars[mark].isspace():
                mark += 1
            self._start = mark
            self._solid_end = mark + len("".join(self._chars[mark : self._pos]).rstrip())
            self._passed = self._pos

    def _skip(self) -> bool:
        """Pass over one code point of what is not read."""
        char = self._chars[self._pos]
        self._pos += 1
        if self._mode is _Mode.THINK:
            if char == ">" and self._ends_thinking():
                self._new_line()
        elif char == "\n":
            if self._mode is _Mode.SILENT or self._ends_fence():
                self._new_line()
            self._line_start = self._pos
        return True

    def _ends_thinking(self) -> bool:
        return "".join(self._chars[self._pos - 11 : self._pos]).lower().endswith(("</think>", "</thinking>"))

    def _ends_fence(self) -> bool:
        if self._pos - self._line_start > _FENCE_LOOK:
            return False
        line = "".join(self._chars[self._line_start : self._pos - 1])
        return lines.closes_fence(line, self._fence)

    def _new_line(self) -> None:
        self._mode = _Mode.LINE
        self._line_start = self._pos

    # --- text within a line -----------------------------------------------------------------------------------------

    def _step(self, final: bool) -> bool:
        """Take one code point of text; False when the verdict before it must wait for more."""
        char = self._chars[self._pos]
        if char == "\n":
            self._pos += 1
            self._end_line()
        elif char.isspace():
            self._pos += 1
            self._spaced = True
        else:
            return self._solid(char, final)
        return True

    def _solid(self, char: str, final: bool) -> bool:
        if self._start is None:
            self._start = self._solid_end = self._passed = self._pos
        elif not self._within_word(char):
            self._pass_over()
            verdict = self._judge(char, final)
            if verdict is Verdict.WAIT:
                return False
            if verdict is Verdict.CUT:
                self._close(Boundary.SENTENCE)
                return True
            self._note_place(char)
        self._pos += 1
        self._solid_end = self._pos
        self._spaced = self._broken = False
        self._cut_if_long()
        self._part_if_wanted()
        return True

    def _within_word(self, char: str) -> bool:
        """Nothing can end between two letters or digits; most of a text is spared the judgement."""
        return not self._spaced and char.isalnum() and self._chars[self._pos - 1].isalnum()

    def _pass_over(self) -> None:
        """Let the nesting see what lies before the code point under judgement."""
        self._nesting.expire(self._pos)
        for at in range(self._passed, self._pos):
            before = self._chars[at - 1] if at > (self._start or 0) else ""
            self._nesting.pass_over(self._chars[at], at, before, self._chars[at + 1])
        self._passed = self._pos

    def _judge(self, char: str, final: bool) -> Verdict:
        last = self._chars[self._solid_end - 1]
        if self._kind in (Kind.ROW, Kind.HEADING) or not self._may_end(last, char):
            return Verdict.KEEP
        after = "".join(self._chars[self._pos : self._pos + places.AFTER])
        return stops.judge(self._site(), after, self._words, final=final)

    def _may_end(self, last: str, char: str) -> bool:
        """A cheap look before the judgement proper: something like a stop lies behind, and its run is over."""
        if not places.ends_like_a_stop(last):
            return False
        if not self._spaced and last in ".!?":
            return False  # "3.14", "example.com", "?q=1"
        in_run = char in places.STOPS or self._nesting.closes(char) or places.is_emoji(char)
        return self._spaced or not in_run

    def _site(self) -> places.Site:
        start = self._start or 0
        closed = self._nesting.closed
        return places.Site(
            text=self._tail(),
            whole=self._solid_end - start <= places.BEFORE,
            nested=bool(self._nesting),
            quoted_from_start=0 <= closed.at - start <= _LEAD,
            bracketed_inside=self._nesting.closed_bracket and closed.at - start > _LEAD,
            casual=self._chars[start].islower() and not self._chars[min(start + 1, self._solid_end - 1)].isupper(),
            spaced=self._spaced,
            broken=self._broken,
        )

    def _tail(self) -> str:
        return "".join(self._chars[max(self._start or 0, self._solid_end - places.BEFORE) : self._solid_end])

    def _end_line(self) -> None:
        boundary = self._boundary_at_line_end()
        if boundary is not None:
            self._close(boundary)
            self._kind = Kind.PROSE
        self._spaced = self._broken = True
        self._new_line()

    def _boundary_at_line_end(self) -> Boundary | None:
        """What a line's end means where the line says so itself: a heading, row, colon, bold line or hard break."""
        if self._start is None:
            return None
        if self._kind is Kind.HEADING:
            return Boundary.PARAGRAPH
        if self._kind is Kind.ROW:
            return Boundary.SENTENCE
        tail = self._tail()
        if tail.rstrip("*_").endswith((":", "：")):
            return Boundary.CLAUSE
        if tail.startswith("**") and tail.endswith("**") and "**" not in tail[2:-2]:
            return Boundary.PARAGRAPH
        hard_break = "".join(self._chars[self._solid_end : self._pos]).startswith("  ")
        return Boundary.CLAUSE if hard_break and self._kind is Kind.PROSE else None

    # --- over-long sentences ----------------------------------------------------------------------------------------

    def _note_place(self, char: str) -> None:
        if not self._spaced and self._chars[self._solid_end - 1] not in clauses.UNSPACED:
            return
        before = "".join(self._chars[max(self._start or 0, self._solid_end - 2) : self._solid_end])
        protected = self._nesting.protected
        rank = clauses.rank_of(before, char, spaced=self._spaced, protected=protected)
        if rank is not None:
            self._places.append(clauses.Place(self._pos, rank, self._nesting.free))

    def _cut_if_long(self) -> None:
        start = self._start or 0
        if self._pos - start <= self._limit:
            return
        cut = clauses.best_cut(self._chars, self._places, start, self._max_chars)
        if cut is None:
            if self._limit == self._max_chars and clauses.is_link("".join(self._chars[start : self._pos])):
                self._limit = _LINK_PATIENCE * self._max_chars
                return
            cut = clauses.hard_cut(self._chars, start, self._max_chars)
        self._cut_at(cut)

    def _part_if_wanted(self) -> None:
        if self._parting is None or self._start is None or self._kind is not Kind.PROSE:
            return
        cut = self._parting.cut(self._chars, self._start, self._pos, self._places, self._out)
        if cut:
            self._cut_at(cut)

    def _cut_at(self, cut: int) -> None:
        start = self._start or 0
        self._solid_end = start + len("".join(self._chars[start:cut]).rstrip())
        self._close(Boundary.CLAUSE, parted=True)
        self._pos = cut  # the rest is looked at again, as the beginning of a sentence

    # --- closing ----------------------------------------------------------------------------------------------------

    def _begin_sentence(self) -> None:
        self._start = None
        self._solid_end = self._pos
        """Behind the last code point that is not white space."""
        self._passed = self._pos
        """How far the nesting has seen."""
        self._spaced = self._broken = False
        self._nesting = Nesting()
        self._places: list[clauses.Place] = []
        self._limit = self._max_chars

    def _close(self, boundary: Boundary, *, parted: bool = False) -> None:
        """Emit the sentence under way, if there is one and it has something to say."""
        if self._start is not None:
            text = "".join(self._chars[self._start : self._solid_end])
            spoken = speakable(text, self._kind, self._language)
            if spoken:
                spoken = unfinished(spoken) if parted else spoken
                self._out.append(Sentence(self._number, self._start, self._solid_end, text, spoken, boundary))
                self._number += 1
        self._begin_sentence()

    def _looks_complete(self) -> bool:
        if self._start is None or (self._mode is _Mode.TEXT and self._pos < len(self._chars)):
            return False
        if self._kind is Kind.ITEM and self._mode is _Mode.LINE:
            return True
        nesting = deepcopy(self._nesting)
        for at in range(self._passed, self._solid_end):
            after = self._chars[at + 1] if at + 1 < self._solid_end else ""
            nesting.pass_over(self._chars[at], at, self._chars[at - 1] if at > self._start else "", after)
        return not nesting and periods.looks_complete(self._tail(), self._words, spaced=self._spaced)
