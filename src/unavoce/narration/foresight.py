"""Whether the beginning of a long sentence is spoken before the rest of it is known: only where it is heard sooner, and
where what follows will be there before it was heard. From measured speeds: the text's, the engine's, the voice's."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence

from unavoce.chain.cast import Cast
from unavoce.narration.forecast import MARGIN_S
from unavoce.narration.plan import Plan
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.script import Line, Script
from unavoce.narration.stage import Stage
from unavoce.text.parting import Offer

WORTH_S = 0.1
"""How much sooner the longest sentence would have to be heard: less is not worth a seam."""
SPARE_S = MARGIN_S + 0.2
"""In hand when the next piece comes; the engine may be busy with others, and the text may pause for a moment."""
CAUTION = 0.8
"""Of the text's measured pace is relied on."""
LEAST_LEAD = 1.25
"""How much faster than speech the text has to come: what is slower cannot but run dry, and does so best between
sentences."""
RECENT = 64
"""Code points that the text's present pace is told from."""
FIRST_S = 0.25
"""A burst at the start of a text says little of its pace: it is taken to have come in this time, at the least."""


class Arrivals:
    """How fast a text comes. `now_s` is any steady clock's time."""

    def __init__(self) -> None:
        self.known = 0
        """Code points that have come."""
        self._first: tuple[float, int] | None = None
        self._recent: deque[tuple[float, int]] = deque()

    def came(self, now_s: float, count: int) -> None:
        """`count` more code points are there."""
        if not count:
            return
        self.known += count
        if self._first is None:
            self._first = now_s, self.known
        self._recent.append((now_s, self.known))
        while len(self._recent) > 2 and self.known - self._recent[1][1] >= RECENT:
            self._recent.popleft()

    def wait_s(self, place: int, now_s: float) -> float:
        """Seconds until `place` code points are known, by a cautious guess; infinite where no pace is."""
        left, pace = place - self.known, CAUTION * self.pace(now_s)
        return 0.0 if left <= 0 else left / pace if pace else math.inf

    def pace(self, now_s: float, least_s: float = FIRST_S) -> float:
        """Code points a second: the slower of the whole text's pace and the present one; 0 while unknown. `least_s`:
        what has come is taken to have come in this time, at the least."""
        if self._first is None or self.known == self._first[1]:
            return 0.0
        # What came with the first moment took no time that was measured.
        whole = _pace(self._first, self.known, max(now_s, self._first[0] + least_s))
        return min(whole, _pace(self._recent[0], self.known, now_s)) if len(self._recent) > 1 else whole


def _pace(since: tuple[float, int], known: int, now_s: float) -> float:
    at_s, before = since
    return (known - before) / (now_s - at_s) if now_s > at_s else math.inf


class Foresight:
    """Decides for one reply, asked by the cutter (`unavoce.text.parting.Take`)."""

    def __init__(
        self, stage: Stage, plan: Plan, *, cast: Cast, script: Script, clock: PlaybackClock, arrivals: Arrivals
    ) -> None:
        self._chain = stage.chain
        self._plan = plan
        self._cast = cast
        self._script = script
        self._clock = clock
        self._arrivals = arrivals
        self._now = asyncio.get_running_loop().time

    def __call__(self, offer: Offer) -> bool:
        if self._cast.rests or self._synthesis_s(1) <= 0:
            return False
        dry_s = self._dry_at_s(offer)
        if dry_s is None:
            wanted, free_s = self._sooner_s(offer) >= WORTH_S, self._now()
        else:
            wanted, free_s = self._ready_s(offer.next_look, offer.next_look - offer.start) > dry_s, dry_s
        # A sentence that was begun has to go on, whether or not the next piece will be there in time as well.
        return wanted and (offer.goes_on or (self._comes_fast_enough(offer) and self._in_time(offer, free_s)))

    def _comes_fast_enough(self, offer: Offer) -> bool:
        """The text comes well before it could be heard; where nothing is known of its pace, it is there."""
        pace = self._arrivals.pace(self._now())
        return pace * self._sound_s(1) >= LEAST_LEAD if pace else self._arrivals.known >= offer.follows

    def _sooner_s(self, offer: Offer) -> float:
        """How much sooner the reply is heard if the sentence turns out as long as any, or as all that there is."""
        known, pace = self._arrivals.known, self._arrivals.pace(self._now(), least_s=0.0)
        end = offer.longest if pace else min(offer.longest, known)
        wait_s = (end - known) / pace if end > known else 0.0
        return wait_s + self._start_s(end - offer.start) - self._start_s(offer.at - offer.start)

    def _in_time(self, offer: Offer, free_s: float) -> bool:
        """Whether the piece after the opening will be there before the opening, heard from `free_s`, is over."""
        count = offer.at - offer.start
        begins_s = max(free_s, self._now() + self._start_s(count))
        ready_s = self._ready_s(offer.follows, offer.next_end - offer.at, count)
        return ready_s <= begins_s + self._sound_s(count)

    def _ready_s(self, place: int, count: int, *before: int) -> float:
        """When a piece of `count` code points sounds that is known when the text has come to `place`. `before`: code
        points of pieces that the engine will be asked for first."""
        wait_s = max(self._arrivals.wait_s(place, self._now()), self._busy_s(before))
        return self._now() + wait_s + self._start_s(count) + SPARE_S

    def _busy_s(self, before: Sequence[int]) -> float:
        """Expected seconds until the engine is free of what it is asked for already, and of `before`."""
        engine = self._chain.engine(self._cast.voice.engine)
        # Calls on the same cores share them.
        slots = 1 if engine.in_process else min(engine.max_concurrency, self._plan.max_parallel)
        work_s = [self._synthesis_s(len(line.to_say)) for line in self._unsaid if not _made(line)]
        work_s += map(self._synthesis_s, before)
        return sum(work_s) / slots if len(work_s) >= slots else 0.0

    @property
    def _unsaid(self) -> list[Line]:
        return self._script.lines[self._script.spoken :]

    def _dry_at_s(self, offer: Offer) -> float | None:
        """When the listener has heard all that is known before the offered sentence; None where that is nothing."""
        lines, now_s = self._unsaid, self._now()
        ahead = [len(line.to_say) for line in lines] + [len(one.spoken) for one in offer.before]
        ends_s = self._clock.ends_at_s
        if ends_s is None and not ahead:
            return None
        if ends_s is None:
            ends_s = (lines[0].cut_at_s if lines else now_s) + self._start_s(ahead[0])
        left_s = sum(map(self._sound_s, ahead)) - sum(line.sound_s for line in lines)
        return max(ends_s, now_s) + max(0.0, left_s)

    # -- what the voice that speaks takes, for so many code points

    def _sound_s(self, count: int) -> float:
        return self._chain.sound_s(self._cast.voice, count)

    def _start_s(self, count: int) -> float:
        return self._chain.start_s(self._cast.voice, count)

    def _synthesis_s(self, count: int) -> float:
        return self._chain.synthesis_s(self._cast.voice, count)


def _made(line: Line) -> bool:
    return line.claim is not None and line.claim.done
