"""The narrator: the pipeline of one reply, from tokens to chunks.

Two tasks do the work, both owned by `run`. *Reading* takes tokens, cuts sentences and claims their synthesis; it never
waits for sound. *Speaking* takes the clips in order, shapes and encodes them, and hands them to the listener, never
more than `SENT_AHEAD_S` ahead of the playback clock. Syntheses themselves belong to the stage.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from unavoce.narration.encoder import Encoded, Encoder
from unavoce.audio.pauses import pause_s
from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.shaper import SoundShaper
from unavoce.engines.base import Voice
from unavoce.errors import EngineError, ModelError, RequestError
from unavoce.narration.events import (
    AudioDone,
    Chunk,
    Done,
    EndReason,
    Event,
    Failure,
    SentenceCut,
    Skipped,
    TextDone,
    Timings,
    Token,
)
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim
from unavoce.text import Sentence, SentenceStream

log = logging.getLogger(__name__)

SENT_AHEAD_S = 30.0
"""Sound is sent at most this far ahead of the playback clock; it bounds what a listener must hold."""
CLAIMED_AHEAD = 8
"""Sentences claimed and not yet sent; it bounds the clips a reply holds in memory."""
FIRST_SOUND_DUE_S = 0.5
"""A listener who has heard nothing yet counts as running dry this long after the sentence was cut."""
SECONDS_PER_CHARACTER = 0.065
"""Speech of English prose; predicts clips that are not there yet."""
STALL_S = 0.7
"""A stream that pauses this long has what can be spoken taken out of it."""
ATTEMPTS = 2
"""Syntheses of one sentence, as long as none of its sound was sent and the engine says that trying again can help."""


class Listener(Protocol):
    """Whoever a reply is for."""

    def tell(self, event: Event) -> None:
        """Takes an event of the reply at once."""

    async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
        """Takes a chunk, waiting while the listener cannot take more.

        Calls `taken` at the moment the chunk leaves; when cancelled before that, the chunk must not leave.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """How a reply is to be spoken."""

    voice: Voice | None
    """None: text only."""
    encoder: Encoder
    rate_hz: int = 24_000
    max_parallel: int = 2
    max_chars: int = 100_000
    """Longest text of one reply, in code points; more ends it as failed."""
    language: str = "en"
    sent_ahead_s: float | None = SENT_AHEAD_S
    """None: as fast as the listener takes it."""


@dataclass(slots=True, eq=False)
class Line:
    """A sentence on its way to sound."""

    sentence: Sentence
    cut_at_s: float
    claim: Claim | None = None
    chunks: int = 0

    @property
    def predicted_s(self) -> float:
        return len(self.sentence.spoken) * SECONDS_PER_CHARACTER


