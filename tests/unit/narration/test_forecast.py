"""When a reply may begin."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from unavoce.narration.forecast import MARGIN_S, Forecast, begin_at_s


def slow(sound_s: float, granted_at_s: float | None = None, *, whole: bool = False) -> Forecast:
    spent_s = 0.3 + 0.9 * sound_s
    return Forecast(sound_s, spent_s, spent_s, granted_at_s, whole)


def test_a_longer_second_sentence_holds_the_first_back() -> None:
    """1.2 s of sound are there; the 3 s behind it come 2.4 s from now, so the first waits 1.2 s and the margin."""
    begin_s = begin_at_s([slow(1.2, whole=True), slow(3.0, granted_at_s=9.4)], 2, now_s=10.0)
    assert abs(begin_s - (10.0 + 2.4 - 1.2 + MARGIN_S)) < 1e-9


def test_with_one_slot_sentences_follow_each_other() -> None:
    """The third of three has to wait for the second to be made."""
    begin_s = begin_at_s([slow(1.0, whole=True), slow(1.0), slow(1.0)], 1, now_s=0.0)
    assert abs(begin_s - (2 * 1.2 - 2.0 + MARGIN_S)) < 1e-9


@given(
    st.lists(st.tuples(st.floats(0.2, 12), st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=6),
    st.integers(1, 8),
)
def test_a_reply_begun_then_never_runs_dry(drawn: list[tuple[float, float, float]], slots: int) -> None:
    """If every prediction comes true, each sentence sounds before those ahead of it are over."""
    sentences = [
        Forecast(sound_s, factor * sound_s * early, factor * sound_s, whole=place == 0)
        for place, (sound_s, factor, early) in enumerate(drawn)
    ]
    ends_s = begin_at_s(sentences, slots, now_s=0.0)
    assert ends_s >= 0.0
    free_s = [0.0] * slots
    for sentence in sentences:
        if not sentence.whole:
            granted_s = min(free_s)
            free_s[free_s.index(granted_s)] = granted_s + sentence.synthesis_s
            assert granted_s + sentence.start_s <= ends_s + 1e-9
        ends_s += sentence.sound_s
