"""When an engine breaks: how soon, how smoothly and how completely a reply is heard all the same.

The primary is scripted (tones, in real time), so that what breaks is exact; the fallback is the real Piper in this
process. Each turn has a stage of its own, whose engines have rehearsed, with default settings. *First sound* counts
from the first token. *Gaps* are silence while playing, for a listener who plays each chunk as soon as it can. A
sentence is *said* when every word of it was heard. *Words twice* were heard before an engine broke off, and said again
by whoever went on: the seconds sent of what the engine was asked to say tell how far the listener came, and what the
next engine was asked to say tells where it began again.

Nothing is asserted: the last column is a mark for the reader.
"""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.account import Told
from bench.breakage import PIECES, PRIMARY, Death, Fallback, Primary, tell
from bench.replies import PACE, REPLIES, tokens_of
from bench.report import Grid, Report
from unavoce import Settings
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.fake import FakeOptions, Step
from unavoce.engines.piper import PiperEngine, PiperOptions
from unavoce.errors import EngineUnavailable

NEAR_S = 0.1
"""As good as the fallback's own first sound, or as the time-out."""
A_GAP_S = 0.1
"""Less silence than this nobody notices between two sentences."""
BREAKS_OFF_AFTER = 5
"""Of a sentence's eight pieces."""
TIMEOUT_S: float = Settings.model_fields["primary_timeout_s"].default

Check = Callable[[Told, Told], bool]
"""Whether a reply was told as it should be; beside it the same reply by the fallback alone, of the same turn."""


@dataclass(frozen=True, slots=True)
class Target:
    shown: str
    met: Check


@dataclass(frozen=True, slots=True)
class Case:
    """What breaks. `primary` makes a new one for each turn from the number of the sentence to break in."""

    name: str
    primary: Callable[[int], Primary | None]
    target: Target | None
    varies: bool = False
    """What it costs is a few hundredths of a second, to be told from noise: it takes all turns that were asked for."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A reply and how its tokens come. `breaks_in`: the sentence in which an engine breaks off, from 0."""

    reply: str
    pace: float | None
    breaks_in: int
    turns: int | None = None
    """Of what takes long and varies little; None: as many as were asked for."""

    @property
    def shown(self) -> str:
        return self.reply.split()[0] + ("*" if self.pace is None else "")


def _whole(told: Told) -> bool:
    return told.said == told.sentences and told.skipped == 0


def _steady(told: Told) -> bool:
    return _whole(told) and told.gaps_s < A_GAP_S


def _clause_at_most(told: Told) -> bool:
    return all(re.search(r"[,;:.!?…—–]\s+\S", text) is None for text in told.again)  # noqa: RUF001 - a dash


NO_LATER = Target(
    f"Piper + {NEAR_S:g} s",
    lambda told, alone: _whole(told) and told.first_sound_s <= alone.first_sound_s + NEAR_S,
)
BY_TIMEOUT = Target(
    f"cut + {TIMEOUT_S + NEAR_S:g} s",
    lambda told, _: _whole(told) and told.first_sound_s - told.first_cut_s <= TIMEOUT_S + NEAR_S,
)
AT_A_SENTENCE = Target("one switch", lambda told, _: _steady(told) and told.changes <= 1 and not told.mid_sentence)
AT_A_CLAUSE = Target("one clause", lambda told, _: _whole(told) and told.changes <= 1 and _clause_at_most(told))
STEADY = Target("steady", lambda told, _: _steady(told) and told.changes <= 1)
STEADY_PRIMARY = Target("primary", lambda told, _: _steady(told) and told.engines == (PRIMARY,))

REFUSING = Step(delay_s=0.0, fail_after=0, error=EngineUnavailable)


def _slow(slots: int) -> Callable[[int], Primary]:
    return lambda _: Primary(FakeOptions(delay_s=0.3, real_time_factor=0.9, max_concurrency=slots))


ALONE = Case("Piper alone", lambda _: None, None)
BREAKING: Sequence[Case] = (
    Case("refuses", lambda _: Primary(script=lambda *_: REFUSING), NO_LATER, varies=True),
    Case("hangs", lambda _: Primary(script=lambda *_: Step(hang_after=0)), BY_TIMEOUT),
    Case("dies between", lambda _: Primary(death=Death(call=0)), AT_A_SENTENCE),
    Case(
        "breaks off",
        lambda number: Primary(FakeOptions(pieces=PIECES), death=Death(number, BREAKS_OFF_AFTER)),
        AT_A_CLAUSE,
    ),
)
SLOW_BY_ONE = Case("slow, by one", _slow(1), STEADY)
SLOW_BY_TWO = Case("slow, by two", _slow(2), STEADY_PRIMARY)
CASES = (ALONE, *BREAKING, SLOW_BY_ONE, SLOW_BY_TWO)

SETTINGS: Sequence[Setting] = (
    Setting("three sentences", PACE, 1),
    Setting("eight", PACE, 2, turns=1),
    Setting("twenty", None, 2, turns=1),
)
SLOW_SETTINGS = tuple(Setting(name, PACE, 0) for name in ("three sentences", "eight", "twenty"))

