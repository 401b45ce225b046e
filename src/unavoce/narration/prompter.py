"""The prompter of one reply: sees to it that each line has a voice in time.

Knows every line's deadline, begins the understudy beside a voice that is late, moves the reply along the chain, takes
up clips at hand, and says what is left of a line that broke off. The voice lock itself is `unavoce.chain.cast`.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from unavoce.chain.cast import Cast
from unavoce.engines.base import Voice
from unavoce.errors import EngineError, EngineUnavailable
from unavoce.narration.at_hand import recall_line, take_up_whole_reply
from unavoce.narration.forecast import MARGIN_S, Forecast, begin_at_s
from unavoce.narration.plan import Plan
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.resume import rest_of
from unavoce.narration.script import Line, Script
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim
from unavoce.text.phrases import fitting_cut

log = logging.getLogger(__name__)

LEAD_MARGIN_S, LEAD_MARGIN = 0.05, 1.2
"""The understudy is begun a little sooner than its own speed asks for, so that its first chunk is encoded in time."""
HESITATION_S = 0.5
"""Silence between two pieces that is no reason yet to begin the understudy: first pieces are short."""
HELD_FOR = 4
"""Sentences looked at, the first among them, when it is held back: what comes later has time."""
ATTEMPTS = 2
"""Syntheses of one sentence by one engine, as long as the engine says that trying again can help."""


class Prompter:
    """`claim_ahead`: claims the lines that come, in the cast's present voice."""

    def __init__(
        self,
        stage: Stage,
        plan: Plan,
        cast: Cast,
        script: Script,
        clock: PlaybackClock,
        *,
        claim_ahead: Callable[[], None],
    ) -> None:
        self._stage = stage
        self._plan = plan
        self._cast = cast
        self._script = script
        self._clock = clock
        self._claim_ahead = claim_ahead
        self._now = asyncio.get_running_loop().time
        self._beside: tuple[Line, Claim] | None = None
        """The understudy's claim on a line that the present voice may still speak."""

    # -- in time

    async def cue(self, line: Line) -> Claim:
        """The claim whose sound is heard next: the present voice's, or the understudy's where that was late."""
        await take_up_whole_reply(self._stage, self._cast, self._script)
        if line.claim is None and self._cast.rests:
            raise EngineUnavailable(f"{self._cast.voice.engine} is down, and the voice may not change any more")
        while True:
            claim = await self._voice_for(line)
            if self._cast.begun or await self._may_begin(line, claim):
                return await self._script.claim_of(line)

    async def _voice_for(self, line: Line) -> Claim:
        """The claim of the voice that is to speak the line: it sounds, has failed, or there is no understudy."""
        while (understudy := self._cast.understudy) is not None:
            claim = await self._script.claim_of(line)
            deadline_s = self._deadline_s(line)
            await claim.wait(until_s=deadline_s - self._lead_s(understudy, line))
            if claim.done or claim.sounds or not await self._hedge(line, claim, understudy, deadline_s):
                break
        return await self._script.claim_of(line)

    def prepare(self) -> None:
        """Before the first sentence is asked for: where the engine is known to take longer over it than its listener's
        patience lasts, it is asked for a first part that comes in time, or, where there is no such part, not at all.
        """
        line = next(iter(self._script.ahead(1)), None)
        if line is None or line.claim or line.rest or line.goes_on or self._cast.begun or not self._plan.pace_check:
            return
        while self._cast.understudy is not None and self._known(self._cast.voice):
            longest = self._longest_in_time(line)
            if longest >= len(line.to_say):
                return
            at = fitting_cut(line.to_say, longest, self._cast.voice.language)
            if at is not None:
                self._script.part(line, at)
                return
            log.info("voice_passed_over", extra={"engine": self._cast.voice.engine, "to": self._cast.move().engine})

    def _longest_in_time(self, line: Line) -> int:
        """Code points of `line` whose sound comes before its listener's patience ends."""
        patience_s = self._deadline_s(line) - MARGIN_S - self._now() - self._stage.taken_for_s(self._cast.voice)
        start_s = partial(self._stage.chain.start_s, self._cast.voice)
        return bisect_right(range(len(line.to_say) + 1), patience_s, key=start_s) - 1

    def _known(self, voice: Voice) -> bool:
        """Whether the engine's speed was measured, rather than supposed."""
        return self._stage.chain.synthesis_s(voice, 1) > 0

    # -- the first sound

    async def _may_begin(self, line: Line, claim: Claim) -> bool:
        """Returns True when the reply may begin to be heard, False when it has moved to another voice.

        A slow engine's first sentence waits until those behind it will come in time, within the listener's patience.
        Where that is not long enough, the reply moves on while it can do so whole.
        """
        await claim.wait()
        if await take_up_whole_reply(self._stage, self._cast, self._script):
            return True
        patience_ends_s = self._deadline_s(line)
        while claim.sounds and (begin_s := self._begin_at_s()) > self._now():
            if begin_s > patience_ends_s and self._cast.understudy is not None and self._plan.pace_check:
                self.move("pace")
                return False
            if self._now() >= patience_ends_s:
                return True
            await self._script.change(until_s=min(begin_s, patience_ends_s))
        return True

    def _begin_at_s(self) -> float:
        """When the first sound may leave, by what is known of the reply and predicted of its engine."""
        chain, voice = self._stage.chain, self._cast.voice
        lines = self._script.ahead(HELD_FOR)
        if not all(line.claim is None or line.claim.voice == voice for line in lines):
            return self._now()  # clips at hand
        slots = min(chain.engine(voice.engine).max_concurrency, self._plan.max_parallel)
        return begin_at_s([self._forecast(voice, line) for line in lines], slots, self._now())

    def _forecast(self, voice: Voice, line: Line) -> Forecast:
        chain, characters = self._stage.chain, len(line.to_say)
        synthesis = line.claim.synthesis if line.claim else None
        whole = synthesis is not None and synthesis.finished
        return Forecast(
            sound_s=synthesis.duration_s if synthesis and whole else chain.sound_s(voice, characters),
            start_s=chain.start_s(voice, characters),
            synthesis_s=chain.synthesis_s(voice, characters),
            granted_at_s=synthesis.engaged_at_s if synthesis else None,
            whole=whole,
        )

    # -- late or silent

    async def _hedge(self, line: Line, claim: Claim, understudy: Voice, deadline_s: float) -> bool:
        """The understudy begins beside a late voice; True when it has taken over."""
        beside = self._begin_beside(understudy, line, deadline_s)
        await self._either(line, claim, beside, deadline_s)
        stays = claim.sounds or (beside.failed and not claim.failed and self._cast.after(understudy) is None)
        if not stays:
            if not claim.done:
                self._stage.late(claim)
                line.trace.late(claim, "no sound in time")
            self.move("late")
        self.release()
        return not stays

    async def follow(self, line: Line, claim: Claim, since_s: float) -> None:
        """Returns at the next piece of a line that is being heard, or at its end; the one before came at `since_s`.
        Raises EngineError where the listener has run dry and the understudy has the rest of the line ready, or nobody
        has within its patience."""
        ends_at_s, understudy = self._clock.ends_at_s, self._cast.understudy
        if claim.more or ends_at_s is None:
            return
        if understudy is None:
            patience_s = max(self._plan.primary_timeout_s, 2 * self._start_s(claim.voice, line))
            await claim.wait(until_s=ends_at_s + patience_s)
        else:
            begin_s = max(ends_at_s - self._lead_s(understudy, line), since_s + HESITATION_S)
            await claim.wait(until_s=begin_s)
            if not claim.more:
                beside = self._begin_beside(understudy, line, ends_at_s)
                await self._either(line, claim, beside, max(ends_at_s, begin_s))
        if not claim.more:
            raise self._silent(line, claim)
        self.release()

    def _silent(self, line: Line, claim: Claim) -> EngineError:
        """Give up a sentence that its engine does not finish, wherever the reply says it."""
        error = EngineError(f"{claim.voice.engine} fell silent in mid-sentence")
        line.trace.late(claim, str(error))
        self._stage.chain.failed(claim.voice.engine, error, "late")
        claim.synthesis.silent = True
        for later in self._script.lines[self._script.spoken + 1 :]:
            if later.claim is not None and later.claim.synthesis is claim.synthesis:
                later.give_up(str(error))
        return error

    async def _either(self, line: Line, claim: Claim, beside: Claim, deadline_s: float) -> None:
        """Returns when `claim` has more to hear, or after the deadline when the one beside it sounds; at the latest
        when both have ended, or when a third voice should be asked."""
        await claim.wait(until_s=deadline_s)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._patience_s(beside.voice, line, deadline_s)):
                await _first_of(claim, beside)

    def heard(self, voice: Voice) -> None:
        """A chunk in `voice` has left; claims in voices that the lock now forbids are given up."""
        before = self._cast.audible
        self._cast.heard(voice)
        audible = self._cast.audible
        if audible == before:
            return
        for line in self._script.lines[self._script.spoken :]:
            if line.claim is not None and line.claim.voice not in audible:
                line.give_up(f"the reply is heard in the voice of {voice.engine}", late=True)

    def release(self) -> None:
        """The understudy is not needed beside the present voice any more."""
        if self._beside is not None:
            line, claim = self._beside
            line.trace.let_go(claim, "not needed")
            claim.withdraw()
            self._beside = None

    def _begin_beside(self, understudy: Voice, line: Line, due_s: float) -> Claim:
        fresh = self._cast.begun
        beside = self._stage.claim(understudy, self._left_of(line), due_s, lambda: None, fresh=fresh)
        line.trace.asked(beside)
        self.release()  # only now: it may be the same clip
        self._beside = line, beside
        return beside

    def _deadline_s(self, line: Line) -> float:
        """When the listener runs dry; before the first sound, when its patience with the first voice ends."""
        ends_at_s = self._clock.ends_at_s
        return line.cut_at_s + self._plan.primary_timeout_s if ends_at_s is None else ends_at_s

    def _lead_s(self, understudy: Voice, line: Line) -> float:
        """How long before its deadline a line is begun in another voice as well."""
        if not self._plan.hedge:
            return 0.0
        lead_s = LEAD_MARGIN_S + LEAD_MARGIN * self._start_s(understudy, line)
        # On the same cores an early understudy slows the very voice that it stands by for.
        return min(lead_s, self._plan.primary_timeout_s / 2)

    def _patience_s(self, understudy: Voice, line: Line, deadline_s: float) -> float | None:
        """How long the first of two voices is waited for, loop time: for ever, unless there is a third."""
        if self._cast.after(understudy) is None:
            return None
        return max(deadline_s, self._now()) + 2 * self._start_s(understudy, line)

    def _start_s(self, voice: Voice, line: Line) -> float:
        return self._stage.chain.start_s(voice, len(line.to_say))

    # -- when a line fails

    async def mend(self, line: Line, error: EngineError) -> bool:
        """A line failed: whether it is tried once more, in whatever voice."""
        line.attempts += 1
        line.withdraw()
        line.to_say, line.sound_s = self._left_of(line), 0.0
        if self._may_try_again(line, error):
            line.claim = None
            self._claim_ahead()
        elif self._cast.understudy is not None:
            self.move(str(error))
            self.release()
        else:
            return await recall_line(self._stage, self._cast, line)
        return True

    def move(self, reason: str) -> None:
        """Everything not heard yet goes to the understudy."""
        before = self._cast.voice.engine
        log.warning("voice_moved", extra={"engine": before, "to": self._cast.move().engine, "reason": reason})
        for line in self._script.lines[self._script.spoken :]:
            line.give_up(f"the reply moved on: {reason}", late=True)
        for line in self._script.ahead(1):
            self._script.rejoin(line)
            line.fresh, line.attempts = self._cast.begun, 0
        self._claim_ahead()

    def _may_try_again(self, line: Line, error: EngineError) -> bool:
        """The same voice once more: where there is no other, or in time for a listener who is in mid-sentence."""
        if not error.retryable or line.attempts >= ATTEMPTS or self._cast.rests:
            return False
        if self._cast.understudy is None:
            return True
        voice = self._cast.voice
        in_time = self._clock.ahead_s(self._now()) > self._start_s(voice, line)
        return line.chunks > 0 and in_time and not self._stage.chain.is_down(voice.engine)

    def _left_of(self, line: Line) -> str:
        """What was heard of a line that broke off need not be said again."""
        if line.sound_s <= 0 or line.claim is None:
            return line.to_say
        whole_s = self._stage.chain.sound_s(line.claim.voice, len(line.to_say))
        return rest_of(line.to_say, line.sound_s / whole_s)


async def _first_of(claim: Claim, other: Claim) -> None:
    """Returns when `claim` has more, well or badly, or the other sounds; when one has failed, the other decides."""
    while not (claim.sounds or other.sounds or (claim.more and other.more)):
        async with asyncio.TaskGroup() as tasks:
            waits = [tasks.create_task(one.wait()) for one in (claim, other) if not one.more]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
