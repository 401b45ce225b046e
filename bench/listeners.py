"""Many at once on one process and one voice: who waits for the first sound, and who hears gaps.

Each listener hears an eight- or a twenty-sentence reply of its own at 30 tokens a second; all begin within five
seconds. Beside unavoce, a plain loop for each listener, over one shared voice.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Sequence
from typing import Any

from bench.figures import Heard, Spread
from bench.replies import PACE, REPLIES, tokens_of
from bench.report import Grid, Report
from bench.speakers import ByNarrator, PlainLoop, Speaker, listen, piper_voice
from bench.uncached import UNCACHED
from unavoce import Narrator, Settings

COUNTS = (4, 8, 12)
ARRIVE_WITHIN_S = 5.0
A_GAP_S = 0.1
"""Less silence than this nobody notices between two sentences."""


async def run(repeat: int) -> Report:
    """`repeat` is not used: with many listeners every run holds many measurements."""
    with tempfile.TemporaryDirectory() as folder:
        async with Narrator.from_settings(Settings.model_validate({"data_dir": folder, **UNCACHED})) as narrator:
            loop = PlainLoop(await asyncio.to_thread(piper_voice))
            speakers: dict[str, Speaker] = {"unavoce": ByNarrator(narrator), "plain loop": loop}
            for speaker in speakers.values():
                await listen(speaker, tokens_of(REPLIES["eight"]), None)
            heard = {(count, who): await _crowd(speakers[who], count) for count in COUNTS for who in speakers}
    rows = [[f"{count}, {who}", *_row(crowd)] for (count, who), crowd in heard.items()]
    columns = ["listeners", "first sound, s", "with gaps", "gaps in all, s"]
    grid = Grid("Listeners at once: first sound from the first token, median (lowest-highest)", columns, rows)
    return Report({f"{count} listeners, {who}": _figures(crowd) for (count, who), crowd in heard.items()}, [grid])


async def _crowd(speaker: Speaker, count: int) -> Sequence[Heard]:
    return await asyncio.gather(*(_listener(speaker, number, count) for number in range(count)))


async def _listener(speaker: Speaker, number: int, count: int) -> Heard:
    await asyncio.sleep(number * ARRIVE_WITHIN_S / count)
    return await listen(speaker, tokens_of(own_text(number)), PACE)


def own_text(number: int) -> str:
    """A reply that nobody else hears, so that no clip serves two listeners; odd listeners' are the longer ones."""
    text = REPLIES["twenty" if number % 2 else "eight"]
    return re.sub(r"\.", f", number {number}.", text)


def _row(crowd: Sequence[Heard]) -> list[str]:
    gaps_s = [heard.underrun_s for heard in crowd]
    first_s = Spread.of(heard.first_sound_s for heard in crowd)
    return [first_s.shown(), str(sum(gap_s > A_GAP_S for gap_s in gaps_s)), f"{sum(gaps_s):.1f}"]


def _figures(crowd: Sequence[Heard]) -> dict[str, Any]:
    return {
        "first_sound_s": [heard.first_sound_s for heard in crowd],
        "underrun_s": [heard.underrun_s for heard in crowd],
        "sound_s": sum(heard.sound_s for heard in crowd),
    }
