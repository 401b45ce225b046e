"""The table of failures: how engines break to order, and how what was heard of it is counted. Measures no time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from bench.account import Ear, Part, Said, Told, account, heard_of, heard_twice, words_lost, words_repeated
from bench.breakage import PIECES, Death, Fallback, Primary, tell
from bench.failures import AT_A_CLAUSE, AT_A_SENTENCE, BREAKING, CASES, SETTINGS, STEADY_PRIMARY, Case, grid, mark, row
from bench.first_sound import cut
from bench.replies import REPLIES, tokens_of
from hypothesis import given
from hypothesis import strategies as st
from tests.support.virtual_time import run_virtually

from unavoce.audio.pcm import Pcm
from unavoce.chain.health import Measured
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import EngineUnavailable
from unavoce.narration.resume import rest_of

SENTENCE = "They borrowed a cart, a horse and patience."
WHOLE = Told(
    first_sound_s=1.0,
    first_cut_s=0.5,
    gaps_s=0.0,
    sentences=3,
    said=3,
    changes=1,
    mid_sentence=0,
    engines=("primary", "piper"),
    repeated=0,
    lost=0,
    skipped=0,
    again=(),
)


def fallback() -> Fallback:
    """Tones under Piper's name."""
    rehearsal = Pcm(np.ones(24_000, np.int16), 24_000)
    return Fallback(FakeEngine.named("piper")(), Measured(16, 0.1, 0.1, 1.0), rehearsal)


def told(primary: Primary | None, reply: str) -> Told:
    return run_virtually(tell(tokens_of(REPLIES[reply]), None, fallback(), primary))


# -- counting


def test_words_are_repeated_from_where_the_next_engine_begins() -> None:
    """Heard as far as "horse" and resumed after the comma: "a horse" is said twice, and nothing is lost."""
    parts = [Part(SENTENCE, 29 / len(SENTENCE)), Part("a horse and patience.", 1.0)]
    assert heard_twice(SENTENCE, parts) == ["a horse"]
    assert words_repeated(SENTENCE, parts) == 2
    assert words_lost(SENTENCE, parts) == 0


def test_words_that_nobody_said_are_lost() -> None:
    """Broken off after "They", resumed at "and": the words between, and the one that was cut in two, are missing."""
    parts = [Part(SENTENCE, 5 / len(SENTENCE)), Part("and patience.", 0.5)]
    assert words_lost(SENTENCE, parts) == len(["borrowed", "a", "cart,", "a", "horse", "patience."])
    assert words_repeated(SENTENCE, parts) == 0
    assert heard_twice(SENTENCE, parts) == []


def test_a_sentence_nobody_spoke_is_lost_whole() -> None:
    """Without any part every word is missing."""
    assert words_lost(SENTENCE, []) == 8
    assert words_repeated(SENTENCE, []) == 0


@given(st.sampled_from([one.spoken for text in REPLIES.values() for one in cut(tokens_of(text))]), st.floats(0.0, 1.0))
def test_going_on_at_a_clause_loses_nothing(sentence: str, share: float) -> None:
    """Wherever a sentence breaks off, every word of it is said, by the one engine or the other."""
    assert words_lost(sentence, [Part(sentence, share), Part(rest_of(sentence, share), 1.0)]) == 0


def test_more_than_a_clause_said_twice_misses_the_target() -> None:
    """A clause, with its comma or without, may be said twice; two may not."""
    assert AT_A_CLAUSE.met(replace(WHOLE, again=("They borrowed a cart, ",)), WHOLE)
    assert not AT_A_CLAUSE.met(replace(WHOLE, again=("They borrowed a cart, a horse",)), WHOLE)


def test_a_silent_reply_is_no_figure() -> None:
    """A reply of which nothing was heard is an error and not a row."""
    with pytest.raises(ValueError, match="no sound"):
        account(Ear(), 0.0, [SENTENCE], {})


def test_pieces_of_a_sentence_make_it_whole() -> None:
    """A sentence spoken in two calls of one engine has nothing lost, nothing twice, and no change of voice in it."""
    said = [
        Said("They borrowed a cart,", 1.0, 1.0),
        Said("Another one.", 1.0, 1.0),
        Said("a horse and patience.", 1.1, 1.1),
    ]
    parts = heard_of(SENTENCE, said, 2.0, to_its_end=True)
    assert parts == [Part("They borrowed a cart,", 1.0), Part("a horse and patience.", 1.0)]
    assert (words_lost(SENTENCE, parts), words_repeated(SENTENCE, parts)) == (0, 0)


def test_an_engine_that_finishes_its_own_sentence_is_counted_by_its_calls() -> None:
    """Half of a call that broke off was heard, then the rest in the same voice; what it never sent was not heard."""
    said = [Said(SENTENCE, 1.3, 2.6), Said("a horse and patience.", 1.2, 1.2), Said("They borrowed a cart,", 0.0, 1.0)]
    parts = heard_of(SENTENCE, said, 2.7, to_its_end=True)
    assert parts == [Part(SENTENCE, 0.5), Part("a horse and patience.", 1.0)]


# -- breaking


def test_death_breaks_off_what_runs_and_refuses_what_comes() -> None:
    """When its first call has ended the engine is gone: the second ends in an error, a third is refused at once."""

    async def work() -> list[object]:
        primary = Primary(death=Death(call=0))
        voice = primary.voices()[0]
        calls = [primary.synthesise(text, voice, lambda _: None) for text in ("Short.", "This one is longer.")]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        with pytest.raises(EngineUnavailable, match="refused"):
            await primary.synthesise("Late.", voice, lambda _: None)
        return [*ended, len(primary.calls)]

    first, second, asked = run_virtually(work())
    assert first is None
    assert isinstance(second, EngineUnavailable)
    assert asked == 2


