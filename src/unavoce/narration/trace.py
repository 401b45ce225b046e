"""The trace of one reply: when each sentence was cut, asked for, made, shaped, sent and heard, and by whom.

The reply's rooms note what they do as they do it; nobody waits for a note, and nothing is decided by one. Times are the
event loop's, in seconds. A trace holds no text, and no sound once the reply has let go of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from unavoce.cache.cache import Source
from unavoce.narration.events import Chunk, EndReason, Timings
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.synthesis import Claim, Synthesis

MAX_SENTENCES = 1000
"""Sentences of a reply that are traced, from its beginning."""
MAX_ATTEMPTS = 16
"""Attempts kept of one sentence, the latest."""
MAX_REASON = 300
"""Characters kept of a reason."""

Outcome = Literal["spoken", "late", "failed", "withdrawn"]

_SLOWEST_LAST: Sequence[Source] = ("memory", "disk", "none")


@dataclass(slots=True, eq=False)
class Attempt:
    """One clip that was asked for on behalf of a sentence."""

    engine: str
    asked_s: float
    claims: list[Claim]
    """Those of the reply on that clip; none once it was let go."""
    started_s: float | None = None
    """When it had a slot; where it was being made already, when it was asked for."""
    ended_s: float | None = None
    """When the engine was done with it, or nobody waited for it any more."""
    outcome: Outcome | None = None
    reason: str = ""
    engine_asked: bool = False
    """Not so while it is looked for in the cache, and where it was found there."""

    @property
    def synthesis(self) -> Synthesis:
        return self.claims[0].synthesis

    def look(self) -> None:
        """See how far it has come."""
        synthesis = self.synthesis
        self.engine_asked = not (synthesis.sought or synthesis.recalled)
        if synthesis.granted_at_s is not None:
            self.started_s = max(self.asked_s, synthesis.granted_at_s)
        if synthesis.finished_at_s is not None:
            self.ended_s = max(self.asked_s, synthesis.finished_at_s)

    def let_go(self, claim: Claim, reason: str) -> None:
        """`claim` was given up, or its sound was taken."""
        error = claim.synthesis.error
        if error is not None:
            self.end("failed", str(error))
        elif claim.taken:
            self.end("spoken")
        elif self.claims == [claim]:
            self.end("withdrawn", reason)
        else:
            self.claims.remove(claim)

    def end(self, outcome: Outcome, reason: str = "") -> None:
        self.look()
        self.claims = []
        self.outcome, self.reason = outcome, reason[:MAX_REASON]
        if self.ended_s is None:
            self.ended_s = _now()


@dataclass(slots=True, eq=False)
class SentenceTrace:
    """What became of one sentence so far; None where it has not come to that."""

    number: int
    cut_s: float
    queued_s: float | None = None
    """When its sound was first asked for."""
    started_s: float | None = None
    """When an engine first had a slot for it."""
    encode_s: float | None = None
    """Seconds spent on shaping and encoding so far, from beginning to end of each step."""
    sent_s: float | None = None
    last_sent_s: float | None = None
    first_chunk: int = 0
    chunks: int = 0
    sound_s: float = 0.0
    """Sent so far."""
    engine: str | None = None
    """Of the last chunk sent."""
    voice: str | None = None
    cache: Source | None = None
    """Where its sound came from; `none` as soon as an engine was needed for any of it."""
    skipped: str | None = None
    """Why it could not be spoken (whole)."""
    encode_failures: int = 0
    """Times it was to be encoded in the reply's format, and left as WAV instead."""
    attempts: list[Attempt] = field(default_factory=list)

    # -- what the rooms note

    def asked(self, claim: Claim) -> None:
        """A clip is wanted for it; one that is asked for already counts once."""
        now_s = _now()
        if self.queued_s is None:
            self.queued_s = now_s
        for attempt in self.attempts:
            if attempt.claims and attempt.synthesis is claim.synthesis:
                attempt.claims.append(claim)
                return
        self.attempts.append(Attempt(claim.voice.engine, now_s, [claim]))
        del self.attempts[:-MAX_ATTEMPTS]

    def late(self, claim: Claim, reason: str) -> None:
        """The reply does not wait for the clip any longer."""
        for attempt in self.attempts:
            if claim in attempt.claims:
                attempt.end("late", reason)
                self._note_start(attempt)

    def let_go(self, claim: Claim, reason: str) -> None:
        """Its sound was taken, or is not wanted any more. May be called again."""
        for attempt in self.attempts:
            if claim in attempt.claims:
                attempt.let_go(claim, reason)
                self._note_start(attempt)

    @contextmanager
    def encoding(self) -> Iterator[None]:
        """Sound of it is shaped or encoded meanwhile."""
        began_s = _now()
        yield
        self.encode_s = (self.encode_s or 0.0) + _now() - began_s

    def sent(self, chunk: Chunk) -> None:
        """A chunk of it has left."""
        self.last_sent_s = _now()
        if self.sent_s is None:
            self.sent_s, self.first_chunk = self.last_sent_s, chunk.index
        self.chunks += 1
        self.sound_s += chunk.duration_s
        self.engine, self.voice = chunk.engine, chunk.voice
        self.cache = max(self.cache or chunk.cache, chunk.cache, key=_SLOWEST_LAST.index)

    # -- what can be told

    def look(self) -> None:
        """See how far what is still asked for has come; the figures below are of the last look."""
        for attempt in self.attempts:
            if attempt.claims:
                attempt.look()
                self._note_start(attempt)

    @property
    def synthesised_s(self) -> float | None:
        """When all of its sound was there."""
        wanted = [one.ended_s for one in self.attempts if one.outcome in (None, "spoken")]
        ends = [ended_s for ended_s in wanted if ended_s is not None]
        return max(ends) if ends and len(ends) == len(wanted) and self.skipped is None else None

    def _note_start(self, attempt: Attempt) -> None:
        """The earliest start stands, also when its attempt is not kept."""
        if attempt.started_s is not None and (self.started_s is None or attempt.started_s < self.started_s):
            self.started_s = attempt.started_s


