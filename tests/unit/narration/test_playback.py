"""The playback clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.narration.playback import GAP_S, PlaybackClock


def test_chunks_play_one_after_the_other() -> None:
    """Sound sent before the listener runs dry plays when the sound before it ends."""
    clock = PlaybackClock()
    clock.sent(10.0, 2.0)
    clock.sent(10.5, 3.0)
    assert clock.ends_at_s == 15.0
    assert clock.ahead_s(11.0) == 4.0
    assert clock.heard_share(13.5, 1) == 0.5


def test_an_underrun_moves_the_rest() -> None:
    """Sound sent after the listener ran dry plays at once."""
    clock = PlaybackClock()
    clock.sent(0.0, 1.0)
    clock.sent(5.0, 1.0)
    assert clock.ends_at_s == 6.0
    assert clock.ahead_s(7.0) == 0.0


def test_nothing_sent_is_nothing_in_hand() -> None:
    """Before the first chunk there is no end and nothing heard."""
    clock = PlaybackClock()
    assert clock.ends_at_s is None
    assert clock.ahead_s(3.0) == 0.0
    assert clock.heard_share(3.0, 0) == 0.0


def test_what_the_listener_says_replaces_the_estimate() -> None:
    """`played` moves the chunk under way and all after it, and counts those before it as heard."""
    clock = PlaybackClock()
    for _ in range(3):
        clock.sent(0.0, 2.0)
    clock.played(10.0, 1, 0.5)
    assert clock.heard_share(10.0, 0) == 1.0
    assert clock.heard_share(10.0, 1) == 0.25
    assert clock.ends_at_s == 13.5


def test_chunks_before_the_one_that_plays_were_heard_in_their_order() -> None:
    """A listener who is further than was supposed has heard what comes before one after the other, not all at once."""
    clock = PlaybackClock()
    for length_s in (1.0, 3.0, 2.0):
        clock.sent(0.0, length_s)
    clock.played(2.0, 2, 0.5)
    assert [clock.span(index, 1) for index in range(3)] == [(-2.5, -1.5), (-1.5, 1.5), (1.5, 3.5)]
    assert clock.span(0, 3) == (-2.5, 3.5)


def test_a_chunk_never_sent_cannot_have_been_played() -> None:
    """An index beyond what was sent is refused."""
    clock = PlaybackClock()
    clock.sent(0.0, 1.0)
    with pytest.raises(IndexError, match="chunk 1 was not sent"):
        clock.played(1.0, 1, 0.0)


def test_sound_sent_again_is_heard_from_now() -> None:
    """After a lost connection the chunks sent again play once what came before them has ended."""
    clock = PlaybackClock()
    for _ in range(3):
        clock.sent(0.0, 2.0)
    clock.resent(20.0, 1)
    assert clock.heard_share(20.0, 0) == 1.0
    assert clock.heard_share(20.0, 1) == 0.0
    assert clock.ends_at_s == 24.0


durations = st.lists(st.floats(0.01, 30), min_size=1, max_size=20)


@given(durations, st.data())
def test_heard_shares_never_fall_along_the_reply(lengths: list[float], data: st.DataObject) -> None:
    """Whatever is sent when, and whatever the listener reports, no chunk is heard before the end of the one before."""
    clock, now_s = PlaybackClock(), 0.0
    for length in lengths:
        now_s += data.draw(st.floats(0, 10))
        clock.sent(now_s, length)
        if data.draw(st.booleans()):
            clock.played(now_s, data.draw(st.integers(0, len(clock) - 1)), data.draw(st.floats(0, 40)))
    at_s = now_s + data.draw(st.floats(0, 100))
    shares = [clock.heard_share(at_s, index) for index in range(len(lengths))]
    assert all(later == 0.0 or earlier == 1.0 for earlier, later in pairwise(shares))
    spans = [clock.span(index, 1) for index in range(len(lengths))]
    assert all(ends_s <= begins_s + 1e-9 for (_, ends_s), (begins_s, _) in pairwise(spans))
    ends_at_s = clock.ends_at_s
    assert ends_at_s is not None
    assert all(clock.heard_share(ends_at_s + 0.001, index) == 1.0 for index in range(len(lengths)))


def test_silence_between_chunks_is_counted() -> None:
    """A chunk that comes after the listener ran dry counts once, with the silence before it; the first does not."""
    clock = PlaybackClock()
    clock.sent(5.0, 1.0)
    clock.sent(5.5, 1.0)
    assert (clock.gaps, clock.gaps_s) == (0, 0.0)
    clock.sent(7.5, 1.0)
    clock.sent(8.5 + GAP_S / 2, 1.0)
    assert (clock.gaps, clock.gaps_s) == (1, 0.5)


def test_a_listener_who_is_behind_the_estimate_has_not_run_dry() -> None:
    """What it says of its place counts: a chunk that comes before it needs it leaves no gap."""
    clock = PlaybackClock()
    clock.sent(0.0, 1.0)
    clock.played(0.9, 0, 0.2)
    clock.sent(1.5, 1.0)
    assert clock.gaps == 0
