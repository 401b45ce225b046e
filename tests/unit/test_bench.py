"""The benchmark's arithmetic, on events that are given. Nothing here measures time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from bench.figures import (
    Arrival,
    Heard,
    Spread,
    paired_ratio,
    token_completing,
    tokens_per_second,
    underrun_s,
)
from bench.replies import REPLIES, TokenSource, tokens_of
from bench.report import Grid, markdown
from bench.serving import Answer, Came
from hypothesis import given
from hypothesis import strategies as st

ARRIVALS = st.lists(
    st.builds(Arrival, st.integers(0, 500).map(float), st.integers(1, 50).map(float)), min_size=1, max_size=30
).map(lambda some: sorted(some, key=lambda one: one.at_s))


def test_sound_that_comes_before_it_is_needed_leaves_no_gap() -> None:
    """A chunk that arrives while the one before it plays, or just as it ends, is no underrun."""
    assert underrun_s([Arrival(10.0, 2.0), Arrival(10.5, 1.0), Arrival(13.0, 1.0)]) == 0.0


def test_a_gap_is_counted_from_running_dry_to_the_next_chunk() -> None:
    """Two late chunks leave the sum of their silences; playback goes on from the late one."""
    late = [Arrival(0.0, 1.0), Arrival(1.5, 1.0), Arrival(2.0, 1.0), Arrival(4.0, 1.0)]
    assert underrun_s(late) == pytest.approx(0.5 + 0.5)


def test_no_sound_leaves_no_gap() -> None:
    """Silence before the first chunk is not counted as an underrun."""
    assert underrun_s([]) == 0.0


@given(ARRIVALS)
def test_playback_lasts_as_long_as_its_sound_and_its_gaps(arrivals: list[Arrival]) -> None:
    """From the first chunk to the end of playback there is sound or counted silence, and nothing else."""
    ends_s = arrivals[0].at_s
    for arrival in arrivals:
        ends_s = max(ends_s, arrival.at_s) + arrival.duration_s
    sound_s = sum(arrival.duration_s for arrival in arrivals)
    assert underrun_s(arrivals) == pytest.approx(ends_s - arrivals[0].at_s - sound_s)


@given(ARRIVALS, st.integers(1, 100))
def test_later_arrivals_never_mean_less_silence(arrivals: list[Arrival], delay_s: int) -> None:
    """Delaying every chunk but the first cannot make the gaps smaller."""
    delayed = [arrivals[0], *(Arrival(one.at_s + delay_s, one.duration_s) for one in arrivals[1:])]
    assert underrun_s(delayed) >= underrun_s(arrivals)


def test_a_reply_is_measured_from_its_first_token() -> None:
    """First sound, real-time factor and CPU per second of sound follow from arrivals and CPU time."""
    heard = Heard(first_token_s=100.0, arrivals=[Arrival(100.5, 3.0), Arrival(102.0, 5.0)], cpu_s=1.0)
    assert heard.first_sound_s == 0.5
    assert heard.sound_s == 8.0
    assert heard.real_time_factor == pytest.approx(2.0 / 8.0)
    assert heard.cpu_per_sound == pytest.approx(1.0 / 8.0)
    assert heard.underrun_s == 0.0


@pytest.mark.parametrize("figure", ["first_sound_s", "real_time_factor"])
def test_a_silent_reply_has_no_first_sound(figure: str) -> None:
    """A reply without sound is an error and not a very good figure."""
    with pytest.raises(ValueError, match="no sound"):
        getattr(Heard(0.0, [], 1.0), figure)


def test_a_spread_shows_median_and_extremes() -> None:
    """The middle value, the lowest and the highest, whatever order they came in."""
    assert Spread.of([3.0, 1.0, 2.0, 9.0, 2.5]) == Spread(2.5, 1.0, 9.0)
    assert Spread.of([0.5, 0.25, 0.75]).shown() == "0.50 (0.25-0.75)"


def test_a_spread_of_nothing_is_an_error() -> None:
    """A part that measured nothing must not print a figure."""
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])


def test_ratios_pair_what_was_measured_in_the_same_turn() -> None:
    """A busy turn that doubles both sides leaves the ratio alone; unequal numbers of turns are an error."""
    assert paired_ratio([1.0, 2.0, 4.0], [0.5, 1.0, 2.0]) == Spread(2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([1.0], [1.0, 2.0])


def test_the_token_that_completes_a_sentence_brings_its_last_character() -> None:
    """Indices count from 0, and an end within or at the end of a token belongs to it."""
    tokens = ["Yes", ".", " No", "."]
    assert [token_completing(tokens, end) for end in (1, 3, 4, 5, 8)] == [0, 0, 1, 2, 3]
    with pytest.raises(ValueError, match="8 code points"):
        token_completing(tokens, 9)


def test_the_first_token_only_starts_the_clock() -> None:
    """Eleven tokens in half a second are ten intervals: twenty a second."""
    assert tokens_per_second(11, 4.0, 4.5) == pytest.approx(20.0)


@pytest.mark.parametrize(("count", "last_s"), [(1, 2.0), (5, 1.0)])
def test_one_token_or_no_time_has_no_rate(count: int, last_s: float) -> None:
    """What cannot be divided is an error with a reason."""
    with pytest.raises(ValueError, match="a rate needs"):
        tokens_per_second(count, 1.0, last_s)


@pytest.mark.parametrize("text", REPLIES.values())
def test_tokens_are_the_whole_text(text: str) -> None:
    """Cutting a scripted reply into tokens loses and adds nothing."""
    assert "".join(tokens_of(text)) == text


def test_a_table_can_be_pasted_into_a_page() -> None:
    """Heading, a row of dashes, the rows; title before and note behind, where there is one."""
    grid = Grid("Speed", ["reply", "s"], [["short", "0.5"]], "twice")
    assert markdown(grid) == "**Speed**\n\n| reply | s |\n| --- | --- |\n| short | 0.5 |\n\ntwice"
    assert markdown(replace(grid, note="")).endswith("| short | 0.5 |")


async def test_a_source_without_a_pace_gives_every_token_and_notes_the_first() -> None:
    """All tokens come in order, and the clock of the first one has started by then."""
    source = TokenSource(["a", "b", "c"], None)
    assert source.first_token_s == 0.0
    assert [token async for token in source] == ["a", "b", "c"]
    assert source.first_token_s > 0.0


def test_an_answer_counts_from_the_message() -> None:
    """The first event of each name counts, chunks keep their order, and milliseconds become seconds."""
    events = [
        Came(10.2, "chat:token", {}),
        Came(10.3, "chat:token", {}),
        Came(10.7, "chat:audio_chunk", {"durationMs": 1500}),
        Came(11.0, "chat:audio_chunk", {"durationMs": 500}),
        Came(11.1, "chat:done", {"timings": {"firstToken": 200, "firstAudio": None}}),
    ]
    answer = Answer(10.0, events)
    assert answer.after_s("chat:token") == pytest.approx(0.2)
    assert answer.token_times_s == [10.2, 10.3]
    assert answer.arrivals == [Arrival(10.7, 1.5), Arrival(11.0, 0.5)]
    assert answer.timings_s == {"firstToken": 0.2, "firstAudio": None}
    assert all(one.at_s <= other.at_s for one, other in pairwise(answer.arrivals))


def test_a_missing_event_names_itself_and_the_servers_reason() -> None:
    """An answer without sound says so, with the code the server gave."""
    answer = Answer(0.0, [Came(0.1, "chat:error", {"code": "model_unavailable"})])
    with pytest.raises(LookupError, match=r"no chat:audio_chunk came; the server said model_unavailable"):
        answer.after_s("chat:audio_chunk")
