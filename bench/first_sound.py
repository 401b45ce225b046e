"""How soon a reply is heard, whether it stutters, and what it costs.

Six scripted replies, their tokens all at once and at 30 a second, no language model. unavoce, the plain loop and bare
Piper take turns, so that a busy minute hits them all. The *floor* is the token that completes the first sentence plus
one engine call for that sentence with the machine to itself: only cutting the sentence would bring sound sooner.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from piper import PiperVoice

from bench.figures import Heard, Spread, paired_ratio, token_completing
from bench.replies import PACE, REPLIES, tokens_of
from bench.report import Grid, Report
from bench.speakers import ByNarrator, PlainLoop, Speaker, listen, piper_voice, raw_cpu_per_sound, raw_synthesis_s
from bench.uncached import UNCACHED
from unavoce import Narrator, Settings
from unavoce.composition import build_stage
from unavoce.cores import Cores
from unavoce.engines.base import Engine
from unavoce.text import Sentence, SentenceStream

RAW_CALLS = 3
"""Engine calls per turn; their median is the turn's floor."""
US, LOOP = "unavoce", "plain loop"


@dataclass(slots=True)
class Turns:
    """What was measured of one reply at one pace, turn by turn."""

    heard: Mapping[str, list[Heard]] = field(default_factory=lambda: {US: [], LOOP: []})
    floor_s: list[float] = field(default_factory=list)
    raw_cpu: list[float] = field(default_factory=list)

    def of(self, who: str, figure: str) -> list[float]:
        return [getattr(heard, figure) for heard in self.heard[who]]

    def spread(self, who: str, figure: str) -> Spread:
        return Spread.of(self.of(who, figure))


@dataclass(frozen=True, slots=True)
class Bench:
    speakers: Mapping[str, Speaker]
    engine: Engine
    single: PiperVoice
    """Plain Piper on one thread."""


async def run(repeat: int) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"data_dir": folder, **UNCACHED})
        stage = build_stage(settings, Cores())
        async with Narrator(settings, stage) as narrator:
            speakers: Mapping[str, Speaker] = {
                US: ByNarrator(narrator),
                LOOP: PlainLoop(await asyncio.to_thread(piper_voice)),
            }
            single = await asyncio.to_thread(piper_voice, 1)
            bench = Bench(speakers, stage.chain.engine("piper"), single)
            for speaker in speakers.values():
                await listen(speaker, tokens_of(REPLIES["eight"]), None)
            measured = await _measure(bench, repeat)
    return _report(measured)


Measured = Mapping[tuple[str, float | None], Turns]


async def _measure(bench: Bench, repeat: int) -> Measured:
    # Not for secrets: an order that favours nobody, and the same in every run.
    shuffled = random.Random(1)  # noqa: S311
    measured = {(name, pace): Turns() for pace in (PACE, None) for name in REPLIES}
    for _ in range(repeat):
        for (name, pace), turns in measured.items():
            await _take_turn(bench, tokens_of(REPLIES[name]), pace, turns, shuffled)
    return measured


async def _take_turn(
    bench: Bench, tokens: Sequence[str], pace: float | None, turns: Turns, shuffled: random.Random
) -> None:
    sentences = cut(tokens)
    for who in shuffled.sample(sorted(bench.speakers), len(bench.speakers)):
        turns.heard[who].append(await listen(bench.speakers[who], tokens, pace))
    raw_s = median([await raw_synthesis_s(bench.engine, sentences[0].spoken) for _ in range(RAW_CALLS)])
    complete_s = token_completing(tokens, sentences[0].end) / pace if pace else 0.0
    turns.floor_s.append(complete_s + raw_s)
    spoken = [sentence.spoken for sentence in sentences]
    turns.raw_cpu.append(await asyncio.to_thread(raw_cpu_per_sound, bench.single, spoken))


def cut(tokens: Sequence[str]) -> Sequence[Sentence]:
    stream = SentenceStream("en")
    return [sentence for token in tokens for sentence in stream.feed(token)] + stream.end()


def _report(measured: Measured) -> Report:
    figures = {f"{name}, {_pace(pace)}": _figures(turns) for (name, pace), turns in measured.items()}
    grids = [_first_sound_grid(pace, measured) for pace in (PACE, None)]
    return Report(figures, [*grids, _flow_grid(measured), _cost_grid(measured)])


def _first_sound_grid(pace: float | None, measured: Measured) -> Grid:
    rows = [
        [
            name,
            f"{paired_ratio(turns.of(US, 'first_sound_s'), turns.floor_s).median:.2f}",
            f"{paired_ratio(turns.of(LOOP, 'first_sound_s'), turns.floor_s).median:.2f}",
            turns.spread(US, "first_sound_s").shown(),
            turns.spread(LOOP, "first_sound_s").shown(),
            Spread.of(turns.floor_s).shown(),
        ]
        for (name, of_pace), turns in measured.items()
        if of_pace == pace
    ]
    columns = ["reply", f"{US} ÷ floor", f"{LOOP} ÷ floor", f"{US}, s", f"{LOOP}, s", "floor, s"]
    return Grid(
        f"First sound from the first token, {_pace(pace)}: median (lowest-highest)",
        columns,
        rows,
        "floor: the first sentence is complete, plus one engine call for it alone",
    )


def _flow_grid(measured: Measured) -> Grid:
    rows = [
        [name, _pace(pace), turns.spread(US, "underrun_s").shown(), turns.spread(LOOP, "underrun_s").shown()]
        for (name, pace), turns in measured.items()
    ]
    return Grid("Silent gaps while playing, s", ["reply", "tokens", US, LOOP], rows)


def _cost_grid(measured: Measured) -> Grid:
    rows = [
        [
            name,
            turns.spread(US, "real_time_factor").shown(3),
            turns.spread(LOOP, "real_time_factor").shown(3),
            f"{paired_ratio(turns.of(US, 'cpu_per_sound'), turns.raw_cpu).median:.2f}",
            f"{paired_ratio(turns.of(LOOP, 'cpu_per_sound'), turns.raw_cpu).median:.2f}",
            turns.spread(US, "cpu_per_sound").shown(3),
            turns.spread(LOOP, "cpu_per_sound").shown(3),
            Spread.of(turns.raw_cpu).shown(3),
        ]
        for (name, pace), turns in measured.items()
        if pace is None
    ]
    columns = ["reply", f"RTF {US}", f"RTF {LOOP}", f"CPU {US} ÷ Piper", f"CPU {LOOP} ÷ Piper"]
    costs = [f"CPU {US}", f"CPU {LOOP}", "CPU Piper"]
    return Grid(
        "Real-time factor, and CPU seconds per second of sound; tokens all at once",
        [*columns, *costs],
        rows,
        "Piper: plain, on one thread, the same sentences one after the other",
    )


def _figures(turns: Turns) -> dict[str, object]:
    names = ("first_sound_s", "underrun_s", "real_time_factor", "cpu_per_sound", "sound_s")
    heard = {who: {figure: turns.of(who, figure) for figure in names} for who in turns.heard}
    return {**heard, "floor_s": turns.floor_s, "piper_one_thread_cpu_per_sound": turns.raw_cpu}


def _pace(pace: float | None) -> str:
    return "all at once" if pace is None else f"{pace:g} a second"