@dataclass(slots=True, eq=False)
class ReplyTrace:
    """A reply from the arrival of its message on. Outlives the reply: its end closes every attempt."""

    arrived_s: float
    timings: Timings
    clock: PlaybackClock
    sentences: Sequence[SentenceTrace]
    ended: EndReason | None = None
    """As it was told; None while it runs."""
    stopped_s: float | None = None
    """When its sound was silenced."""
    engines: Collection[str] = ()
    """Those heard, in the order of their first chunk."""

    @property
    def switches(self) -> list[str]:
        """The engines that the reply was taken from in the middle."""
        return list(self.engines)[:-1]

    @property
    def sources(self) -> Counter[Source]:
        """Its sentences that were heard, by where their sound came from."""
        return Counter(one.cache for one in self.sentences if one.cache is not None)

    @property
    def skipped(self) -> int:
        """Sentences that were not spoken, or not to their end."""
        return sum(one.skipped is not None for one in self.sentences)

    def plays(self, sentence: SentenceTrace) -> tuple[float, float] | None:
        """From when to when it is heard, by the playback clock; None where nothing of it was sent, or none of it was
        heard before the reply was stopped."""
        if sentence.sent_s is None:
            return None
        from_s, to_s = self.clock.span(sentence.first_chunk, sentence.chunks)
        # Whatever a listener says: nothing is heard before it has left.
        from_s = max(from_s, sentence.sent_s)
        if self.stopped_s is not None:
            to_s = min(to_s, self.stopped_s)
        return (from_s, max(from_s, to_s)) if self.stopped_s is None or from_s < self.stopped_s else None


def _now() -> float:
    return asyncio.get_running_loop().time()
