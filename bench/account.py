"""What a listener heard of a reply whose engines broke: the account of its sentences and words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from time import perf_counter

from bench.figures import Arrival, underrun_s
from unavoce.narration.events import AudioDone, Chunk, Event, SentenceCut


@dataclass(frozen=True, slots=True)
class Said:
    """What an engine made of one call: `sound_s` of the `whole_s` that `spoken` lasts."""

    spoken: str
    sound_s: float
    whole_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """What a listener heard of one call: about `share` (0 to 1) of `spoken`, from its start."""

    spoken: str
    share: float


def heard_twice(sentence: str, parts: Sequence[Part]) -> list[str]:
    """The stretches of `sentence` that were heard and then said again. Each part's `spoken` stands in `sentence`.

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
    begins = sentence.rindex(part.spoken)
    return begins, begins + round(len(part.spoken) * min(part.share, 1.0))


TRIMMED = 0.9
"""Of a part's sound that at least leaves when all of it does."""


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


def account(ear: Ear, first_token_s: float, sentences: Sequence[str], calls: Mapping[str, Sequence[Said]]) -> Told:
    """What became of each of `sentences`, from the chunks, and from what each engine was asked to say (by its name).

    Of a sentence that broke off, the seconds heard tell how far it came. Raises ValueError for a reply without sound.
    """
    if ear.first_cut_at_s is None or not ear.arrivals or ear.end is None:
        raise ValueError("no sound came")
    parts: list[list[Part]] = [[] for _ in sentences]
    for (number, engine), group in groupby(ear.chunks, lambda chunk: (chunk.sentence, chunk.engine)):
        chunks = list(group)
        heard_s = sum(chunk.duration_s for chunk in chunks)
        parts[number] += heard_of(sentences[number], calls[engine], heard_s, to_its_end=chunks[-1].last)
    lost = [words_lost(*one) for one in zip(sentences, parts, strict=True)]
    voices = [chunk.engine for chunk in ear.chunks]
    voices_of = {(chunk.sentence, chunk.engine) for chunk in ear.chunks}
    return Told(
        first_sound_s=ear.arrivals[0].at_s - first_token_s,
        first_cut_s=ear.first_cut_at_s - first_token_s,
        gaps_s=underrun_s(ear.arrivals),
        sentences=len(sentences),
        said=lost.count(0),
        changes=sum(one != other for one, other in pairwise(voices)),
        mid_sentence=len(voices_of) - len({number for number, _ in voices_of}),
        engines=tuple(dict.fromkeys(voices)),
        repeated=sum(words_repeated(*one) for one in zip(sentences, parts, strict=True)),
        lost=sum(lost),
        skipped=len(ear.end.skipped),
        again=tuple(text for one in zip(sentences, parts, strict=True) for text in heard_twice(*one)),
    )


def heard_of(sentence: str, said: Sequence[Said], heard_s: float, *, to_its_end: bool) -> list[Part]:
    """What an engine's calls for `sentence` gave the listener, who heard `heard_s` of it, `to_its_end` or not.

    There may be several, for pieces of it or since one broke off; they were heard in the order they were asked in.
    """
    # The first part of a parted sentence is read with a comma of its own.
    texts = [(call, call.spoken if call.spoken in sentence else call.spoken.removesuffix(",")) for call in said]
    parts: list[Part] = []
    for call, spoken in texts:
        if spoken not in sentence or call.sound_s <= 0:
            continue
        share = min(heard_s, call.sound_s) / call.whole_s
        # Edges are trimmed: of a part that another follows, a little less is heard than was made.
        parts.append(Part(spoken, 1.0 if spoken != call.spoken and share > TRIMMED else share))
        heard_s = max(0.0, heard_s - call.sound_s)
    if to_its_end and parts:
        parts[-1] = Part(parts[-1].spoken, 1.0)  # edges are trimmed, so that a little less is heard than was made
    return parts
