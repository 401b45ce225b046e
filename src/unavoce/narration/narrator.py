"""The narrator: the pipeline of one reply, from tokens to chunks.

Two tasks do the work, both owned by `run`. *Reading* (`reader`) takes tokens, tells the text and writes the script;
*speaking* (`speaker`) claims the script's sound from the stage and sends it in order. Reading never waits for speaking.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from unavoce.chain.cast import Cast
from unavoce.chain.chain import Casting
from unavoce.narration.events import AudioDone, Done, EndReason, Event, Failure, SentenceCut, TextDone, Timings, Token
from unavoce.narration.foresight import Arrivals
from unavoce.narration.load import Demand
from unavoce.narration.plan import Listener, Plan, longest_sentence
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.reader import Reader
from unavoce.narration.script import Script
from unavoce.narration.speaker import Speaker
from unavoce.narration.stage import Stage
from unavoce.narration.trace import ReplyTrace
from unavoce.text import Sentence, SentenceStream

log = logging.getLogger(__name__)


class ReplyNarrator:
    """Narrates one reply to one listener. Make it, `run` it once, `abort` it at any time."""

    def __init__(self, stage: Stage, plan: Plan, listener: Listener) -> None:
        self._stage = stage
        self._listener = listener
        self._now = asyncio.get_running_loop().time
        self._arrived_s = self._now()
        self._script = Script()
        self._speaker = self._make_speaker(plan, plan.casting) if plan.casting else None
        self._encoder = plan.encoder
        self._reader = self._make_reader(plan)
        self._timings = self._speaker.timings if self._speaker else Timings()
        self._tasks: list[asyncio.Task[None]] = []
        self._text_told = False
        self._aborted = False
        self._failed = False
        self.clock = self._speaker.clock if self._speaker else PlaybackClock()
        engines = self._speaker.engines if self._speaker else ()
        self.trace = ReplyTrace(self._arrived_s, self._timings, self.clock, self._script.traces, engines=engines)

    def _make_speaker(self, plan: Plan, casting: Casting) -> Speaker:
        return Speaker(
            self._stage,
            plan,
            cast=Cast(casting.voices, plan.voice_switch, casting.asking),
            script=self._script,
            listener=self._listener,
            tell=self._tell,
            since_arrival=self._since_arrival,
        )

    def _make_reader(self, plan: Plan) -> Reader:
        voices = plan.casting.voices if plan.casting else ()
        longest = longest_sentence(self._stage.chain.engine(voice.engine) for voice in voices)
        arrivals = Arrivals()
        take = self._speaker.foresight(arrivals) if self._speaker and plan.early_clauses else None
        stream = SentenceStream(plan.language, longest, take)
        return Reader(stream, plan.max_chars, self._tell, self._cut, arrivals, sound_first=self._sound_first)

    def _sound_first(self) -> bool:
        return self._speaker is not None and self._speaker.begins_here

    # -- what the owner sees and does

    @property
    def text(self) -> str:
        """The reply's text so far, as displayed."""
        return self._reader.text

    @property
    def sentences(self) -> list[Sentence]:
        return self._script.sentences

    @property
    def chunk_sentences(self) -> list[int]:
        """The sentence each chunk that was sent belongs to."""
        return self._speaker.chunk_sentences if self._speaker else []

    @property
    def in_synthesis(self) -> int:
        """Sentences of the reply in synthesis."""
        return self._speaker.in_synthesis if self._speaker else 0

    @property
    def demand(self) -> Demand | None:
        """What it still wants of an engine; None where all of its sound is made, or none is wanted."""
        return None if self._aborted or self._speaker is None else self._speaker.demand

    @property
    def text_told(self) -> bool:
        """The whole text is known, and was told."""
        return self._text_told

    @property
    def source_error(self) -> Exception | None:
        """What ended the stream of tokens, unless it just ended."""
        return self._reader.error

    @property
    def aborted(self) -> bool:
        return self._aborted

    @property
    def reason(self) -> EndReason:
        """Why the reply ended; `complete` while it goes on well."""
        if self._aborted:
            return "aborted"
        return "failed" if self._failed else "complete"

    async def run(self, tokens: AsyncGenerator[str, None]) -> None:
        """Narrate `tokens` to the end. Whatever happens, the listener is told exactly one end."""
        try:
            if not self._aborted:
                with self._stage.listening():
                    await self._narrate(tokens)
        except asyncio.CancelledError:
            self._aborted = True
            raise
        except Exception:
            log.exception("narrator_crashed")
            self._tell(Failure("internal", "the server made a mistake; its log says which"))
        finally:
            self._end()

    def abort(self) -> None:
        """Stop now: from here on nothing of the reply leaves but its end."""
        self._aborted = True
        if self.trace.stopped_s is None:
            self.trace.stopped_s = self._now()
        # The tasks themselves, not their group: each must stop at its very next step.
        for task in self._tasks:
            task.cancel()

    async def _narrate(self, tokens: AsyncGenerator[str, None]) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._tasks.append(tasks.create_task(self._read(tokens)))
            if self._speaker is not None:
                self._tasks.append(tasks.create_task(self._encoder.load()))
                self._tasks.append(tasks.create_task(self._speaker.speak()))

    async def _read(self, tokens: AsyncGenerator[str, None]) -> None:
        await self._reader.read(tokens)
        self._script.end()
        self._tell_text_done()

    def _cut(self, sentences: list[Sentence]) -> None:
        """New sentences: they are told, and their sound is claimed."""
        if not sentences:
            return
        self._timings.sentence(self._since_arrival())
        self._script.add(sentences, self._now())
        for sentence in sentences:
            self._tell(SentenceCut(sentence))
        if self._speaker is not None:
            self._speaker.claim_ahead()

    # -- telling, and the end

    def _tell(self, event: Event) -> None:
        if isinstance(event, Failure):
            self._failed = True
        elif isinstance(event, Token):
            self._timings.token(self._since_arrival())
        if not self._aborted:
            self._listener.tell(event)

    def _tell_text_done(self) -> None:
        if not self._text_told:
            self._text_told = True
            self._listener.tell(TextDone(self.text))

    def _end(self) -> None:
        self._reader.stop()
        self._tell_text_done()
        if self._speaker is not None:
            self._speaker.stop()
            self._listener.tell(self._audio_done(self._speaker))
        self.trace.ended = self.reason
        self._listener.tell(Done(self.text, self.reason, self._timings))

    def _audio_done(self, speaker: Speaker) -> AudioDone:
        return AudioDone(len(speaker.chunk_sentences), self.reason, tuple(speaker.engines), tuple(speaker.skipped))

    def _since_arrival(self) -> float:
        return self._now() - self._arrived_s
