"""How soon an abort frees its engine slot: from the moment a sentence in synthesis is given up until its slot is free.

Long sentences by Piper, stopped at random moments, so in the encoder, in a window of the decoder and between the two:
one by one, side by side with others that wait in line, and at a low priority beside a language model that writes; each
of these also while another program keeps a core busy.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final

from bench.busy import spinning
from bench.figures import percentile
from bench.long_replies import new_text
from bench.report import Grid, Report, mark
from bench.uncached import UNCACHED
from unavoce import Settings
from unavoce.composition import build_stage
from unavoce.cores import Cores
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim

WITHIN_MS: Final = 50.0
EACH: Final = 20
"""Aborts of each kind in a turn."""
SENTENCES: Final = 5
"""As one text for the engine: a second and a half of work, so that hardly any is over before it is stopped."""
AFTER_S: Final = 0.4
"""A sentence is stopped so long after it got its slot, at most."""
IN_HAND_S: Final = 30.0
"""Of a listener for whom speech may keep its priority low."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`begun`: sentences in synthesis; `waiting`: in line behind them; `writing`: a language model is at work."""

    begun: int
    waiting: int = 0
    writing: bool = False


async def run(repeat: int) -> Report:
    freed_ms: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        cores = Cores(model_here=True)
        async with staging(folder, cores) as stage:
            for _ in range(repeat):
                for name, kind in kinds(cores).items():
                    for beside in (False, True):
                        with spinning() if beside else nullcontext():
                            shown = f"{name}, beside a busy program" if beside else name
                            freed_ms.setdefault(shown, []).extend(await _aborts(stage, cores, kind))
    return Report({"freed_ms": freed_ms}, [_grid(freed_ms)])


def kinds(cores: Cores) -> Mapping[str, Kind]:
    slots = cores.count + 1
    return {
        "alone": Kind(1),
        "side by side, others in line": Kind(slots, waiting=slots),
        "side by side, a model writes": Kind(slots, writing=True),
    }


@asynccontextmanager
async def staging(folder: str, cores: Cores) -> AsyncIterator[Stage]:
    """Piper's stage, with both of its sessions loaded."""
    settings = Settings.model_validate({"data_dir": folder, **UNCACHED})
    async with build_stage(settings, cores) as stage:
        await stage.chain.started("piper")
        await _aborts(stage, cores, Kind(cores.count))
        yield stage


async def _aborts(stage: Stage, cores: Cores, kind: Kind) -> Sequence[float]:
    """Milliseconds from each abort to its slot's coming free."""
    chance = random.Random(kind.begun)  # noqa: S311 - the same moments in every run, on purpose
    freed_ms = []
    with cores.generation() if kind.writing else nullcontext():
        for _ in range(EACH):
            with _claimed(stage, kind, chance) as claims:
                await asyncio.sleep(chance.uniform(0, AFTER_S))
                held = [one for one in claims if one.synthesis.task and not one.done]
                if held:
                    freed_ms.append(await _freed_ms(chance.choice(held)))
            await _all_free(stage)
    return freed_ms


@contextmanager
def _claimed(stage: Stage, kind: Kind, chance: random.Random) -> Iterator[Sequence[Claim]]:
    voice = stage.chain.engine("piper").voices()[0]
    due_s = asyncio.get_running_loop().time() + IN_HAND_S
    texts = [new_text(chance, SENTENCES) for _ in range(kind.begun + kind.waiting)]
    claims = [stage.claim(voice, text, due_s, lambda: None, fresh=True) for text in texts]
    try:
        yield claims
    finally:
        for claim in claims:
            claim.withdraw()


async def _freed_ms(claim: Claim) -> float:
    """The slot is free when the task that held it is over: the thread has left the computation by then."""
    task = claim.synthesis.task
    assert task is not None
    ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    task.add_done_callback(lambda _: ended.set_result(perf_counter()))
    began_s = perf_counter()
    claim.withdraw()
    return (await ended - began_s) * 1000


async def _all_free(stage: Stage) -> None:
    while stage.running or stage.waiting:  # noqa: ASYNC110 - the stage does not say when that changes
        await asyncio.sleep(0.01)


def _grid(freed_ms: Mapping[str, Sequence[float]]) -> Grid:
    rows = [
        [
            name,
            str(len(of_kind)),
            f"{median(of_kind):.1f}",
            f"{percentile(of_kind, 0.99):.1f}",
            f"{max(of_kind):.1f}",
            mark(max(of_kind) <= WITHIN_MS),
        ]
        for name, of_kind in freed_ms.items()
    ]
    columns = ["", "aborts", "median, ms", "99th percentile", "longest", f"≤ {WITHIN_MS:g}"]
    return Grid("From an abort until its engine slot is free", columns, rows)
