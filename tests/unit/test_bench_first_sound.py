"""What six replies are held against, from figures that are given. Nothing here measures time."""

from __future__ import annotations

import json

import pytest
from bench import peers
from bench.figures import Arrival, Heard
from bench.first_sound import cut, known_with
from bench.first_sound_report import LONG, LOOP, US, Measured, Turns, cost, report, shortened, targets_grid, worst_s
from bench.replies import PACE, REPLIES, tokens_of


def heard(first_s: float, *, gap_s: float = 0.0, cpu_s: float = 0.4) -> Heard:
    """Four seconds of sound."""
    return Heard(10.0, [Arrival(10.0 + first_s, 2.0), Arrival(12.0 + first_s + gap_s, 2.0)], cpu_s)


def turns(first_s: float, *, floor_s: float = 0.1, loop_s: float = 0.5, beside: float = 0.0) -> Turns:
    return Turns(
        {US: [heard(first_s)] * 3, LOOP: [heard(loop_s)] * 3},
        beside_another=[heard(first_s), heard(first_s, gap_s=beside)],
        first_pieces=["Certainly, sir."] * 3,
        floor_s=[floor_s] * 3,
        engine_s=[0.1] * 3,
        raw_cpu=[0.1] * 3,
    )


def all_replies(first_s: float, long_s: float, *, beside: float = 0.0) -> Measured:
    return {
        (name, pace): turns(long_s if name == LONG else first_s, beside=beside)
        for name in REPLIES
        for pace in (PACE, None)
    }


def test_the_best_peer_is_the_one_that_is_best_over_all_replies() -> None:
    """RealtimeTTS, with a geometric mean of 0.179 s; where the plain loop takes twice as long, so would it."""
    assert peers.best_s() == pytest.approx(0.179, abs=0.0005)
    twice = {reply: 2 * loop_s for reply, loop_s in peers.LOOP_AT_ONCE_S.items()}
    assert peers.slower(twice) == pytest.approx(2.0)
    assert all(set(replies) == set(REPLIES) for replies in peers.AT_ONCE_S.values())


def test_a_stop_is_known_with_what_follows_it() -> None:
    """The token after the stop settles that the sentence is over; at the end of the text there is none to wait for."""
    tokens = tokens_of(REPLIES["short"])
    assert tokens[known_with(tokens, "Certainly, sir.")].strip() == "The"
    assert known_with(tokens_of("Certainly, sir."), "Certainly, sir.") == len(tokens_of("Certainly, sir.")) - 1


def test_the_beginning_of_a_long_sentence_is_known_before_its_end() -> None:
    """The piece that the cutter can give early counts from the token with which it is given."""
    tokens = tokens_of(REPLIES[LONG])
    whole = cut(tokens)[0].spoken
    early = known_with(tokens, "When the last of the guests had gone,")
    assert early < 16 < known_with(tokens, whole)


def test_a_piece_that_the_reply_does_not_begin_with_is_an_error() -> None:
    """A floor must not be told of something that nobody heard."""
    with pytest.raises(ValueError, match="does not begin with"):
        known_with(tokens_of(REPLIES["short"]), "The lights are off.")


def test_a_fast_reply_meets_every_target() -> None:
    """At the floor, half of the best peer's time, no gap, the same CPU as whole sentences."""
    measured = all_replies(0.08, 0.08)
    assert [row[-1] for row in targets_grid(measured).rows] == ["✓"] * 9
    assert cost(None, measured) == pytest.approx(1.0)


@pytest.mark.parametrize(("rival_s", "met"), [(0.17, "✓"), (0.15, "✗")])
def test_the_best_peer_may_be_measured_in_turns(rival_s: float, met: str) -> None:
    """Then half of its own geometric mean is a target as well."""
    measured = all_replies(0.08, 0.08)
    for turns in measured.values():
        turns.rival_s.extend([rival_s, rival_s, 9.0])
    row = next(row for row in targets_grid(measured).rows if "RealtimeTTS" in row[0])
    assert row[1:] == ["0.080", f"{rival_s / 2:.3f}", met]


def test_each_missed_target_is_marked_and_the_part_does_not_fail() -> None:
    """40 ms above the floor, a long sentence that is late, a gap beside another program: three marks, no exit code."""
    told = report(all_replies(0.14, 0.7, beside=0.5))
    assert [row[-1] for row in told.grids[-1].rows] == ["✗", "✗", "✗", "✗", "✗", "✓", "✗", "✓", "✓"]
    assert not told.failed
    json.dumps(told.figures)


def test_above_the_floor_counts_turn_by_turn() -> None:
    """A busy turn that delays both sides alike leaves the difference alone."""
    some = Turns({US: [heard(0.2), heard(0.9), heard(0.3)], LOOP: []}, floor_s=[0.19, 0.88, 0.27])
    assert some.above_floor_ms == pytest.approx(20.0)


def test_gaps_are_those_of_the_worst_turn() -> None:
    """A gap that one turn of three had is told, and a silence of 15 ms is none."""
    assert worst_s([heard(0.1), heard(0.1, gap_s=0.3), heard(0.1, gap_s=0.015)]) == pytest.approx(0.3)


def test_a_long_piece_is_shown_by_its_ends() -> None:
    """First and last word, and its length; a short one whole."""
    assert shortened("Good evening, sir.") == "Good evening, sir."
    assert shortened("The house was built.") == "The … built. (20)"
