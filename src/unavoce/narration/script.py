"""The script of one reply: its sentences as lines, each with the claim on its sound. What the reader writes and the
speaker speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from unavoce.engines.base import Voice
from unavoce.narration.synthesis import Claim
from unavoce.narration.trace import MAX_SENTENCES, SentenceTrace
from unavoce.text import Sentence
from unavoce.text.phrases import unfinished


@dataclass(slots=True, eq=False)
class Line:
    """A sentence on its way to sound."""

    sentence: Sentence
    cut_at_s: float
    trace: SentenceTrace
    """What became of the sentence; shared by the lines that say it."""
    to_say: str
    """What of the spoken text is still to be said: all of it, unless an engine died in the middle of it."""
    claim: Claim | None = None
    fresh: bool = False
    """Its engine itself is to be heard: a clip at hand must not decide for a voice that cannot go on."""
    attempts: int = 0
    """Syntheses of it that failed, in the present voice."""
    chunks: int = 0
    """Sent so far."""
    voice: Voice | None = None
    """What the last of them was in."""
    sound_s: float = 0.0
    """Sent so far of `to_say`."""
    rest: Line | None = None
    """The line that says the rest of the same sentence, where it was parted."""
    goes_on: bool = False
    """It is such a rest."""

    def take_up(self, claim: Claim) -> None:
        """Its sound is to be that of `claim`."""
        self.claim = claim
        self.trace.asked(claim)

    def withdraw(self, why: str = "", *, late: bool = False) -> None:
        """Its sound is not wanted any more, or was taken. `why`: for a person. `late`: it came too late."""
        if self.claim is not None:
            self.trace.let_go(self.claim, why)
            self.claim.withdraw(late=late)

    def give_up(self, why: str = "", *, late: bool = False) -> None:
        """Its claim is withdrawn and forgotten: whoever is to speak it next is asked anew."""
        self.withdraw(why, late=late)
        self.claim = None


class Script:
    """Grows at the end; `spoken` lines at its beginning are done with."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.traces: list[SentenceTrace] = []
        """Of its first sentences."""
        self.spoken = 0
        self._ended = False
        self._change = asyncio.Event()

    def add(self, sentences: Iterable[Sentence], now_s: float) -> None:
        new = [Line(sentence, now_s, SentenceTrace(sentence.number, now_s), sentence.spoken) for sentence in sentences]
        self.lines += new
        self.traces += [line.trace for line in new[: max(0, MAX_SENTENCES - len(self.traces))]]
        self.changed()

    @property
    def sentences(self) -> list[Sentence]:
        return [line.sentence for line in self.lines if not line.goes_on]

    def part(self, line: Line, at: int) -> None:
        """Say `line` in two calls of an engine, the second beginning at `at` of what is to be said."""
        line.rest = Line(line.sentence, line.cut_at_s, line.trace, line.to_say[at:], goes_on=True)
        line.to_say = unfinished(line.to_say[:at])
        self.lines.insert(self.lines.index(line) + 1, line.rest)
        self.changed()

    def rejoin(self, line: Line) -> None:
        """Say `line`, of which nothing was heard yet, in one call again."""
        if line.rest is not None and not line.chunks:
            self.drop_rest(line)
            line.to_say = line.sentence.spoken

    def drop_rest(self, line: Line) -> None:
        """The rest of a parted sentence is not said on its own."""
        if line.rest is not None:
            line.rest.withdraw("the sentence is said in one piece")
            self.lines.remove(line.rest)
            line.rest = None

    def end(self) -> None:
        """No more sentences come."""
        self._ended = True
        self.changed()

    @property
    def ended(self) -> bool:
        """The whole of it is known."""
        return self._ended

    def changed(self) -> None:
        """Wake whoever waits for a line or a claim."""
        self._change.set()

    def pass_on(self) -> None:
        """The first line that was not spoken yet is done with; its sound is not kept for it any longer."""
        self.lines[self.spoken].claim = None
        self.spoken += 1

    def ahead(self, count: int) -> list[Line]:
        """The next `count` lines that are not spoken yet."""
        return self.lines[self.spoken : self.spoken + count]

    async def next_line(self) -> Line | None:
        """The first line not spoken yet, as soon as it is there; None at the end."""
        while self.spoken == len(self.lines):
            if self._ended:
                return None
            await self._wait()
        return self.lines[self.spoken]

    async def claim_of(self, line: Line) -> Claim:
        """The line's claim, as soon as it is made."""
        while line.claim is None:
            await self._wait()
        return line.claim

    def withdraw(self, why: str) -> None:
        """Give up every claim that is still held."""
        for line in self.lines[self.spoken :]:
            line.withdraw(why)

    async def change(self, until_s: float) -> None:
        """Returns when a line is added, claimed or whole, at the latest at `until_s` (loop time)."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until_s):
                await self._wait()

    async def _wait(self) -> None:
        self._change.clear()
        await self._change.wait()
