"""When a reply may begin to be heard so that its listener does not run dry later, by what is predicted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MARGIN_S = 0.1
"""Predictions are that much too hopeful now and then."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of one sentence. Seconds; times of any steady clock."""

    sound_s: float
    """How long it lasts."""
    start_s: float
    """From its slot to its first sound."""
    synthesis_s: float
    """From its slot to its end."""
    granted_at_s: float | None = None
    """When it got its slot; None where it has none yet."""
    whole: bool = False
    """All of its sound is there."""


def begin_at_s(sentences: Sequence[Forecast], slots: int, now_s: float) -> float:
    """When the first of `sentences`, which has sound, should begin to play at the earliest; `now_s` or later.

    Each later one has to sound before those ahead of it are over, `slots` of them being made at a time, in order.
    """
    free_s = [now_s] * slots
    begin_s, ahead_s = now_s, sentences[0].sound_s if sentences else 0.0
    for place, sentence in enumerate(sentences):
        ready_s = now_s if sentence.whole else _ready_s(sentence, free_s, now_s)
        if place:
            if ready_s > now_s:
                begin_s = max(begin_s, ready_s + MARGIN_S - ahead_s)
            ahead_s += sentence.sound_s
    return begin_s


def _ready_s(sentence: Forecast, free_s: list[float], now_s: float) -> float:
    """When a sentence sounds; its slot is taken until it is whole."""
    slot = free_s.index(min(free_s))
    granted_at_s = free_s[slot] if sentence.granted_at_s is None else sentence.granted_at_s
    free_s[slot] = max(now_s, granted_at_s + sentence.synthesis_s)
    return max(now_s, granted_at_s + sentence.start_s)
