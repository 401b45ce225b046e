"""What decided the windows of a streamed sentence (`unavoce.engines.piper_windows`): each constant at other values.

Two listeners: one who has heard nothing yet, through the whole pipeline, and one with ten seconds in hand, whose
largest step is how long someone more urgent has to wait.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

from bench.figures import gaps_s
from bench.replies import tokens_of
from bench.speakers import ByNarrator, listen, narrating
from bench.tables import Table, add
from unavoce import Narrator
from unavoce.engines import piper_windows
from unavoce.engines.base import SteppedEngine
from unavoce.errors import EngineUnavailable

TEXT = (
    "They borrowed a cart, a horse and a great deal of patience from the farmer next door. "
    "Neither of them had ever laid a brick before. By the end of May the walls stood as high as a man."
)
IN_HAND_S = 10.0
WHOLE_LEAST = 1_000_000
"""Frames: no sentence has as many, so that its rest is always spoken at once."""
WAYS: Mapping[str, Mapping[str, Any]] = {
    "as they are": {"GROWTH": piper_windows.GROWTH},
    "whole sentences": {"LEAST": WHOLE_LEAST},
    "0.13 s kept back": {"KEPT_BACK_S": 0.13},
    "0.52 s kept back": {"KEPT_BACK_S": 0.52},
    "each as long as all before": {"GROWTH": 1},
    "each four times as long": {"GROWTH": 4},
    "at most 3 s": {"LARGEST_S": 3.0},
    "at most 6 s": {"LARGEST_S": 6.0},
    "all of what is in hand": {"SHARE": 1.0},
}


async def windows(folder: Path, repeat: int) -> Table:
    table: Table = {name: {} for name in WAYS}
    shuffled = random.Random(1)  # noqa: S311 - not for secrets: an order that favours nobody
    async with narrating(folder) as (narrator, engine):
        if engine.detail:
            raise EngineUnavailable(f"piper {engine.detail}")
        await listen(ByNarrator(narrator), tokens_of(TEXT), None)
        for _ in range(repeat * 2):
            for name in shuffled.sample(list(WAYS), len(WAYS)):
                with patch.multiple(piper_windows, **WAYS[name]):
                    await _waiting(narrator, table, name)
                    await _in_hand(engine, table, name)
    return table


async def _waiting(narrator: Narrator, table: Table, name: str) -> None:
    heard = await listen(ByNarrator(narrator), tokens_of(TEXT), None)
    add(table, name, "first sound, s", heard.first_sound_s)
    add(table, name, "gaps, s", sum(gaps_s(heard.arrivals)))
    add(table, name, "CPU s per s of sound", heard.cpu_per_sound)


async def _in_hand(engine: SteppedEngine, table: Table, name: str) -> None:
    """The text in one go, for a listener who has enough for now: what it costs, and its longest step."""
    began_s, cpu_before_s, sound_s, longest_s = perf_counter(), process_time(), 0.0, 0.0
    async for sound, _ in engine.steps(TEXT, engine.voices()[0], lambda: IN_HAND_S):
        longest_s = max(longest_s, perf_counter() - began_s)
        began_s = perf_counter()
        sound_s += sound.duration_s if sound is not None else 0.0
    add(table, name, f"{IN_HAND_S:g} s in hand: longest step, s", longest_s)
    add(table, name, "CPU s per s of sound then", (process_time() - cpu_before_s) / sound_s)
