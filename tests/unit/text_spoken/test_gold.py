"""The gold pairs of tests/gold/spoken.toml, each language and kind of text."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from unavoce.text.kind import Kind
from unavoce.text.spoken import speakable

GOLD = tomllib.loads((Path(__file__).parents[2] / "gold" / "spoken.toml").read_text(encoding="utf-8"))
PAIRS = [
    pytest.param(language, Kind(kind), displayed, spoken, id=f"{language}-{kind}-{displayed}")
    for language, kinds in GOLD.items()
    for kind, pairs in kinds.items()
    for displayed, spoken in pairs
]


@pytest.mark.parametrize(("language", "kind", "displayed", "spoken"), PAIRS)
def test_displayed_text_is_read_as_the_gold_says(language: str, kind: Kind, displayed: str, spoken: str) -> None:
    """What is displayed comes out in exactly the words that a person would say."""
    assert speakable(displayed, kind, language) == spoken


def test_gold_is_large_enough_to_mean_something() -> None:
    """At least 150 pairs in at least five languages, every kind of text among them."""
    kinds = {kind for kinds in GOLD.values() for kind in kinds}
    assert len(PAIRS) >= 150
    assert len(GOLD) >= 5
    assert kinds == {kind.value for kind in Kind}
