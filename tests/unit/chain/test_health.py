"""Breaker and pace."""

from __future__ import annotations

from unavoce.chain.health import FAILURES, SECONDS_PER_CHARACTER, UNKNOWN_START_S, Breaker, Measured, Pace
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
    assert (pace.start_s, pace.sound_s(10)) == (UNKNOWN_START_S, 10 * SECONDS_PER_CHARACTER)
    assert pace.keeps_up(1)
    for _ in range(20):
        pace.measured(Measured(characters=100, start_s=2.0, synthesis_s=12.0, sound_s=8.0))
    assert abs(pace.start_s - 2.0) < 0.01
    assert abs(pace.sound_s(50) - 4.0) < 0.01
    assert not pace.keeps_up(1)
    assert pace.keeps_up(2)
