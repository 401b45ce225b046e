"""How many listeners were served, from arrivals that are given. Nothing here measures time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import pytest
from bench.crowd import ARRIVE_WITHIN_S, MOST, Crowd, Listener, moments_s, own_text
from bench.figures import Arrival, gaps_s, percentile, silences_s, underrun_s
from bench.first_sound import cut
from bench.listeners import COUNTS, wanted
from bench.listeners_report import FIFO, US, Run, most_without_gaps, report
from bench.replies import tokens_of
from hypothesis import given
from hypothesis import strategies as st

STEADY = (Arrival(1.0, 2.0), Arrival(1.5, 2.0))
BROKEN = (Arrival(1.0, 2.0), Arrival(3.5, 2.0))


def listener(arrivals: Sequence[Arrival] = STEADY, *, reason: str = "complete", refused: str = "") -> Listener:
    return Listener(0, refused, first_token_s=0.2, cut_s=0.7, arrivals=list(arrivals), reason=reason)


def crowd(*listeners: Listener) -> Run:
    return Run(Crowd(listeners, wall_s=40.0, cpu_s=4.0), cores=2, piper_cpu=0.1, server_cpu_s=3.2)


def test_a_silence_that_nobody_notices_is_no_gap() -> None:
    """Of three silences the one of 15 ms counts as silence, but not as a gap."""
    arrivals = [Arrival(0.0, 1.0), Arrival(1.015, 1.0), Arrival(2.1, 1.0), Arrival(4.0, 1.0)]
    assert silences_s(arrivals) == pytest.approx([0.015, 0.085, 0.9])
    assert gaps_s(arrivals) == pytest.approx([0.085, 0.9])
    assert underrun_s(arrivals) == pytest.approx(1.0)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=300), st.floats(0.01, 1.0))
def test_a_percentile_is_one_of_the_values_and_holds_its_share(values: list[float], share: float) -> None:
    """At least that share of the values does not exceed it, and fewer do not exceed any smaller one."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_the_99th_percentile_of_a_few_is_the_worst() -> None:
    """No average of the two worst, which nobody saw; of nothing there is none."""
    assert percentile([0.2, 0.9, 0.1], 0.99) == 0.9
    assert percentile(map(float, range(1, 201)), 0.99) == 198.0
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.99)


def test_first_sound_counts_from_the_cut_and_from_the_token() -> None:
    """The first chunk after the first `chat:sentence`, and after the first token."""
    one = listener()
    assert one.from_cut_s == pytest.approx(0.3)
    assert one.from_token_s == pytest.approx(0.8)
    with pytest.raises(ValueError, match="no sound"):
        _ = listener([]).from_cut_s


@pytest.mark.parametrize(
    ("one", "served"),
    [
        (listener(), True),
        (listener(reason="aborted"), False),
        (listener([], refused="busy", reason=""), False),
        (listener([]), False),
    ],
)
def test_only_who_heard_everything_was_served(one: Listener, served: bool) -> None:
    """One who was sent away, or broken off, or heard nothing, does not count."""
    assert one.served is served


def test_the_limit_is_what_the_listeners_own_process_leaves() -> None:
    """Two cores less a tenth of one, by a tenth of a CPU second per second of sound: nineteen."""
    assert crowd(listener()).limit == pytest.approx(19.0)


def test_the_most_listeners_without_gaps_have_no_bad_run_below_them() -> None:
    """A larger number that went well does not make up for a smaller one that did not; every run of a number counts."""
    good, bad = crowd(listener()), crowd(listener(BROKEN))
    sent_away = crowd(listener(), listener([], refused="busy", reason=""))
    runs = {(4, US): [good], (8, US): [good, good], (12, US): [good, bad], (16, US): [good], (4, FIFO): [bad]}
    assert most_without_gaps(runs, US) == 8
    assert most_without_gaps(runs, FIFO) == 0
    assert most_without_gaps({(4, US): [good], (8, US): [sent_away]}, US) == 4


def test_gaps_fail_no_run_but_lost_listeners_do() -> None:
    """A busy machine may leave gaps, which the table tells; a reply that broke off is a fault of ours."""
    gaps = {(1, US): [crowd(listener(BROKEN))], (1, FIFO): [crowd(listener())]}
    assert not report(gaps).failed
    assert report({(1, US): [crowd(listener(reason="failed"))], (1, FIFO): [crowd(listener())]}).failed
    assert not report({(1, US): [crowd(listener([], refused="busy", reason=""))]}).failed


def test_the_table_names_gaps_and_who_was_sent_away() -> None:
    """Of two served listeners one heard a gap of half a second; a third was refused."""
    told = report({(3, US): [crowd(listener(), listener(BROKEN), listener([], refused="busy", reason=""))]})
    crowds, targets = told.grids
    assert crowds.rows == [["3, unavoce", "0.30", "0.30", "0.80", "0.80", "1", "1", "0.5", "1", "0.400"]]
    assert [row[-1] for row in targets.rows] == ["✗", "✗", "✗", ""]
    json.dumps(told.figures)


def test_a_crowd_survives_its_way_out_of_the_process() -> None:
    """What the listeners' process prints is what the benchmark reads."""
    sent = Crowd([listener(), listener([], refused="busy", reason="")], wall_s=3.0, cpu_s=0.5)
    assert Crowd.read(json.dumps(asdict(sent))) == sent


def test_listeners_come_at_the_same_moments_for_the_same_seed() -> None:
    """Within five seconds, and otherwise for another seed."""
    assert moments_s(9, 1) == moments_s(9, 1) != moments_s(9, 2)
    assert all(0 <= moment_s <= ARRIVE_WITHIN_S for moment_s in moments_s(MOST, 3))


def test_no_two_listeners_hear_the_same_sentence() -> None:
    """Else one synthesis would serve both, and the crowd would be smaller than it looks."""
    spoken = [{sentence.spoken for sentence in cut(tokens_of(own_text(number)))} for number in range(MOST)]
    assert [len(sentences) for sentences in spoken] == [8, 20] * (MOST // 2)
    assert len(set().union(*spoken)) == sum(map(len, spoken))


def test_the_numbers_of_listeners_can_be_chosen() -> None:
    """Ascending, repeated ones as often as given; the usual ones without; what is no number is named."""
    assert wanted("12, 8,8") == [8, 8, 12]
    assert wanted("") == COUNTS
    with pytest.raises(SystemExit, match="BENCH_LISTENERS=many"):
        wanted("many")