class ReplyNarrator:
    """Narrates one reply to one listener. Make it, `run` it once, `abort` it at any time."""

    def __init__(self, stage: Stage, plan: Plan, listener: Listener) -> None:
        self._stage = stage
        self._plan = plan
        self._listener = listener
        self._now = asyncio.get_running_loop().time
        self._arrived_s = self._now()
        self._stream = SentenceStream(plan.language, _sentence_limit(stage, plan))
        self._stall: asyncio.TimerHandle | None = None
        self._lines: list[Line] = []
        self._committed = 0
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._text_ended = False
        self._text_told = False
        self._aborted = False
        self._failed = False
        self._speech_failure_told = False
        self._skipped: list[Skipped] = []
        self._engines: dict[str, None] = {}
        self.source_error: Exception | None = None
        """What ended the stream of tokens, unless it just ended."""
        self.timings = Timings()
        self.clock = PlaybackClock()
        self.chunk_sentences: list[int] = []
        """The sentence each chunk that was sent belongs to."""

    # -- what the owner sees and does

    @property
    def text(self) -> str:
        return self._stream.text

    @property
    def sentences(self) -> list[Sentence]:
        return [line.sentence for line in self._lines]

    @property
    def text_told(self) -> bool:
        """The whole text is known, and was told."""
        return self._text_told

    @property
    def in_synthesis(self) -> int:
        """Sentences claimed whose synthesis has not ended."""
        return sum(line.claim is not None and not line.claim.done for line in self._window)

    @property
    def aborted(self) -> bool:
        return self._aborted

    async def run(self, tokens: AsyncIterable[str]) -> None:
        """Narrate `tokens` to the end. Whatever happens, the listener hears exactly one end."""
        try:
            if not self._aborted:
                await self._narrate(tokens)
        except asyncio.CancelledError:
            self._aborted = True
            raise
        except Exception:
            log.exception("narrator_crashed")
            self._fail("internal", "the server made a mistake; its log says which")
        finally:
            self._end()

    def abort(self) -> None:
        """Stop now: from here on nothing of the reply leaves but its end."""
        self._aborted = True
        # The tasks themselves, not their group: each must stop at its very next step.
        for task in self._tasks:
            task.cancel()

    # -- reading: tokens to sentences

    async def _narrate(self, tokens: AsyncIterable[str]) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._tasks.append(tasks.create_task(self._read(tokens)))
            if self._plan.voice is not None:
                self._tasks.append(tasks.create_task(self._speak(self._plan.voice)))

    async def _read(self, tokens: AsyncIterable[str]) -> None:
        try:
            async with AsyncExitStack() as stack:
                if hasattr(tokens, "aclose"):
                    await stack.enter_async_context(aclosing(tokens))
                async for piece in tokens:
                    self._take(piece)
        except (ModelError, RequestError) as error:
            self.source_error = error
            self._fail(error.code, error.message)
        except Exception as error:
            self.source_error = error
            log.exception("token_source_crashed")
            self._fail("internal", "the source of the text made a mistake; the server's log says which")
        self._disarm()
        before = self._stream.length
        sentences = self._stream.end()
        self._tell_text(before)
        self._cut(sentences)
        self._text_ended = True
        self._tell_text_done()
        self._news.set()

    def _take(self, piece: str) -> None:
        room = self._plan.max_chars - self._stream.length
        before = self._stream.length
        sentences = self._stream.feed(piece[: max(room, 0)])
        if piece:
            self.timings.first_token_s = self._first(self.timings.first_token_s)
            self.timings.last_token_s = self._since_arrival()
        self._tell_text(before)
        self._cut(sentences)
        self._rearm()
        if len(piece) > room:
            raise RequestError("reply_too_long", f"the reply was cut at {self._plan.max_chars} characters")

    def _tell_text(self, before: int) -> None:
        if self._stream.length > before:
            self._tell(Token(self._stream.since(before), before))

    def _cut(self, sentences: list[Sentence]) -> None:
        for sentence in sentences:
            self.timings.first_sentence_s = self._first(self.timings.first_sentence_s)
            self._lines.append(Line(sentence, self._now()))
            self._tell(SentenceCut(sentence))
        if sentences:
            self._claim_ahead()
            self._news.set()

    def _rearm(self) -> None:
        self._disarm()
        self._stall = asyncio.get_running_loop().call_later(STALL_S, self._on_stall)

    def _disarm(self) -> None:
        if self._stall is not None:
            self._stall.cancel()

    def _on_stall(self) -> None:
        self._cut(self._stream.stalled())

    # -- speaking: sentences to chunks

    @property
    def _window(self) -> list[Line]:
        return self._lines[self._committed : self._committed + CLAIMED_AHEAD]

    def _claim_ahead(self) -> None:
        """Keep as many sentences in synthesis as may be; also refreshes the deadlines of those that wait."""
        voice = self._plan.voice
        if voice is None or self._aborted:
            return
        due_s, in_synthesis = self._runs_dry_at_s(), self.in_synthesis
        for line in self._window:
            if line.claim is None and in_synthesis < self._parallel(voice):
                line.claim = self._stage.claim(voice, line.sentence.spoken, due_s, self._claim_ahead)
                in_synthesis += not line.claim.done
                self._news.set()
            if line.claim is not None:
                line.claim.due_s = due_s
            due_s += line.predicted_s

    def _parallel(self, voice: Voice) -> int:
        """The first sentence of an engine on our own cores has them to itself: it speaks soonest alone."""
        alone = self._stage.chain.engine(voice.engine).in_process and not self.chunk_sentences
        return 1 if alone else self._plan.max_parallel

    def _runs_dry_at_s(self) -> float:
        ends_at_s = self.clock.ends_at_s
        if ends_at_s is not None:
            return ends_at_s
        return self._lines[0].cut_at_s + FIRST_SOUND_DUE_S if self._lines else self._now()

    async def _speak(self, voice: Voice) -> None:
        while (line := await self._next_line()) is not None:
            await self._speak_line(line, voice)
            self._committed += 1
            self._claim_ahead()

    async def _next_line(self) -> Line | None:
        while self._committed >= len(self._lines):
            if self._text_ended:
                return None
            self._news.clear()
            await self._news.wait()
        return self._lines[self._committed]

    async def _speak_line(self, line: Line, voice: Voice) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._speak_claim(line, voice)
                return
            except EngineError as error:
                self._withdraw(line)
                if line.chunks or not error.retryable or attempt == ATTEMPTS:
                    await self._skip(line, voice, error)
                    return
                line.claim = None
                self._claim_ahead()

    async def _speak_claim(self, line: Line, voice: Voice) -> None:
        claim = await self._claimed(line)
        shaper: SoundShaper | None = None
        samples: Samples = np.zeros(0, np.int16)
        async for piece, final in claim.parts():
            shaper = shaper or self._shaper(voice, piece)
            samples = shaper.feed(piece)
            if final:
                break
            if len(samples):
                await self._send(line, samples, last=False, voice=voice)
                samples = samples[:0]
        if shaper is None:
            raise EngineError("no sound came")
        pause = pause_s(line.sentence.spoken, line.sentence.boundary.value, voice.speed)
        self._withdraw(line)
        await self._send(line, np.concatenate([samples, shaper.end(pause)]), last=True, voice=voice)

    async def _claimed(self, line: Line) -> Claim:
        """The line's claim; one that is tried again may have to wait for others to end."""
        while line.claim is None:
            self._news.clear()
            await self._news.wait()
        return line.claim

    def _shaper(self, voice: Voice, first_piece: Pcm) -> SoundShaper:
        return SoundShaper(self._plan.rate_hz, self._stage.levels.gain(voice, first_piece))

    async def _skip(self, line: Line, voice: Voice, error: EngineError) -> None:
        """The sentence could not be spoken (whole): say so, close what was begun, go on with the next."""
        self._skipped.append(Skipped(line.sentence.number, str(error), partial=line.chunks > 0))
        log.warning("sentence_skipped", extra={"engine": voice.engine, "reason": str(error)})
        if not self._speech_failure_told:
            self._speech_failure_told = True
            self._tell(Failure("speech_failed", f"sentence {line.sentence.number} was not spoken: {error}"))
        if line.chunks:
            shaper = SoundShaper(self._plan.rate_hz)
            await self._send(line, shaper.end(pause_s("", "sentence", 1.0)), last=True, voice=voice)

    async def _send(self, line: Line, samples: Samples, *, last: bool, voice: Voice) -> None:
        await self._wait_for_listener()
        encoded = await self._plan.encoder.encode(samples, self._plan.rate_hz)
        chunk = self._chunk(line, samples, encoded, last=last, voice=voice)
        await self._listener.hear(chunk, lambda: self._taken(line, chunk))

    async def _wait_for_listener(self) -> None:
        limit_s = self._plan.sent_ahead_s
        while limit_s is not None and (ahead_s := self.clock.ahead_s(self._now())) > limit_s:
            await asyncio.sleep(ahead_s - limit_s)

    def _chunk(self, line: Line, samples: Samples, encoded: Encoded, *, last: bool, voice: Voice) -> Chunk:
        return Chunk(
            index=len(self.chunk_sentences),
            sentence=line.sentence.number,
            last=last,
            content_type=encoded.content_type,
            audio=encoded.data,
            samples=samples,
            rate_hz=self._plan.rate_hz,
            engine=voice.engine,
            voice=voice.name,
            cache="none",
            text="" if line.chunks else line.sentence.text,
        )

    def _taken(self, line: Line, chunk: Chunk) -> None:
        """`chunk` has just left: from now on it counts."""
        line.chunks += 1
        self.chunk_sentences.append(chunk.sentence)
        self.clock.sent(self._now(), chunk.duration_s)
        self._engines[chunk.engine] = None
        self.timings.first_audio_s = self._first(self.timings.first_audio_s)
        self.timings.last_audio_s = self._since_arrival()
        self._claim_ahead()

    def _withdraw(self, line: Line) -> None:
        if line.claim is not None:
            line.claim.withdraw()

    # -- telling, and the end

    def _tell(self, event: Event) -> None:
        if not self._aborted:
            self._listener.tell(event)

    def _fail(self, code: str, message: str) -> None:
        self._failed = True
        self._tell(Failure(code, message))

    def _tell_text_done(self) -> None:
        if not self._text_told:
            self._text_told = True
            self._listener.tell(TextDone(self.text))

    def _end(self) -> None:
        self._disarm()
        for line in self._lines[self._committed :]:
            self._withdraw(line)
        self._tell_text_done()
        if self._plan.voice is not None:
            engines, skipped = tuple(self._engines), tuple(self._skipped)
            self._listener.tell(AudioDone(len(self.chunk_sentences), self.reason, engines, skipped))
        self._listener.tell(Done(self.text, self.reason, self.timings))

    @property
    def reason(self) -> EndReason:
        """Why the reply ended; `complete` while it goes on well."""
        if self._aborted:
            return "aborted"
        return "failed" if self._failed or self._skipped else "complete"

    def _first(self, known_s: float | None) -> float:
        return self._since_arrival() if known_s is None else known_s

    def _since_arrival(self) -> float:
        return self._now() - self._arrived_s


def _sentence_limit(stage: Stage, plan: Plan) -> int:
    """Displayed characters per sentence, so that its spoken form (numbers grow) fits the engine in one call."""
    longest = 300
    if plan.voice is None:
        return longest
    return min(longest, stage.chain.engine(plan.voice.engine).max_chars * 3 // 4)
