"""How soon a reply is heard, whether it stutters, and what it costs.

Six scripted replies, their tokens all at once and at 30 a second, no language model. unavoce, the plain loop and bare
Piper take turns, so that a busy minute hits them all. The *floor* is the token with which the first piece (a sentence,
or the beginning of a long one) can be known to be complete, plus what the engine alone takes until its first sound of
that piece: encoder and first window, with the machine to itself. unavoce also speaks *beside another*: a program that
keeps one core busy. Where `BENCH_PEER_PYTHON` names a Python that has RealtimeTTS, that speaks in turns with them too.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

from piper import PiperVoice

from bench.busy import spinning
from bench.figures import Heard
from bench.first_sound_report import LOOP, US, Measured, Turns, report
from bench.replies import PACE, REPLIES, tokens_of
from bench.report import Report
from bench.rival import Rival, rival
from bench.speakers import (
    ByNarrator,
    PlainLoop,
    Speaker,
    listen,
    narrating,
    noting_asked,
    piper_voice,
    raw_cpu_per_sound,
    raw_first_sound_s,
)
from unavoce.engines.base import SteppedEngine
from unavoce.text import Sentence, SentenceStream
from unavoce.text.parting import Take

LOOKS = 8
"""More often than that no sentence is looked at for a place where its beginning ends."""
RAW_CALLS = 3
"""Engine calls per turn; their median is the turn's floor."""


@dataclass(frozen=True, slots=True)
class Bench:
    speakers: Mapping[str, Speaker]
    engine: SteppedEngine
    single: PiperVoice
    """Plain Piper on one thread."""
    rival: Rival | None


async def run(repeat: int) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        async with narrating(folder) as (narrator, engine), rival() as peer:
            loop = PlainLoop(await asyncio.to_thread(piper_voice))
            single = await asyncio.to_thread(piper_voice, 1)
            bench = Bench({US: ByNarrator(narrator), LOOP: loop}, engine, single, peer)
            for speaker in bench.speakers.values():
                await listen(speaker, tokens_of(REPLIES["eight"]), None)
            if peer:
                await peer.first_sound_s(tokens_of(REPLIES["eight"]))
            measured = await _measure(bench, repeat)
            return report(measured, engine.detail)


async def _measure(bench: Bench, repeat: int) -> Measured:
    # Not for secrets: an order that favours nobody, and the same in every run.
    shuffled = random.Random(1)  # noqa: S311
    measured = {(name, pace): Turns() for pace in (PACE, None) for name in REPLIES}
    for _ in range(repeat):
        for (name, pace), turns in measured.items():
            await _take_turn(bench, tokens_of(REPLIES[name]), pace, turns, shuffled)
        with spinning():
            for (name, pace), turns in measured.items():
                turns.beside_another.append(await listen(bench.speakers[US], tokens_of(REPLIES[name]), pace))
    return measured


async def _take_turn(
    bench: Bench, tokens: Sequence[str], pace: float | None, turns: Turns, shuffled: random.Random
) -> None:
    asked: Sequence[str] = ()
    for who in shuffled.sample(sorted(bench.speakers), len(bench.speakers)):
        heard, of_engine = await _listen(bench, who, tokens, pace)
        turns.heard[who].append(heard)
        asked = of_engine or asked
    raw_s = median([await raw_first_sound_s(bench.engine, asked[0]) for _ in range(RAW_CALLS)])
    turns.first_pieces.append(asked[0])
    turns.floor_s.append((known_with(tokens, asked[0]) / pace if pace else 0.0) + raw_s)
    turns.engine_s.append(raw_s)
    turns.raw_cpu.append(await asyncio.to_thread(raw_cpu_per_sound, bench.single, asked))
    if bench.rival and pace is None:
        turns.rival_s.append(await bench.rival.first_sound_s(tokens))


async def _listen(bench: Bench, who: str, tokens: Sequence[str], pace: float | None) -> tuple[Heard, Sequence[str]]:
    """One reply, and the pieces that the engine was asked for."""
    with noting_asked(bench.engine) as asked:
        heard = await listen(bench.speakers[who], tokens, pace)
    return heard, asked


def cut(tokens: Sequence[str]) -> Sequence[Sentence]:
    stream = SentenceStream("en")
    return [sentence for token in tokens for sentence in stream.feed(token)] + stream.end()


def known_with(tokens: Sequence[str], piece: str) -> int:
    """Index of the token with which the reply's first piece, as it is spoken, can be known to be complete.

    A stop may be part of "3.50", so that is often the token after it. Raises ValueError where the reply does not begin
    with that piece.
    """
    for stream in (SentenceStream("en"), *(SentenceStream("en", take=_only(number)) for number in range(LOOKS))):
        found = (first for first in _first_sentences(stream, tokens) if first[1].spoken == piece)
        if (first := next(found, None)) is not None:
            return first[0]
    raise ValueError("the reply does not begin with that piece")


def _first_sentences(stream: SentenceStream, tokens: Sequence[str]) -> Iterator[tuple[int, Sentence]]:
    """The first sentence, beside the index of the token with which the cutter gives it; one at most."""
    for index, token in enumerate(tokens):
        if sentences := stream.feed(token):
            yield index, sentences[0]
            return
    if sentences := stream.end():
        yield len(tokens) - 1, sentences[0]


def _only(number: int) -> Take:
    """Parts a long sentence where it could be parted for the time `number` (from 0), and not before."""
    offers = count()
    return lambda _: next(offers) == number
