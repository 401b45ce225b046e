"""The speaker of one reply: claims the sound of its sentences ahead of time, takes it in order, and sends it, never
more than the plan allows ahead of the playback clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from unavoce.audio.pauses import pause_s
from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.shaper import SoundShaper
from unavoce.chain.cast import Cast
from unavoce.engines.base import Voice
from unavoce.errors import EngineError
from unavoce.narration.encoder import Encoded
from unavoce.narration.events import Chunk, Event, Failure, Skipped, Timings
from unavoce.narration.plan import Listener, Plan
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.resume import rest_of
from unavoce.narration.script import Line, Script
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim

log = logging.getLogger(__name__)

CLAIMED_AHEAD = 8
"""Sentences claimed and not yet sent; it bounds the clips a reply holds in memory."""
FIRST_SOUND_DUE_S = 0.5
"""A listener who has heard nothing yet counts as running dry this long after the sentence was cut."""
LOOK_AGAIN_S = 1.0
"""While far enough ahead of playback: how often to look whether `chat:played` has moved the clock."""
ATTEMPTS = 2
"""Syntheses of one sentence, as long as none of its sound was sent and the engine says that trying again can help."""


class Speaker:
    """Speaks the lines of `script` in the voice that `cast` allows.

    `tell` takes what goes wrong; `since_arrival` gives the reply's age in seconds.
    """

    def __init__(
        self,
        stage: Stage,
        plan: Plan,
        *,
        cast: Cast,
        script: Script,
        listener: Listener,
        tell: Callable[[Event], None],
        since_arrival: Callable[[], float],
    ) -> None:
        self._stage = stage
        self._plan = plan
        self._cast = cast
        self._script = script
        self._listener = listener
        self._tell = tell
        self._since_arrival = since_arrival
        self._now = asyncio.get_running_loop().time
        self._stopped = False
        self.clock = PlaybackClock()
        self.timings = Timings()
        self.engines: dict[str, None] = {}
        """Those heard, in the order of their first chunk."""
        self.skipped: list[Skipped] = []
        self.chunk_sentences: list[int] = []
        """The sentence each chunk that was sent belongs to."""

    @property
    def in_synthesis(self) -> int:
        """Sentences claimed whose synthesis has not ended."""
        window = self._script.ahead(CLAIMED_AHEAD)
        return sum(line.claim is not None and not line.claim.done for line in window)

    def claim_ahead(self) -> None:
        """Keep as many sentences in synthesis as may be; also refreshes the deadlines of those that wait."""
        if self._stopped:
            return
        due_s, in_synthesis = self._runs_dry_at_s(), self.in_synthesis
        for line in self._script.ahead(CLAIMED_AHEAD):
            if line.claim is None and in_synthesis < self._parallel():
                line.claim = self._stage.claim(self._cast.voice, line.to_say, due_s, self.claim_ahead)
                in_synthesis += not line.claim.done
                self._script.changed()
            if line.claim is not None:
                line.claim.due_s = due_s
            due_s += self._stage.chain.sound_s(self._cast.voice.engine, len(line.to_say))

    async def speak(self) -> None:
        """Speak every line of the script, to its end."""
        while (line := await self._script.next_line()) is not None:
            await self._speak_line(line)
            self._script.spoken += 1
            self.claim_ahead()

    def stop(self) -> None:
        """Nothing is claimed any more, and what was claimed is given up."""
        self._stopped = True
        self._script.withdraw()

    def _parallel(self) -> int:
        """The first sentence of an engine on our own cores has them to itself: it speaks soonest alone."""
        alone = self._stage.chain.engine(self._cast.voice.engine).in_process and not self.chunk_sentences
        return 1 if alone else self._plan.max_parallel

    def _runs_dry_at_s(self) -> float:
        ends_at_s = self.clock.ends_at_s
        if ends_at_s is not None:
            return ends_at_s
        lines = self._script.lines
        return lines[0].cut_at_s + FIRST_SOUND_DUE_S if lines else self._now()

    # -- one sentence

    async def _speak_line(self, line: Line) -> None:
        attempts = 0
        while True:
            try:
                await self._cue(line)
                return await self._take_sound(line)
            except EngineError as error:
                attempts += 1
                line.withdraw()
                self._shorten(line)
                if self._may_try_again(line, error, attempts):
                    line.claim = None
                    self.claim_ahead()
                elif self._cast.understudy is not None:
                    attempts = 0
                    self._move(line, None, str(error))
                else:
                    return await self._skip(line, error)

    def _may_try_again(self, line: Line, error: EngineError, attempts: int) -> bool:
        """The same voice once more: where there is no other, or in time for a listener who is in mid-sentence."""
        if not error.retryable or attempts >= ATTEMPTS:
            return False
        if self._cast.understudy is None:
            return True
        engine, chain = self._cast.voice.engine, self._stage.chain
        in_time = self.clock.ahead_s(self._now()) > chain.start_s(engine)
        return line.chunks > 0 and in_time and not chain.is_down(engine)

    def _shorten(self, line: Line) -> None:
        """What was heard of a line that broke off need not be said again."""
        if line.sound_s > 0:
            whole_s = self._stage.chain.sound_s(self._cast.voice.engine, len(line.to_say))
            line.to_say = rest_of(line.to_say, line.sound_s / whole_s)
            line.sound_s = 0.0

    # -- which voice

    async def _cue(self, line: Line) -> None:
        """Wait for the line's sound, but no longer than its deadline where an understudy is ready sooner."""
        while (understudy := self._cast.understudy) is not None:
            claim = await self._script.claim_of(line)
            deadline_s = self._deadline_s(line)
            lead_s = self._stage.chain.start_s(understudy.engine) if self._plan.hedge else 0.0
            await _sounding(claim, until_s=deadline_s - lead_s)
            if claim.done or claim.sounds or not await self._hedge(line, claim, understudy, deadline_s):
                return

    async def _hedge(self, line: Line, claim: Claim, understudy: Voice, deadline_s: float) -> bool:
        """The understudy starts beside a late voice; True when it has taken over."""
        hedge = self._stage.claim(understudy, line.to_say, deadline_s, lambda: None)
        try:
            await _sounding(claim, until_s=deadline_s)
            await _first_sounding(claim, hedge)
            if claim.sounds or (hedge.failed and not claim.failed):
                return False
            if not claim.done:
                self._stage.chain.late(claim.synthesis.voice.engine, claim.synthesis.granted_at_s, self._now())
            self._move(line, hedge, "late")
            return True
        finally:
            if line.claim is not hedge:
                hedge.withdraw()

    def _deadline_s(self, line: Line) -> float:
        """When the listener runs dry; before the first sound, when its patience with the first voice ends."""
        ends_at_s = self.clock.ends_at_s
        return line.cut_at_s + self._plan.primary_timeout_s if ends_at_s is None else ends_at_s

    def _move(self, line: Line, claim: Claim | None, reason: str) -> None:
        """Everything not heard yet goes to the understudy; `claim` is what it has made of `line` already."""
        before = self._cast.voice.engine
        log.warning("voice_moved", extra={"engine": before, "to": self._cast.move().engine, "reason": reason})
        self._script.withdraw()
        for later in self._script.lines[self._script.spoken :]:
            later.claim = None
        line.claim = claim
        self.claim_ahead()

    # -- the sound of one sentence

    async def _take_sound(self, line: Line) -> None:
        """Send the line's sound as it is made; its last chunk carries the pause."""
        claim = await self._script.claim_of(line)
        shaper: SoundShaper | None = None
        samples: Samples = np.zeros(0, np.int16)
        async for piece, final in claim.parts():
            shaper = shaper or self._shaper(piece)
            samples = shaper.feed(piece)
            if final:
                break
            if len(samples):
                await self._send(line, samples, last=False)
                samples = samples[:0]
        if shaper is None:
            raise EngineError("no sound came")
        line.withdraw()
        pause = pause_s(line.sentence.spoken, line.sentence.boundary.value, self._cast.voice.speed)
        await self._send(line, np.concatenate([samples, shaper.end(pause)]), last=True)

    def _shaper(self, first_piece: Pcm) -> SoundShaper:
        return SoundShaper(self._plan.rate_hz, self._stage.levels.gain(self._cast.voice, first_piece))

    async def _skip(self, line: Line, error: EngineError) -> None:
        """The line could not be spoken (whole): say so, close what was begun, go on with the next."""
        number = line.sentence.number
        log.warning("sentence_skipped", extra={"engine": self._cast.voice.engine, "reason": str(error)})
        if not self.skipped:
            self._tell(Failure("speech_failed", f"sentence {number} was not spoken: {error}"))
        self.skipped.append(Skipped(number, str(error), partial=line.chunks > 0))
        if line.chunks:
            silence = SoundShaper(self._plan.rate_hz).end(pause_s("", line.sentence.boundary.value))
            await self._send(line, silence, last=True)

    # -- one chunk

    async def _send(self, line: Line, samples: Samples, *, last: bool) -> None:
        await self._wait_for_playback()
        encoded = await self._plan.encoder.encode(samples, self._plan.rate_hz)
        chunk = self._chunk(line, samples, encoded, last=last)
        await self._listener.hear(chunk, lambda: self._taken(line, chunk))

    async def _wait_for_playback(self) -> None:
        limit_s = self._plan.sent_ahead_s
        if limit_s is None:
            return
        while (wait_s := self.clock.ahead_s(self._now()) - limit_s) > 0:  # noqa: ASYNC110 - time itself is the event
            await asyncio.sleep(min(wait_s, LOOK_AGAIN_S))

    def _chunk(self, line: Line, samples: Samples, encoded: Encoded, *, last: bool) -> Chunk:
        return Chunk(
            index=len(self.chunk_sentences),
            sentence=line.sentence.number,
            last=last,
            content_type=encoded.content_type,
            audio=encoded.data,
            samples=samples,
            rate_hz=self._plan.rate_hz,
            engine=self._cast.voice.engine,
            voice=self._cast.voice.name,
            cache="none",
            text="" if line.chunks else line.sentence.text,
        )

    def _taken(self, line: Line, chunk: Chunk) -> None:
        """`chunk` has just left: from now on it counts."""
        line.chunks += 1
        line.sound_s += chunk.duration_s
        self.chunk_sentences.append(chunk.sentence)
        self.clock.sent(self._now(), chunk.duration_s)
        self.engines[chunk.engine] = None
        self._cast.heard()
        self.timings.audio(self._since_arrival())
        self.claim_ahead()


async def _sounding(claim: Claim, until_s: float) -> None:
    """Returns at the claim's first sound or end, at the latest at `until_s` (loop time)."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(until_s):
            await claim.sounding()


async def _first_sounding(claim: Claim, other: Claim) -> None:
    """Returns when one of the two sounds, or both have ended."""
    while not (claim.sounds or other.sounds or (claim.done and other.done)):
        async with asyncio.TaskGroup() as tasks:
            waits = [tasks.create_task(one.sounding()) for one in (claim, other) if not one.done]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
