"""The voice lock."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.chain.cast import Cast, VoiceSwitch
from unavoce.engines.base import Voice

VOICES = [Voice(name, f"{name}'s", "en") for name in ("primary", "second", "third", "fourth")]
PRIMARY, SECOND, THIRD, FOURTH = VOICES


def test_a_reply_not_heard_yet_moves_freely() -> None:
    """Until a chunk has left, the reply may go down the whole chain."""
    cast = Cast(VOICES, "never")
    assert [cast.move().engine for _ in range(3)] == ["second", "third", "fourth"]
    assert cast.understudy is None
    with pytest.raises(ValueError, match="may not change"):
        cast.move()


def test_a_reply_that_was_heard_moves_once_or_never() -> None:
    """`once` allows one change after the first chunk, and as long as the new voice was not heard, a further engine."""
    never, once = Cast(VOICES, "never"), Cast(VOICES, "once")
    for cast in (never, once):
        cast.heard(cast.voice)
    assert never.understudy is None
    assert once.move().engine == "second"
    assert once.move().engine == "third"
    once.heard(once.voice)
    assert once.understudy is None
    with pytest.raises(ValueError, match="may not be heard"):
        once.heard(PRIMARY)


def test_those_who_rest_are_not_asked_but_may_be_heard() -> None:
    """A resting voice is passed over as voice and understudy, and stands among those that clips at hand may use."""
    cast = Cast(VOICES, "once", asking=[SECOND, FOURTH])
    assert cast.voice is SECOND
    assert cast.understudy is FOURTH
    assert cast.after(FOURTH) is None
    assert cast.audible == (PRIMARY, SECOND, THIRD, FOURTH)
    cast.heard(PRIMARY)
    assert cast.voice is SECOND
    cast.heard(THIRD)
    assert cast.audible == (THIRD,)
    assert cast.voice is THIRD
    assert cast.rests


def test_a_reluctant_engine_is_asked_last() -> None:
    """While nothing was heard, the reply may go back to a slow primary that was passed over; after that, never back."""
    unheard, heard = (Cast(VOICES[:2], "once", asking=[SECOND, PRIMARY]) for _ in range(2))
    assert unheard.move() is PRIMARY
    heard.heard(SECOND)
    assert heard.understudy is None


def test_never_holds_a_reply_to_a_voice_from_the_cache() -> None:
    """With `never`, a clip heard in a resting voice leaves nobody to ask."""
    cast = Cast(VOICES[:2], "never", asking=[SECOND])
    cast.heard(PRIMARY)
    assert cast.voice is PRIMARY
    assert cast.rests
    assert cast.understudy is None


@given(
    st.integers(1, 4),
    st.sampled_from(["once", "never"]),
    st.permutations(VOICES),
    st.lists(st.sampled_from(["speaks", "moves", "recalls"]), max_size=30),
    st.data(),
)
def test_the_voices_heard_are_p_then_at_most_one_f(
    count: int, switch: VoiceSwitch, order: list[Voice], steps: list[str], data: st.DataObject
) -> None:
    """Whatever the order of chunks, moves and clips from the cache, the engines heard read p…p or p…pf…f, and p…p with
    `never`; whoever is asked may be heard."""
    asking = data.draw(st.sampled_from([[one for one in order if one in VOICES[:count]][:size] for size in (1, 2, 4)]))
    cast, heard = Cast(VOICES[:count], switch, asking), []
    for step in steps:
        if step == "moves":
            if cast.understudy is not None:
                cast.move()
        else:
            voice = cast.voice if step == "speaks" else data.draw(st.sampled_from(cast.audible))
            cast.heard(voice)
            heard.append(VOICES.index(voice))
        assert cast.voice in cast.audible
    changes = [place for place, _ in groupby(heard)]
    assert changes == sorted(set(changes))
    assert len(changes) <= (1 if switch == "never" else 2)
