"""Going on in a sentence that broke off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.narration.resume import rest_of

TEXT = "The kettle is on, dinner will be served at eight; and the wine, sir, is open."


@pytest.mark.parametrize(
    ("share", "rest"),
    [
        (0.0, TEXT),
        (0.1, TEXT),
        (0.3, "dinner will be served at eight; and the wine, sir, is open."),
        (0.65, "dinner will be served at eight; and the wine, sir, is open."),
        (0.8, "and the wine, sir, is open."),
        (1.0, "sir, is open."),
    ],
)
def test_at_most_a_clause_is_said_twice(share: float, rest: str) -> None:
    """The rest begins with the clause that was being heard."""
    assert rest_of(TEXT, share) == rest


@given(st.text(max_size=200), st.floats(-1, 2))
def test_nothing_is_lost(spoken: str, share: float) -> None:
    """The rest is an end of the text and begins at or before the place that was heard; some of the text is left."""
    rest = rest_of(spoken, share)
    assert spoken.endswith(rest)
    assert len(spoken) - len(rest) <= max(0, round(len(spoken) * min(max(share, 0.0), 1.0)))
    assert rest or not spoken
