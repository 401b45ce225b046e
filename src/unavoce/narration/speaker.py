"""The speaker of one reply: claims the sound of its sentences ahead of time, takes it in order, and sends it, never
more than the plan allows ahead of the playback clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from unavoce.audio.pauses import pause_s
from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.shaper import SLICE, SoundShaper
from unavoce.cache.cache import Source
from unavoce.chain.cast import Cast
from unavoce.engines.base import Voice
from unavoce.errors import EngineError
from unavoce.narration.encoder import Encoded, Encoding
from unavoce.narration.events import Chunk, Event, Failure, Skipped, Timings
from unavoce.narration.foresight import Arrivals, Foresight
from unavoce.narration.load import Demand, demand_of
from unavoce.narration.plan import Listener, Plan
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.prompter import Prompter
from unavoce.narration.renditions import Look
from unavoce.narration.script import Line, Script
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim

log = logging.getLogger(__name__)

CLAIMED_AHEAD = 8
"""Sentences claimed and not yet sent; it bounds the clips a reply holds in memory."""
FIRST_SOUND_DUE_S = 0.5
"""A listener who has heard nothing yet counts as running dry this long after the sentence was cut."""
TURNS = 5
"""Of the event loop, until a chunk that was sent has gone through outbox and transport to its socket."""
IN_HAND_S = 0.1
"""A listener with less sound than this runs dry before a chunk that is made now can be sure to be there."""
LOOK_AGAIN_S = 1.0
"""While far enough ahead of playback: how often to look whether `chat:played` has moved the clock."""

MaybeEncoded = TypeVar("MaybeEncoded", Encoded, Encoded | None)


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
        self._prompter = Prompter(stage, plan, cast, script, self.clock, claim_ahead=self.claim_ahead)
        self.timings = Timings()
        self.engines: dict[str, None] = {}
        """Those heard, in the order of their first chunk."""
        self.skipped: list[Skipped] = []
        self.chunk_sentences: list[int] = []
        """The sentence each chunk that was sent belongs to."""

    def foresight(self, arrivals: Arrivals) -> Foresight:
        """Decides whether the beginning of a sentence is spoken before the rest is known."""
        return Foresight(
            self._stage, self._plan, cast=self._cast, script=self._script, clock=self.clock, arrivals=arrivals
        )

    @property
    def in_synthesis(self) -> int:
        """Sentences claimed whose synthesis has not ended."""
        window = self._script.ahead(CLAIMED_AHEAD)
        return sum(line.claim is not None and not line.claim.done for line in window)

    @property
    def begins_here(self) -> bool:
        """The first sound of the reply is in the making, on our own cores."""
        first = self._script.lines[0].claim if self._script.lines else None
        if self.chunk_sentences or first is None or first.done:
            return False
        return self._stage.chain.engine(first.voice.engine).in_process

    @property
    def demand(self) -> Demand | None:
        """What the reply still wants of an engine; None where all of its sound is made."""
        ahead_s = self.clock.ahead_s(self._now())
        return demand_of(self._script, CLAIMED_AHEAD, self._cast.voice, self._stage.chain, ahead_s)

    def claim_ahead(self) -> None:
        """Keep as many sentences in synthesis as may be; also refreshes the deadlines of those that wait."""
        self._script.changed()
        if self._stopped:
            return
        self._prompter.prepare()
        if self._cast.rests:
            return
        due_s, in_synthesis = self._runs_dry_at_s(), self.in_synthesis
        for line in self._script.ahead(CLAIMED_AHEAD):
            if line.claim is None and in_synthesis < self._parallel():
                in_synthesis += not self._claim(line, due_s).done
            if line.claim is not None:
                line.claim.due_s, line.claim.waits = due_s, not self.chunk_sentences
            due_s += self._stage.chain.sound_s(self._cast.voice, len(line.to_say))

    def _claim(self, line: Line, due_s: float) -> Claim:
        claim = self._stage.claim(self._cast.voice, line.to_say, due_s, self.claim_ahead, fresh=line.fresh)
        line.take_up(claim)
        return claim

    async def speak(self) -> None:
        """Speak every line of the script, to its end."""
        while (line := await self._script.next_line()) is not None:
            await self._speak_line(line)
            self._script.pass_on()
            self.claim_ahead()

    def stop(self) -> None:
        """Nothing is claimed any more, and what was claimed is given up."""
        self._stopped = True
        self._script.withdraw("the reply ended")

    def _parallel(self) -> int:
        """The first sentence of an engine on our own cores has them to itself: it speaks soonest alone."""
        return 1 if self.begins_here else self._plan.max_parallel

    def _runs_dry_at_s(self) -> float:
        ends_at_s = self.clock.ends_at_s
        if ends_at_s is not None:
            return ends_at_s
        lines = self._script.lines
        return lines[0].cut_at_s + FIRST_SOUND_DUE_S if lines else self._now()

    # -- one sentence

    async def _speak_line(self, line: Line) -> None:
        try:
            while (error := await self._try_line(line)) is not None:
                if not await self._prompter.mend(line, error):
                    return await self._skip(line, error)
        finally:
            self._prompter.release()

    async def _try_line(self, line: Line) -> EngineError | None:
        """Speak a line to its end; what broke it off, if anything did."""
        try:
            await self._take_sound(line, await self._prompter.cue(line))
        except EngineError as error:
            return error
        return None

    async def _take_sound(self, line: Line, claim: Claim) -> None:
        """Send the line's sound, as it left before or as it is made; its last chunk carries the pause."""
        known = self._look(line, claim, self._stage.levels.known(claim.voice))
        before = self._plan.renditions.get(known) if claim.source != "none" else None
        if before is None:
            await self._render(line, claim)
        else:
            claim.take()
            line.withdraw()
            await self._repeat(line, claim, before)
        if line.rest is not None:
            line.rest.chunks, line.rest.voice = line.chunks, line.voice

    async def _render(self, line: Line, claim: Claim) -> None:
        """Shape, encode and send the line's sound as it is made, and keep how it left."""
        shaper: SoundShaper | None = None
        gain: float | None = None
        out = self._plan.encoder.begin(self._plan.rate_hz)
        try:
            async for piece, final in claim.parts():
                if shaper is None:
                    shaper, gain = self._shaper(claim, piece), self._stage.levels.known(claim.voice)
                out.add(await _shaped(line, shaper, piece))
                if final:
                    break
                came_s = self._now()
                await self._say_in_time(line, claim, out)
                await self._prompter.follow(line, claim, came_s)
        except EngineError:
            if shaper is not None and line.sound_s > 0:
                # It broke off: what was kept back, faded out, so that it does not end in a click.
                await self._say_rest(line, claim, out, _rest(line, shaper))
            raise
        if shaper is None:
            raise EngineError("no sound came")
        line.withdraw()
        look = self._look(line, claim, gain)
        await self._say_rest(line, claim, out, _rest(line, shaper, look.pause_s), last=line.rest is None)
        self._plan.renditions.put(look, out.left)

    def _look(self, line: Line, claim: Claim, gain: float | None) -> Look:
        sentence, voice = line.sentence, claim.voice
        pause = pause_s(sentence.spoken, sentence.boundary.value, voice.speed) if line.rest is None else 0.0
        return Look(voice, claim.synthesis.spoken, gain, pause, self._plan.rate_hz, self._plan.encoder.form)

    def _shaper(self, claim: Claim, first_piece: Pcm) -> SoundShaper:
        levels = self._stage.levels
        gain = levels.known(claim.voice)
        if gain is None:
            gain = levels.gain(claim.voice, first_piece if claim.source == "none" else claim.synthesis.clip())
        return SoundShaper(self._plan.rate_hz, gain)

    async def _repeat(self, line: Line, claim: Claim, sounds: Sequence[Encoded]) -> None:
        for sound in sounds:
            last = sound is sounds[-1] and line.rest is None
            await self._send(line, sound, last=last, voice=claim.voice, source=claim.source)

    async def _skip(self, line: Line, error: EngineError) -> None:
        """The line could not be spoken (whole): say so, close what was begun, go on with the next."""
        number = line.sentence.number
        self._script.drop_rest(line)
        log.warning("sentence_skipped", extra={"engine": self._cast.voice.engine, "reason": str(error)})
        if not self.skipped:
            self._tell(Failure("speech_failed", f"sentence {number} was not spoken: {error}"))
        self.skipped.append(Skipped(number, str(error), partial=line.chunks > 0))
        line.trace.skipped = str(error)
        if line.voice is not None:
            silence = SoundShaper(self._plan.rate_hz).end(pause_s("", line.sentence.boundary.value))
            out = self._plan.encoder.begin(self._plan.rate_hz)
            await self._send(line, await self._encoded(line, partial(out.rest, silence)), last=True, voice=line.voice)

    # -- one chunk

    async def _say_in_time(self, line: Line, claim: Claim, out: Encoding) -> None:
        """Send what waits as soon as it is worth a chunk, or its listener would run dry before more comes."""
        if not out.waiting_s or await self._may_wait(claim, out):
            return
        sound = await self._encoded(line, out.piece)
        if sound is not None:
            await self._send(line, sound, last=False, voice=claim.voice, source=claim.source)
            await _let_leave()

    async def _may_wait(self, claim: Claim, out: Encoding) -> bool:
        """Whether what waits can be joined with more that came in time for its listener."""
        dry_at_s = self.clock.ends_at_s
        if dry_at_s is None or out.waiting_s >= self._plan.encoder.form.least_s:
            return False
        await claim.wait(until_s=dry_at_s - IN_HAND_S)
        return claim.more and self._now() < dry_at_s - IN_HAND_S

    async def _say_rest(self, line: Line, claim: Claim, out: Encoding, samples: Samples, *, last: bool = False) -> None:
        """Send all that waits, and `samples` behind it."""
        sound = await self._encoded(line, partial(out.rest, samples))
        await self._send(line, sound, last=last, voice=claim.voice, source=claim.source)

    async def _encoded(self, line: Line, encode: Callable[[], Awaitable[MaybeEncoded]]) -> MaybeEncoded:
        await self._wait_for_playback()
        with line.trace.encoding():
            sound = await encode()
        if sound is not None:
            line.trace.encode_failures += sound.content_type != self._plan.encoder.form.content_type
        return sound

    async def _send(self, line: Line, sound: Encoded, *, last: bool, voice: Voice, source: Source = "none") -> None:
        await self._wait_for_playback()
        chunk = self._chunk(line, sound, last=last, voice=voice, source=source)
        await self._listener.hear(chunk, lambda: self._taken(line, chunk, voice))

    async def _wait_for_playback(self) -> None:
        limit_s = self._plan.sent_ahead_s
        if limit_s is None:
            return
        while (wait_s := self.clock.ahead_s(self._now()) - limit_s) > 0:  # noqa: ASYNC110 - time itself is the event
            await asyncio.sleep(min(wait_s, LOOK_AGAIN_S))

    def _chunk(self, line: Line, sound: Encoded, *, last: bool, voice: Voice, source: Source) -> Chunk:
        return Chunk(
            index=len(self.chunk_sentences),
            sentence=line.sentence.number,
            last=last,
            content_type=sound.content_type,
            audio=sound.data,
            samples=sound.samples,
            rate_hz=self._plan.rate_hz,
            engine=voice.engine,
            voice=voice.name,
            cache=source,
            text="" if line.chunks else line.sentence.text,
        )

    def _taken(self, line: Line, chunk: Chunk, voice: Voice) -> None:
        """`chunk` has just left: from now on it counts."""
        if line.sound_s == 0 and line.claim is not None and not line.claim.failed:
            self._stage.heard(line.claim)
        line.chunks += 1
        line.voice = voice
        line.sound_s += chunk.duration_s
        line.trace.sent(chunk)
        self.chunk_sentences.append(chunk.sentence)
        self.clock.sent(self._now(), chunk.duration_s)
        self._prompter.heard(voice)
        self.engines[chunk.engine] = None
        self.timings.audio(self._since_arrival())
        self.claim_ahead()


async def _shaped(line: Line, shaper: SoundShaper, piece: Pcm) -> Samples:
    """Slice by slice: a long piece would hold up every other reply for its third of a millisecond a second."""
    shaped: list[Samples] = [np.zeros(0, np.int16)]
    for start in range(0, len(piece.samples), SLICE):
        if start:
            await asyncio.sleep(0)
        with line.trace.encoding():
            shaped.append(shaper.feed(Pcm(piece.samples[start : start + SLICE], piece.rate_hz)))
    return np.concatenate(shaped)


def _rest(line: Line, shaper: SoundShaper, pause_s: float = 0.0) -> Samples:
    with line.trace.encoding():
        return shaper.end(pause_s)


async def _let_leave() -> None:
    """Work on the next part only when the last one has reached its socket."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