NOTE = f"""{PACE:g} tokens a second, * all at once · first: sound, s from the first token · said: sentences, whole
dies between: after its first sentence · breaks off: in mid-sentence, {BREAKS_OFF_AFTER} of {PIECES} pieces sent
slow: a call takes 0.3 s + 0.9 x its sound, one or two calls at a time · twice: words heard and said again
cut: when the first sentence was there; then the time-out of {TIMEOUT_S:g} s · steady: whole, no gap of {A_GAP_S:g} s
one switch: steady, the voice changes once at most, between sentences · one clause: whole, at most that said twice
primary: steady, and all of it in the primary's voice"""

Turns = Mapping[tuple[Case, Setting], Sequence[tuple[Told, Told]]]
"""What was told, each beside the same reply by the fallback alone in the same turn."""


async def run(repeat: int) -> Report:
    with tempfile.TemporaryDirectory() as folder, _without_warnings():
        piper = PiperEngine(PiperOptions(), EngineContext(Path(folder), Cores()))
        try:
            fallback = await Fallback.around(piper)
            await _tell(ALONE, SETTINGS[0], fallback)  # warms all that is not the engine
            turns = {**await _break(fallback, repeat), **await _slow_down(fallback)}
        finally:
            await piper.close()
    return Report(_figures(turns), [grid(turns)])


async def _break(fallback: Fallback, repeat: int) -> Turns:
    """All cases take turns, so that a busy minute hits them all."""
    turns: dict[tuple[Case, Setting], list[tuple[Told, Told]]] = {
        (case, setting): [] for case in (ALONE, *BREAKING) for setting in SETTINGS
    }
    for setting in SETTINGS:
        for turn in range(repeat):
            alone = await _tell(ALONE, setting, fallback)
            turns[ALONE, setting].append((alone, alone))
            for case in BREAKING:
                if case.varies or setting.turns is None or turn < setting.turns:
                    turns[case, setting].append((await _tell(case, setting, fallback), alone))
    return turns


async def _slow_down(fallback: Fallback) -> Turns:
    """Once each: these take half as long as their sound, and what they wait for is scripted to the millisecond.

    Two at a time, the three replies run side by side: as long as it is the primary that is heard, they cost no CPU.
    """
    by_one = [await _tell(SLOW_BY_ONE, setting, fallback) for setting in SLOW_SETTINGS]
    by_two = await asyncio.gather(*(_tell(SLOW_BY_TWO, setting, fallback) for setting in SLOW_SETTINGS))
    told = {SLOW_BY_ONE: by_one, SLOW_BY_TWO: by_two}
    return {
        (case, setting): [(one, one)]
        for case, replies in told.items()
        for setting, one in zip(SLOW_SETTINGS, replies, strict=True)
    }


async def _tell(case: Case, setting: Setting, fallback: Fallback) -> Told:
    return await tell(tokens_of(REPLIES[setting.reply]), setting.pace, fallback, case.primary(setting.breaks_in))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Engines are broken on purpose here: nobody needs to read about it between the tables."""
    log = logging.getLogger("unavoce")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


# -- the table


def grid(turns: Turns) -> Grid:
    columns = ["the primary", "reply", "first", "gaps", "said", "changes", "heard"]
    return Grid(
        "When an engine breaks: the median first sound, of all else the worst turn",
        [*columns, "twice", "skipped", "target", "met"],
        [row(case, setting, turns[case, setting]) for case, setting in turns],
        NOTE,
    )


def row(case: Case, setting: Setting, pairs: Sequence[tuple[Told, Told]]) -> Sequence[str]:
    told = [one for one, _ in pairs]
    return [
        case.name,
        setting.shown,
        f"{median(one.first_sound_s for one in told):.2f}",
        f"{max(one.gaps_s for one in told):.2f}",
        f"{min(one.said for one in told)}/{told[0].sentences}",
        str(max(one.changes for one in told)),
        ", ".join(dict.fromkeys(engine for one in told for engine in one.engines)),
        str(max(one.repeated for one in told)),
        str(max(one.skipped for one in told)),
        case.target.shown if case.target else "",
        mark(case.target, pairs),
    ]


def mark(target: Target | None, pairs: Sequence[tuple[Told, Told]]) -> str:
    """✓ where the target was met, else in how many of the turns. Seconds to the first sound count by their median."""
    if target is None:
        return ""
    met = _met(target, pairs)
    return "✓" if all(met) else f"✗ {sum(met)}/{len(met)}"


def _met(target: Target, pairs: Sequence[tuple[Told, Told]]) -> Sequence[bool]:
    """Turn by turn."""
    told, alone = ([_at_median(one, side) for one in side] for side in zip(*pairs, strict=True))
    return [target.met(one, other) for one, other in zip(told, alone, strict=True)]


def _at_median(told: Told, turns: Sequence[Told]) -> Told:
    first_s, cut_s = median(one.first_sound_s for one in turns), median(one.first_cut_s for one in turns)
    return replace(told, first_sound_s=first_s, first_cut_s=cut_s)


def _figures(turns: Turns) -> Mapping[str, Any]:
    return {
        f"{case.name}; {setting.shown}": {
            "target": case.target.shown if case.target else None,
            "met": _met(case.target, pairs) if case.target else None,
            "turns": [asdict(told) for told, _ in pairs],
        }
        for (case, setting), pairs in turns.items()
    }
