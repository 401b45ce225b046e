"""Engines that break to order, and the account of what a listener heard of it. The fallback is the real Piper."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, pairwise
from time import perf_counter

from bench.figures import Arrival, underrun_s
from bench.replies import TokenSource
from unavoce.audio.pcm import Pcm
from unavoce.chain.chain import Chain
from unavoce.chain.health import Measured
from unavoce.engines.base import Emit, Engine, EngineOptions, Voice
from unavoce.engines.fake import FakeEngine, FakeOptions, Script
from unavoce.errors import EngineUnavailable
from unavoce.narration.encoder import Encoder
from unavoce.narration.events import AudioDone, Chunk, Event, SentenceCut
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import REHEARSAL, Stage

PRIMARY, FALLBACK = "primary", "piper"
PIECES = 8
"""In which a primary hands over a sentence that breaks off in the middle."""


# -- who speaks


@dataclass(frozen=True, slots=True)
class Death:
    """The moment at which an engine is gone: call number `call` (from 0) has handed over `pieces`; None: it has ended.

    Whatever it is speaking then breaks off, and it refuses every later call.
    """

    call: int
    pieces: int | None = None


class Primary(FakeEngine):
    """Tones in real time, broken to order; costs no CPU to speak of, as a server elsewhere."""

    name = PRIMARY

    def __init__(self, options: FakeOptions | None = None, script: Script = (), death: Death | None = None) -> None:
        super().__init__(options, script=script)
        self._death = death
        self._dead = False
        self._lives: set[asyncio.Timeout] = set()

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        if self._dead:
            raise EngineUnavailable("connection refused")
        number = len(self.calls)
        try:
            async with asyncio.timeout(None) as life:
                self._lives.add(life)
                await super().synthesise(spoken, voice, partial(self._pass_on, emit, number))
        except TimeoutError:
            raise EngineUnavailable("the connection was lost") from None
        finally:
            self._lives.discard(life)
        if self._death == Death(number):
            self._die()

    def _pass_on(self, emit: Emit, number: int, piece: Pcm) -> None:
        emit(piece)
        if self._death == Death(number, self.calls[number].emitted + 1):
            self._die()

    def _die(self) -> None:
        self._dead = True
        for life in self._lives:
            life.reschedule(asyncio.get_running_loop().time())

    def sound_s(self, spoken: str) -> float:
        """How long `spoken` lasts when nothing breaks."""
        return self.options.s_per_char * len(spoken)

    @property
    def rehearsed(self) -> Measured:
        """What the stage's rehearsal would have measured before it broke."""
        sound_s, options = self.sound_s(REHEARSAL), self.options
        start_s = options.delay_s + options.real_time_factor * sound_s / options.pieces
        return Measured(len(REHEARSAL), start_s, options.delay_s + options.real_time_factor * sound_s, sound_s)

    @property
    def rehearsal(self) -> Pcm:
        return self.tone(REHEARSAL, self.voices()[0])


class Fallback(Engine):
    """A Piper that is started already and stays so, lent to one stage after the other. `asked`: what it was to say."""

    name = FALLBACK
    max_concurrency = 2
    in_process = True

    def __init__(self, piper: Engine, rehearsed: Measured, rehearsal: Pcm) -> None:
        super().__init__(EngineOptions(), None)  # type: ignore[arg-type]  # it uses nothing of the process itself
        self._piper = piper
        self.rehearsed = rehearsed
        self.rehearsal = rehearsal
        self.asked: list[str] = []

    @classmethod
    async def around(cls, piper: Engine) -> Fallback:
        """Starts and warms it, and measures its rehearsal, as a stage would."""
        await piper.start()
        voice = piper.voices()[0]
        parts: list[Pcm] = []
        for _ in range(2):  # the first one warms
            parts.clear()
            began_s = perf_counter()
            await piper.synthesise(REHEARSAL, voice, parts.append)
            took_s = perf_counter() - began_s
        return cls(piper, Measured(len(REHEARSAL), took_s, took_s, parts[0].duration_s), parts[0])

    def again(self) -> Fallback:
        """The same one, asked nothing yet."""
        return Fallback(self._piper, self.rehearsed, self.rehearsal)

    def voices(self) -> Sequence[Voice]:
        return self._piper.voices()

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        self.asked.append(spoken)
        await self._piper.synthesise(spoken, voice, emit)


# -- what was heard


@dataclass(frozen=True, slots=True)
class Part:
    """What a listener heard of one call: about `share` (0 to 1) of `spoken`, from its start."""

    spoken: str
    share: float


def heard_twice(sentence: str, parts: Sequence[Part]) -> list[str]:
    """The stretches of `sentence` that were heard and then said again. Each part's `spoken` is an end of `sentence`.

    Speech is taken to be even: a share of the sound is that share of the characters, which is exact for tones.
    """
    spans = [_span(sentence, part) for part in parts]
    return [sentence[again:until] for (_, until), (again, _) in pairwise(spans) if again < until]


