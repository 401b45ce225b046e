"""The gold set: hand-cut texts in twelve languages."""

from __future__ import annotations

from bench.sentences import load_gold, ours, score, sentence_count


def test_the_gold_set_is_large_and_many_tongued() -> None:
    """It holds at least 150 sentences in at least five languages, most of them English."""
    texts = load_gold()
    english = sum(len(gold.starts) + 1 for gold in texts if gold.language == "en")
    assert sentence_count() >= 150
    assert len({gold.language for gold in texts}) >= 5
    assert english >= 90


def test_no_sentence_is_cut_wrongly_and_two_are_merged() -> None:
    """No cut stands where the gold set has none; the two known merges are all there are."""
    result = score(ours)
    assert result.wrong == []
    assert len(result.merged) <= 2, result.merged


def test_sentences_come_out_within_a_token_on_average() -> None:
    """The mean wait after a sentence's last token is at most one token, and never more than four."""
    result = score(ours)
    assert sum(result.waits) / len(result.waits) <= 1
    assert max(result.waits) <= 4
