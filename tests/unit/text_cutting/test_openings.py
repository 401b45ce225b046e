"""Where the beginning of a long sentence may be spoken before the rest is known: judged by hand, in many languages."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from unavoce.text import Sentence, SentenceStream
from unavoce.text.openings import lengths_of
from unavoce.text.parting import Offer

GOLD = Path(__file__).parents[2] / "gold" / "openings.toml"
LONG = (
    "When the last of the guests had gone and the lamps along the drive had been put out one by one, the old man, who "
    "had said very little all evening, walked slowly through the empty rooms, closing a window here and moving a chair "
    "there, until he came to the small door at the end of the passage."
)


class Gold(NamedTuple):
    language: str
    text: str
    good: frozenset[int]


def gold() -> list[Gold]:
    texts = tomllib.loads(GOLD.read_text())["text"]
    return [_read(text["lang"], marked) for text in texts for marked in text["sentences"].strip().splitlines()]


def _read(language: str, marked: str) -> Gold:
    pieces = marked.split("¦")
    ends = [sum(map(len, pieces[:count])) for count in range(1, len(pieces))]
    return Gold(language, "".join(pieces), frozenset(ends))


def first_cut(one: Gold) -> int | None:
    """Where the second piece begins when the first opening is taken; None where the sentence stays whole."""
    found = cut(one.text, language=one.language, max_chars=1000, take=lambda _offer: True)
    return found[1].start if len(found) > 1 else None


@pytest.mark.parametrize("one", gold(), ids=lambda one: f"{one.language}: {one.text[:30]}")
def test_no_sentence_is_parted_where_it_would_sound_wrong(one: Gold, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much of it is known when it is looked at, the first piece ends where a reader could take breath."""
    for known in range(16, len(one.text), 3):
        looked_at = lengths_of(one.language)._replace(looks=(known, 999, 999), second=999)
        monkeypatch.setattr("unavoce.text.parting.lengths_of", lambda _language, found=looked_at: found)
        assert first_cut(one) in {None, *one.good}


def test_most_long_sentences_are_parted_soon() -> None:
    """Of the gold sentences that have a good place, four in five are parted, in twelve languages at least."""
    with_places = [one for one in gold() if one.good]
    parted = [one for one in with_places if first_cut(one) is not None]
    assert len(parted) >= 0.8 * len(with_places)
    assert len({one.language for one in parted}) >= 12


def cut(text: str, **options: object) -> list[Sentence]:
    stream = SentenceStream(**options)  # type: ignore[arg-type]
    return [*stream.feed(text), *stream.end()]


def test_an_opening_tells_that_it_goes_on() -> None:
    """It is displayed as it stands and read with a comma, and what follows is a sentence of its own number."""
    first, second = cut(LONG, take=lambda _offer: True)[:2]
    assert (first.text, first.spoken) == (
        "When the last of the guests had gone",
        "When the last of the guests had gone,",
    )
    assert first.boundary.value == "clause"
    assert (second.number, LONG[second.start :][:14]) == (1, "and the lamps ")


def test_without_anybody_who_takes_it_nothing_is_offered() -> None:
    """A stream that nobody listens to yet has whole sentences, as has one whose every offer is declined."""
    assert [s.text for s in cut(LONG)] == [s.text for s in cut(LONG, take=lambda _offer: False)] == [LONG]


def test_offers_come_at_certain_lengths() -> None:
    """A sentence of up to 64 characters is never looked at; a longer one at 64, 96, 144 and 216."""
    offers: list[Offer] = []
    cut(LONG, take=offers.append)
    assert [offer.next_look for offer in offers] == [96, 144, 216, 300]
    assert [LONG[offer.at :][:8] for offer in offers] == ["and the ", "and the ", "the old ", "the old "]
    assert not any(offer.goes_on for offer in offers)
    cut("The house was built in the spring of that year by two brothers. And then they left.", take=offers.append)
    assert len(offers) == 4


def test_what_was_begun_goes_on_at_a_lesser_place() -> None:
    """Where the rest of a begun sentence has no good place, it is parted before a preposition, if that is wanted."""
    text = (
        "When the last of the guests had gone and the lamps had been put out the old man walked slowly through the "
        "long row of empty rooms towards the small door at the end of the narrow passage."
    )
    offers: list[Offer] = []
    pieces = cut(text, take=lambda offer: offers.append(offer) or True)
    assert [offer.goes_on for offer in offers][:2] == [False, True]
    assert pieces[1].spoken.endswith(",")
    assert text[pieces[2].start :].startswith(("through", "towards", "at"))


@pytest.mark.parametrize(
    "text",
    [
        "# When the last of the guests had gone and the lamps had been put out, the old man left the house\n",
        "- When the last of the guests had gone and the lamps had been put out, the old man left the house\n",
        "| When the last of the guests had gone and the lamps had been put out, the old man left the house |\n",
    ],
)
def test_only_prose_is_parted(text: str) -> None:
    """A heading, a list's item and a table's row stay whole."""
    assert len(cut(text, take=lambda _offer: True)) == 1
