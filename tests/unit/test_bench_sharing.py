"""Model and speech on the same cores, from events that are given. Nothing here measures time."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from bench.serving import Answer, Came
from bench.sharing import BESIDE, SILENT, SPEAKING, Written, report, written


def answer(chunks: Sequence[tuple[float, float]], *, over_s: float = 14.0) -> Answer:
    """Eleven tokens a tenth of a second apart, the first sentence cut at 11 s, chunks as given, the text over."""
    events = [
        *(Came(10.0 + number / 10, "chat:token", {}) for number in range(11)),
        Came(11.0, "chat:sentence", {}),
        *(Came(at_s, "chat:audio_chunk", {"durationMs": duration_s * 1000}) for at_s, duration_s in chunks),
        Came(over_s, "chat:text_done", {}),
    ]
    return Answer(9.0, sorted(events, key=lambda event: event.at_s))


def test_only_what_came_while_the_model_wrote_counts() -> None:
    """Rate, first sound from the cut, and the sound that came before the text was over."""
    one = written(answer([(11.5, 2.0), (13.0, 2.0), (15.0, 9.0)]), speaks=True)
    assert one == Written(pytest.approx(10.0), pytest.approx(0.5), [], 4.0, pytest.approx(1.0))


def test_a_listener_who_is_dry_when_the_text_is_over_heard_a_gap() -> None:
    """Although no later chunk tells of it: two seconds between the last sound and the end of the text."""
    one = written(answer([(11.5, 0.5), (17.0, 1.0)]), speaks=True)
    assert one.gaps_s == pytest.approx([2.0])


def test_sound_that_starved_altogether_is_told() -> None:
    """No sound before the text was over: no first sound, and a gap from the cut on."""
    one = written(answer([]), speaks=True)
    assert one.first_sound_s is None
    assert one.gaps_s == pytest.approx([3.0])


def test_a_silent_answer_has_a_rate_and_nothing_else() -> None:
    """Nobody listens, so nobody hears a gap."""
    one = written(answer([]), speaks=False)
    assert (one.tokens_per_s, one.gaps_s, one.sound_s) == (pytest.approx(10.0), (), 0.0)


def test_targets_are_marked_turn_by_turn() -> None:
    """A model that keeps nine tenths of its speed in the middle turn, and a gap beside another program only."""
    silent = [Written(rate, None, (), 0.0, 4.0) for rate in (100.0, 50.0, 80.0)]
    speaking = [Written(rate, 0.3, (), 8.0, 4.0) for rate in (80.0, 46.0, 76.0)]
    beside = [Written(30.0, 0.3, (0.5,), 8.0, 4.0), Written(30.0, None, (1.0,), 0.0, 4.0)]
    told = report({SILENT: silent, SPEAKING: speaking, BESIDE: beside})
    assert [row[-1] for row in told.grids[1].rows] == ["✓", "✓", "✗"]
    assert told.grids[1].rows[0][1] == "0.92 (0.80-0.95)"
    assert told.grids[0].rows[2][1:4] == ["30.0 (30.0-30.0)", "0.30 (0.30-0.30) none in 1", "1.00"]
    json.dumps(told.figures)