def words_repeated(sentence: str, parts: Sequence[Part]) -> int:
    """Words of which at least half was heard, and which were then said again from the start."""
    spans = [_span(sentence, part) for part in parts]
    words = [match.span() for match in re.finditer(r"\S+", sentence)]
    return sum(
        again <= start and until >= (start + end) / 2
        for (_, until), (again, _) in pairwise(spans)
        for start, end in words
    )


def words_lost(sentence: str, parts: Sequence[Part]) -> int:
    """Words that were not heard whole in any part."""
    spans = [_span(sentence, part) for part in parts]
    words = [match.span() for match in re.finditer(r"\S+", sentence)]
    return sum(not any(begins <= start and end <= until for begins, until in spans) for start, end in words)


def _span(sentence: str, part: Part) -> tuple[int, int]:
    begins = len(sentence) - len(part.spoken)
    return begins, begins + round(len(part.spoken) * min(part.share, 1.0))


@dataclass(frozen=True, slots=True)
class Told:
    """One reply as it was heard."""

    first_sound_s: float
    """From the first token."""
    first_cut_s: float
    """From the first token to the end of the first sentence being known: time-outs count from here."""
    gaps_s: float
    sentences: int
    said: int
    """Whole: ended, and no word lost."""
    changes: int
    """Of the voice."""
    mid_sentence: int
    """Sentences begun in one voice and ended in another."""
    engines: tuple[str, ...]
    repeated: int
    """Words."""
    lost: int
    """Words."""
    skipped: int
    """Sentences."""
    again: tuple[str, ...]
    """Stretches said twice."""


@dataclass
class Ear:
    """Hears one reply at once and notes when."""

    chunks: list[Chunk] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    first_cut_at_s: float | None = None
    end: AudioDone | None = None

    def tell(self, event: Event) -> None:
        if isinstance(event, SentenceCut) and self.first_cut_at_s is None:
            self.first_cut_at_s = perf_counter()
        if isinstance(event, AudioDone):
            self.end = event

    async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
        taken()
        self.chunks.append(chunk)
        self.arrivals.append(Arrival(perf_counter(), chunk.duration_s))


async def tell(tokens: Sequence[str], pace: float | None, fallback: Fallback, primary: Primary | None) -> Told:
    """One reply on a stage of its own that has rehearsed its engines; `primary` None: the fallback alone."""
    fallback = fallback.again()
    chain = Chain([primary, fallback] if primary else [fallback])
    async with Stage(chain, rehearse=False) as stage:
        await asyncio.sleep(0)  # the engines start
        for engine in (fallback, primary) if primary else (fallback,):
            chain.spoke(engine.name, engine.rehearsed)
            stage.levels.learn(engine.voices()[0], engine.rehearsal)
        ear, source = Ear(), TokenSource(tokens, pace)
        plan = Plan(chain.voices_for(chain.find_voice(None)), Encoder(), sent_ahead_s=None)
        narrator = ReplyNarrator(stage, plan, ear)
        await narrator.run(_stream(source))
    return account(ear, source.first_token_s, [one.spoken for one in narrator.sentences], fallback, primary)


async def _stream(source: TokenSource) -> AsyncGenerator[str, None]:
    async for token in source:
        yield token


def account(
    ear: Ear, first_token_s: float, sentences: Sequence[str], fallback: Fallback, primary: Primary | None
) -> Told:
    """What became of each of `sentences`, from the chunks, and from what each engine was asked to say.

    Of a sentence that broke off, the seconds heard tell how far it came. Raises ValueError for a reply without sound.
    """
    if ear.first_cut_at_s is None or not ear.arrivals or ear.end is None:
        raise ValueError("no sound came")
    parts: list[list[Part]] = [[] for _ in sentences]
    for (number, engine), group in groupby(ear.chunks, lambda chunk: (chunk.sentence, chunk.engine)):
        asked = [call.spoken for call in primary.calls] if primary and engine == PRIMARY else fallback.asked
        parts[number].append(_part(list(group), sentences[number], asked, primary))
    lost = [words_lost(*one) for one in zip(sentences, parts, strict=True)]
    voices = [chunk.engine for chunk in ear.chunks]
    return Told(
        first_sound_s=ear.arrivals[0].at_s - first_token_s,
        first_cut_s=ear.first_cut_at_s - first_token_s,
        gaps_s=underrun_s(ear.arrivals),
        sentences=len(sentences),
        said=lost.count(0),
        changes=sum(one != other for one, other in pairwise(voices)),
        mid_sentence=sum(len(one) > 1 for one in parts),
        engines=tuple(dict.fromkeys(voices)),
        repeated=sum(words_repeated(*one) for one in zip(sentences, parts, strict=True)),
        lost=sum(lost),
        skipped=len(ear.end.skipped),
        again=tuple(text for one in zip(sentences, parts, strict=True) for text in heard_twice(*one)),
    )


def _part(chunks: Sequence[Chunk], sentence: str, asked: Sequence[str], primary: Primary | None) -> Part:
    """The call that these chunks came from: the last one for this sentence, or for an end of it."""
    spoken = next(text for text in reversed(asked) if sentence.endswith(text))
    if chunks[-1].last or primary is None:
        return Part(spoken, 1.0)
    return Part(spoken, sum(chunk.duration_s for chunk in chunks) / primary.sound_s(spoken))
