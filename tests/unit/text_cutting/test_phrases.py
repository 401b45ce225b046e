"""Where a sentence is parted so that its beginning can be spoken sooner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.text.phrases import LEAST_AFTER, LEAST_BEFORE, fitting_cut, unfinished

BUILT = "The house was built in the spring of that year by two brothers."


@pytest.mark.parametrize(
    ("spoken", "longest", "first"),
    [
        (BUILT, 50, "The house was built in the spring of that year,"),
        (BUILT, 30, "The house was built,"),
        (BUILT, 10, None),
        ("When the guests had gone, the old man walked through the empty rooms.", 40, "When the guests had gone,"),
        ("Whoever reads this needs much breath.", 30, None),
    ],
)
def test_a_clause_is_better_than_a_preposition(spoken: str, longest: int, first: str | None) -> None:
    """The first part ends after a clause where one fits, else before a joining word, and tells that it goes on."""
    at = fitting_cut(spoken, longest)
    assert (None if at is None else unfinished(spoken[:at])) == first


@given(st.text(max_size=120), st.integers(0, 130))
def test_both_parts_are_worth_it_and_nothing_is_lost(spoken: str, longest: int) -> None:
    """A cut lies within its bounds, and the parts are the text."""
    at = fitting_cut(spoken, longest)
    if at is not None:
        assert LEAST_BEFORE <= at <= longest
        assert len(spoken) - at >= LEAST_AFTER
    assert unfinished(spoken).startswith(spoken.rstrip())
