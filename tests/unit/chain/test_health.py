"""Breaker and pace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.chain.health import (
    FAILURES,
    KNOWN_AFTER,
    SECONDS_PER_CHARACTER,
    UNKNOWN_START_S,
    Breaker,
    Measured,
    Pace,
)
from unavoce.chain.trend import Trend
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable, ImplausibleAudio


def test_a_refused_connection_opens_at_once() -> None:
    """An engine that is not there is not asked again; its reason is kept."""
    breaker = Breaker()
    breaker.failed(EngineUnavailable("connection refused"))
    assert breaker.reason == "connection refused"


def test_failures_in_a_row_open_and_one_success_starts_over() -> None:
    """Time-outs and lies open the breaker after a few, and only in a row."""
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed(ImplausibleAudio("silent"))
    breaker.spoke()
    for _ in range(FAILURES - 1):
        breaker.failed(EngineError("cut off"))
    assert breaker.reason is None
    breaker.failed(EngineError("cut off again"))
    assert breaker.reason == "cut off again"
    breaker.spoke()
    assert breaker.reason is None


def test_a_callers_mistake_never_counts() -> None:
    """Text or a voice that an engine refuses says nothing about its health."""
    breaker = Breaker()
    for _ in range(10 * FAILURES):
        breaker.failed(EngineRefused("no such voice"))
    assert breaker.reason is None


def test_pace_follows_what_is_measured() -> None:
    """Averages move towards new measurements; an engine never measured is given the benefit of the doubt."""
    pace = Pace()
    assert (pace.start_s(3.0), pace.sound_s("joe", 1.0, 10)) == (UNKNOWN_START_S, 10 * SECONDS_PER_CHARACTER)
    assert pace.keeps_up(1)
    for _ in range(20):
        pace.measured("joe", 1.0, Measured(characters=100, start_s=2.0, synthesis_s=12.0, sound_s=8.0))
    assert abs(pace.start_s(8.0) - 2.0) < 0.01
    assert abs(pace.sound_s("joe", 1.0, 50) - 4.0) < 0.01
    assert abs(pace.sound_s("joe", 2.0, 50) - 2.0) < 0.01
    assert pace.sound_s("amy", 1.0, 10) == 10 * SECONDS_PER_CHARACTER
    assert not pace.keeps_up(1)
    assert pace.keeps_up(2)


def test_a_clip_that_comes_whole_is_expected_later_the_longer_it_is() -> None:
    """From sentences of several lengths the fixed cost and the cost per second are told apart."""
    pace = Pace()
    for sound_s in (1.0, 6.0, 2.0, 5.0):
        spent_s = 0.3 + 0.9 * sound_s
        pace.measured("joe", 1.0, Measured(int(sound_s * 15), spent_s, spent_s, sound_s))
    assert abs(pace.start_s(3.0) - 3.0) < 0.01
    assert abs((pace.real_time_factor or 0) - (0.3 + 0.9 * 4.0) / 4.0) < 0.01


def test_an_engine_on_the_edge_does_not_flap() -> None:
    """One that became slow holds the pace again only when it is clearly faster."""
    pace = Pace()

    def settle(factor: float) -> bool:
        for _ in range(40):
            pace.measured("joe", 1.0, Measured(60, factor * 4, factor * 4, 4.0))
        return pace.keeps_up(1)

    assert [settle(factor) for factor in (0.9, 1.0, 0.9, 0.8, 0.9)] == [True, False, False, True, True]


def test_another_requests_sound_is_not_believed() -> None:
    """After some clips one far from the voice's usual length is odd; a voice that really changed is believed again."""
    pace = Pace()
    assert pace.odd("joe", 1.0, 80, 60.0) is None
    for _ in range(KNOWN_AFTER):
        pace.measured("joe", 1.0, Measured(80, 0.1, 0.5, 5.0))
    assert pace.odd("joe", 1.0, 80, 4.0) is None
    assert pace.odd("joe", 2.0, 80, 2.5) is None
    assert isinstance(pace.odd("joe", 1.0, 80, 20.0), ImplausibleAudio)
    assert isinstance(pace.odd("joe", 1.0, 80, 1.0), ImplausibleAudio)
    assert pace.odd("amy", 1.0, 80, 20.0) is None
    believed = [pace.odd("joe", 1.0, 80, 25.0) is None for _ in range(10)]
    assert believed[-1]


def test_another_rate_than_before_is_not_believed_at_once() -> None:
    """A voice's rate is what it was, however many sentences bring another at once; a server that has really changed it
    is believed after as many refusals in a row as open the breaker."""
    pace = Pace()
    assert pace.odd_rate("joe", 22_050) is None
    assert pace.odd_rate("amy", 16_000) is None
    refused = [isinstance(pace.odd_rate("joe", 96_000), ImplausibleAudio) for _ in range(FAILURES - 1)]
    assert all(refused)
    assert pace.odd_rate("joe", 22_050) is None
    refused = [isinstance(pace.odd_rate("joe", 96_000), ImplausibleAudio) for _ in range(FAILURES + 1)]
    assert refused == [True] * FAILURES + [False]


def test_how_soon_an_engine_begins_is_told_from_clips_that_were_waited_for() -> None:
    """One that was not waited for may have come in one large part: it counts only until one was."""
    pace = Pace()
    pace.measured("joe", 1.0, Measured(60, start_s=0.5, synthesis_s=0.5, sound_s=4.0, awaited=False))
    assert pace.start_s(4.0) == pytest.approx(0.5)
    pace.measured("joe", 1.0, Measured(60, start_s=0.1, synthesis_s=0.5, sound_s=4.0))
    pace.measured("joe", 1.0, Measured(60, start_s=0.5, synthesis_s=0.5, sound_s=4.0, awaited=False))
    assert pace.start_s(4.0) == pytest.approx(0.1)
    assert pace.synthesis_s(4.0) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.floats(0.05, 30), st.floats(0.0, 40)), min_size=1, max_size=40))
def test_a_trend_never_expects_less_of_more(measured: list[tuple[float, float]]) -> None:
    """Whatever was measured, what is expected is not negative, and not less for a longer clip."""
    trend = Trend()
    assert trend.at(1.0) is None
    for x, y in measured:
        trend.add(x, y)
    expected = [trend.at(x) for x in (0.0, 1.0, 2.0, 100.0)]
    assert all(value is not None and value >= 0 for value in expected)
    assert expected == sorted(expected, key=lambda value: value or 0.0)


@given(st.floats(0, 5), st.floats(0, 3), st.lists(st.floats(0.5, 20), min_size=2, max_size=20))
def test_a_trend_finds_the_line(base: float, slope: float, lengths: list[float]) -> None:
    """Measurements on one line, of lengths that differ, give that line back; of one length, the proportion."""
    trend = Trend()
    for x in lengths:
        trend.add(x, base + slope * x)
    newest = lengths[-1]
    at_newest = trend.at(newest)
    assert at_newest is not None
    if max(lengths[-2:]) > 3 * min(lengths[-2:]):
        assert abs(at_newest - (base + slope * newest)) < 1e-6 * max(1.0, at_newest) + 1e-4
