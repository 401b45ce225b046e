"""What a terminal shows of a reply: which sentence is being heard, and what a reconnection must not change."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from unavoce.cli.chat import marked
from unavoce.cli.terminal import visible
from unavoce.cli.turn import Playhead, Turn

DURATIONS = st.lists(st.floats(0.01, 10), min_size=1, max_size=10)


def _chunk(index: int, sentence: int, duration_ms: int = 1000) -> dict[str, Any]:
    return {"index": index, "sentence": sentence, "durationMs": duration_ms}


def _turn() -> Turn:
    turn = Turn("r")
    turn.token({"text": "One. ", "start": 0})
    turn.token({"text": "Two.", "start": 5})
    turn.sentence({"sentence": 0, "start": 0, "end": 4})
    turn.sentence({"sentence": 1, "start": 5, "end": 9})
    return turn


def test_the_sentence_being_heard_is_marked() -> None:
    """The text splits into heard, being heard and still to come, by the durations of the chunks."""
    turn = _turn()
    assert turn.parts(9.0) == ("", "", "One. Two.")
    turn.chunk(_chunk(0, 0), now=10.0)
    turn.chunk(_chunk(1, 1), now=10.1)
    assert turn.parts(10.5) == ("", "One.", " Two.")
    assert turn.parts(11.5) == ("One. ", "Two.", "")
    turn.done({"text": "One. Two.", "reason": "complete"})
    assert not turn.over(11.5)
    assert turn.over(12.0)
    assert turn.parts(12.0) == ("One. Two.", "", "")


def test_a_late_chunk_is_heard_from_its_arrival() -> None:
    """After a gap nothing is marked until the next chunk comes."""
    turn = _turn()
    turn.chunk(_chunk(0, 0), now=10.0)
    assert turn.playhead.sentence(11.5) is None
    assert turn.parts(11.5) == ("One.", "", " Two.")
    turn.chunk(_chunk(1, 1), now=12.0)
    assert turn.playhead.sentence(11.5) is None
    assert turn.playhead.sentence(12.5) == 1


def test_repeated_events_change_nothing() -> None:
    """What a server sends again after a reconnection is taken once."""
    turn = _turn()
    assert turn.chunk(_chunk(0, 0), now=1.0)
    assert not turn.chunk(_chunk(0, 0), now=2.0)
    turn.token({"text": "One. ", "start": 0})
    turn.token({"text": "Two.", "start": 5})
    assert turn.text == "One. Two."
    assert turn.playhead.ends_at == 2.0


def test_an_abort_ends_the_sound_at_once() -> None:
    """After Ctrl-C nothing is marked, and the turn is over as soon as the server says so."""
    turn = _turn()
    turn.chunk(_chunk(0, 0, 60_000), now=1.0)
    turn.abort(2.0)
    assert not turn.over(2.0)
    turn.done({"text": "One. Two.", "reason": "aborted"})
    assert turn.over(2.0)
    assert not turn.chunk(_chunk(1, 1), now=3.0)


@given(durations=DURATIONS, gaps=st.lists(st.floats(0, 20), min_size=10, max_size=10))
def test_a_playhead_plays_each_chunk_once_and_in_order(durations: list[float], gaps: list[float]) -> None:
    """Whenever chunks arrive, they are heard in order, without overlap, each for its own duration."""
    playhead, now = Playhead(), 0.0
    starts = []
    for number, duration in enumerate(durations):
        now += gaps[number]
        starts.append(max(now, playhead.ends_at))
        playhead.add(now, number, duration)
    for number, (start, duration) in enumerate(zip(starts, durations, strict=True)):
        assert playhead.sentence(start + duration / 2) == number
    assert playhead.ends_at >= sum(durations) * 0.999
    assert playhead.sentence(playhead.ends_at) is None


def test_control_characters_are_not_obeyed() -> None:
    """A model that writes escape sequences cannot drive the terminal; places in the text still hold."""
    turn = Turn("r", text="\x1b[2Jgone\x9b1m\ud800")
    shown = marked(turn, 0.0).plain
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert len(shown) == len(turn.text)
    assert visible("one\ttwo\n") == "one\ttwo\n"
