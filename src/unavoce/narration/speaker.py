"""The speaker of one reply: claims the sound of its sentences ahead of time, takes it in order, and sends it, never
more than the plan allows ahead of the playback clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import numpy as np

from unavoce.audio.pauses import pause_s
from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.shaper import SoundShaper
from unavoce.engines.base import Voice
from unavoce.errors import EngineError
from unavoce.narration.encoder import Encoded
from unavoce.narration.events import Chunk, Event, Failure, Skipped, Timings
from unavoce.narration.plan import Listener, Plan
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.script import Line, Script
from unavoce.narration.stage import Stage

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
    """Speaks the lines of `script` in `voice`.

    `tell` takes what goes wrong; `since_arrival` gives the reply's age in seconds.
    """

    def __init__(
        self,
        stage: Stage,
        plan: Plan,
        *,
        voice: Voice,
        script: Script,
        listener: Listener,
        tell: Callable[[Event], None],
        since_arrival: Callable[[], float],
    ) -> None:
        self._stage = stage
        self._plan = plan
        self._voice = voice
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
                line.claim = self._stage.claim(self._voice, line.sentence.spoken, due_s, self.claim_ahead)
                in_synthesis += not line.claim.done
                self._script.changed()
            if line.claim is not None:
                line.claim.due_s = due_s
            due_s += line.predicted_s

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
        alone = self._stage.chain.engine(self._voice.engine).in_process and not self.chunk_sentences
        return 1 if alone else self._plan.max_parallel

    def _runs_dry_at_s(self) -> float:
        ends_at_s = self.clock.ends_at_s
        if ends_at_s is not None:
            return ends_at_s
        lines = self._script.lines
        return lines[0].cut_at_s + FIRST_SOUND_DUE_S if lines else self._now()

    # -- one sentence

    async def _speak_line(self, line: Line) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._take_sound(line)
                return
            except EngineError as error:
                line.withdraw()
                if line.chunks or not error.retryable or attempt == ATTEMPTS:
                    await self._skip(line, error)
                    return
                line.claim = None
                self.claim_ahead()

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
        pause = pause_s(line.sentence.spoken, line.sentence.boundary.value, self._voice.speed)
        await self._send(line, np.concatenate([samples, shaper.end(pause)]), last=True)

    def _shaper(self, first_piece: Pcm) -> SoundShaper:
        return SoundShaper(self._plan.rate_hz, self._stage.levels.gain(self._voice, first_piece))

    async def _skip(self, line: Line, error: EngineError) -> None:
        """The line could not be spoken (whole): say so, close what was begun, go on with the next."""
        number = line.sentence.number
        log.warning("sentence_skipped", extra={"engine": self._voice.engine, "reason": str(error)})
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
            engine=self._voice.engine,
            voice=self._voice.name,
            cache="none",
            text="" if line.chunks else line.sentence.text,
        )

    def _taken(self, line: Line, chunk: Chunk) -> None:
        """`chunk` has just left: from now on it counts."""
        line.chunks += 1
        self.chunk_sentences.append(chunk.sentence)
        self.clock.sent(self._now(), chunk.duration_s)
        self.engines[chunk.engine] = None
        self.timings.audio(self._since_arrival())
        self.claim_ahead()
