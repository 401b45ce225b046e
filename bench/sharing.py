"""The embedded model and speech on the same cores: what the model's speed suffers, and whether sound starves.

A real server writes a long answer, silent and speaking in turns, with the same number of model threads, and speaking
beside a program that keeps one core busy. What is heard counts only as long as the model writes: a listener who has run
dry at its last token has heard a gap that is not over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.busy import spinning
from bench.end_to_end import LONG, QUESTIONS
from bench.figures import Arrival, Spread, gaps_s, paired_ratio, tokens_per_second
from bench.report import Grid, Report, mark
from bench.serving import Answer, Guest, serving, visiting

SILENT, SPEAKING, BESIDE = "silent", "speaking", "speaking beside another program"
KEEPS = 0.9
"""Of its tokens a second the model keeps at least that while a reply is spoken."""


@dataclass(frozen=True, slots=True)
class Written:
    """One answer while the model wrote it."""

    tokens_per_s: float
    first_sound_s: float | None
    """From the cut of the first sentence; None where no sound came before the text was over."""
    gaps_s: Sequence[float]
    sound_s: float
    """That came meanwhile."""
    lasted_s: float
    """From the first token to the last."""


Turns = Mapping[str, list[Written]]


async def run(repeat: int) -> Report:
    turns: Turns = {SILENT: [], SPEAKING: [], BESIDE: []}
    with TemporaryDirectory() as folder:
        async with serving(Path(folder)) as server, visiting(server.url, Guest) as visitor:
            await visitor.ask(QUESTIONS[0])
            for turn in range(repeat * 2):
                await _take_turn(visitor, turn, turns)
    return report(turns)


async def _take_turn(visitor: Guest, turn: int, turns: Turns) -> None:
    # Who goes first changes, so that neither has the quieter half.
    for speaks in (turn % 2 == 0, turn % 2 == 1):
        answer = await visitor.ask(LONG, speak=speaks, only_text=True)
        turns[SPEAKING if speaks else SILENT].append(written(answer, speaks=speaks))
    with spinning():
        turns[BESIDE].append(written(await visitor.ask(LONG, only_text=True), speaks=True))


def written(answer: Answer, *, speaks: bool) -> Written:
    """What happened until the text was over."""
    tokens_s = answer.token_times_s
    over_s = answer.first("chat:text_done").at_s
    rate = tokens_per_second(len(tokens_s), tokens_s[0], tokens_s[-1])
    lasted_s = tokens_s[-1] - tokens_s[0]
    if not speaks:
        return Written(rate, None, (), 0.0, lasted_s)
    cut_s = answer.first("chat:sentence").at_s
    heard = [arrival for arrival in answer.arrivals_so_far if arrival.at_s <= over_s]
    sound_s = sum(arrival.duration_s for arrival in heard)
    if not heard:
        return Written(rate, None, (over_s - cut_s,), 0.0, lasted_s)
    # A chunk of no length at the end: a listener who is dry by then has heard a gap.
    return Written(rate, heard[0].at_s - cut_s, gaps_s([*heard, Arrival(over_s, 0.0)]), sound_s, lasted_s)


def report(turns: Turns) -> Report:
    figures: dict[str, Any] = {how: [asdict(one) for one in of] for how, of in turns.items()}
    return Report(figures, [_rates_grid(turns), _targets_grid(turns)])


def _rates_grid(turns: Turns) -> Grid:
    rows = [
        [
            how,
            Spread.of(one.tokens_per_s for one in of).shown(1),
            _first_sound(of) if how != SILENT else "",
            f"{max(sum(one.gaps_s) for one in of):.2f}" if how != SILENT else "",
            Spread.of(one.sound_s / one.lasted_s for one in of).shown() if how != SILENT else "",
        ]
        for how, of in turns.items()
    ]
    return Grid(
        "A long answer by the embedded model: median (lowest-highest)",
        ["", "tokens a second", "first sound, s", "gaps, s", "sound meanwhile"],
        rows,
        "first sound: from the cut of the first sentence · gaps: of the worst turn, while the model wrote\n"
        "sound meanwhile: seconds of it that came for each second of writing",
    )


def _first_sound(turns: Sequence[Written]) -> str:
    heard = [one.first_sound_s for one in turns if one.first_sound_s is not None]
    none = len(turns) - len(heard)
    shown = Spread.of(heard).shown() if heard else ""
    return f"{shown} none in {none}".strip() if none else shown


def _targets_grid(turns: Turns) -> Grid:
    kept = paired_ratio(*([one.tokens_per_s for one in turns[how]] for how in (SPEAKING, SILENT)))
    rows = [[f"{SPEAKING} ÷ {SILENT}, tokens a second", kept.shown(), f"≥ {KEEPS:g}", mark(kept.median >= KEEPS)]]
    for how in (SPEAKING, BESIDE):
        worst_s = max(sum(one.gaps_s) for one in turns[how])
        rows.append([f"gaps {how}, the worst turn, s", f"{worst_s:.2f}", "0", mark(worst_s <= 0)])
    return Grid("Targets", ["", "measured", "target", "met"], rows)
