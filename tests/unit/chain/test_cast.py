"""The voice lock."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.chain.cast import Cast, VoiceSwitch
from unavoce.engines.base import Voice

VOICES = [Voice(name, f"{name}'s", "en") for name in ("primary", "second", "third", "fourth")]


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
        cast.heard()
    assert never.understudy is None
    assert once.move().engine == "second"
    assert once.move().engine == "third"
    once.heard()
    assert once.understudy is None


@given(st.integers(1, 4), st.sampled_from(["once", "never"]), st.lists(st.booleans(), max_size=30))
def test_the_voices_heard_are_p_then_at_most_one_f(count: int, switch: VoiceSwitch, steps: list[bool]) -> None:
    """Whatever the order of chunks and moves, the engines heard read p…p or p…pf…f, and p…p with `never`."""
    cast, heard = Cast(VOICES[:count], switch), []
    for speaks in steps:
        if speaks:
            cast.heard()
            heard.append(VOICES.index(cast.voice))
        elif cast.understudy is not None:
            cast.move()
    changes = [place for place, _ in groupby(heard)]
    assert changes == sorted(set(changes))
    assert len(changes) <= (1 if switch == "never" else 2)