def test_death_in_mid_sentence_comes_after_its_pieces() -> None:
    """Exactly so many pieces are handed over before the call ends in an error."""

    async def work() -> list[Pcm]:
        primary = Primary(FakeOptions(pieces=PIECES), death=Death(0, 5))
        pieces: list[Pcm] = []
        with pytest.raises(EngineUnavailable, match="lost"):
            await primary.synthesise(SENTENCE, primary.voices()[0], pieces.append)
        return pieces

    assert len(run_virtually(work())) == 5


def test_a_death_between_sentences_is_told_as_one_change_of_voice() -> None:
    """On a virtual clock: whole, from the primary to Piper, no sentence in two voices."""
    reply = told(Primary(death=Death(call=0)), "eight")
    assert (reply.said, reply.sentences, reply.skipped, reply.lost) == (8, 8, 0, 0)
    assert (reply.engines, reply.changes, reply.mid_sentence) == (("primary", "piper"), 1, 0)
    assert AT_A_SENTENCE.met(reply, WHOLE)


def test_a_death_in_mid_sentence_is_told_with_the_words_said_twice() -> None:
    """Five eighths into the third sentence, which then goes on from its second clause."""
    reply = told(Primary(FakeOptions(pieces=PIECES), death=Death(2, 5)), "eight")
    assert (reply.said, reply.lost, reply.mid_sentence, reply.changes) == (8, 0, 1, 1)
    (again,) = reply.again
    assert again.startswith("a horse and a great deal")
    assert reply.repeated in (len(again.split()), len(again.split()) - 1)


def test_the_fallback_alone_is_told_in_one_voice() -> None:
    """Nothing breaks, nothing changes."""
    reply = told(None, "three sentences")
    assert (reply.engines, reply.changes, reply.said, reply.repeated) == (("piper",), 0, 3, 0)


# -- the table


def test_a_mark_counts_the_turns_that_met_the_target() -> None:
    """✓ for all of them, else how many of how many; nothing without a target."""
    gap = replace(WHOLE, gaps_s=0.5)
    assert mark(AT_A_SENTENCE, [(WHOLE, WHOLE)] * 2) == "✓"
    assert mark(AT_A_SENTENCE, [(WHOLE, WHOLE), (gap, WHOLE)]) == "✗ 1/2"
    assert mark(STEADY_PRIMARY, [(WHOLE, WHOLE)]) == "✗ 0/1"
    assert mark(None, [(WHOLE, WHOLE)]) == ""


def test_seconds_are_judged_by_the_median_of_the_turns() -> None:
    """One busy turn does not spoil the mark, two of three do; what was lost counts in every turn."""
    late, (refuses, *_) = replace(WHOLE, first_sound_s=2.0), BREAKING
    assert mark(refuses.target, [(WHOLE, WHOLE), (late, WHOLE), (WHOLE, WHOLE)]) == "✓"
    assert mark(refuses.target, [(late, WHOLE), (late, WHOLE), (WHOLE, WHOLE)]) == "✗ 0/3"
    assert mark(refuses.target, [(WHOLE, WHOLE), (WHOLE, WHOLE), (replace(WHOLE, said=2), WHOLE)]) == "✗ 2/3"


@pytest.mark.parametrize("case", BREAKING, ids=lambda case: case.name)
def test_a_reply_that_is_not_whole_meets_no_target(case: Case) -> None:
    """A skipped sentence or a lost word is never made up for by being quick."""
    assert case.target is not None
    assert not case.target.met(replace(WHOLE, said=2, changes=0), WHOLE)
    assert not case.target.met(replace(WHOLE, skipped=1, changes=0), WHOLE)


def test_a_row_shows_the_median_and_the_worst() -> None:
    """First sound is the median of the turns; sentences, gaps and words are those of the worst."""
    worse = replace(WHOLE, first_sound_s=3.0, gaps_s=0.4, said=2, repeated=4, engines=("piper",))
    shown = row(CASES[1], SETTINGS[0], [(WHOLE, WHOLE), (worse, WHOLE), (replace(WHOLE, first_sound_s=1.5), WHOLE)])
    assert shown[2:9] == ["1.50", "0.40", "2/3", "1", "primary, piper", "4", "0"]


def test_the_table_has_a_row_for_each_case_and_setting() -> None:
    """Every row is as wide as the heading."""
    table = grid({(case, setting): [(WHOLE, WHOLE)] for case in CASES for setting in SETTINGS})
    assert len(table.rows) == len(CASES) * len(SETTINGS)
    assert {len(one) for one in table.rows} == {len(table.columns)}


def test_a_parted_sentence_is_heard_whole() -> None:
    """The first part, read with a comma of its own and a little trimmed at its edges, and the rest are the sentence."""
    sentence = "The house was built in the spring of that year by two brothers."
    said = [Said("The house was built in the spring of that year,", 2.8, 2.8), Said("by two brothers.", 1.0, 1.0)]
    parts = heard_of(sentence, said, 3.72, to_its_end=True)
    assert [part.share for part in parts] == [1.0, 1.0]
    assert (words_lost(sentence, parts), words_repeated(sentence, parts)) == (0, 0)
