"""What must hold of a reply's trace, whatever happened to the reply."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from unavoce.engines.fake import Call, FakeEngine
from unavoce.narration.trace import MAX_ATTEMPTS, Attempt, ReplyTrace, SentenceTrace


def check_running(trace: ReplyTrace, number: int, engine: str) -> None:
    """A chunk of sentence `number`, spoken by `engine`, has just left."""
    sentence = trace.sentences[number]
    assert sentence.engine == engine
    check_times(sentence)


def check_ended(trace: ReplyTrace, engines: list[FakeEngine], *, whole: bool) -> None:
    """The reply is over; `whole`: it was not stopped."""
    assert trace.ended is not None
    assert [one.number for one in trace.sentences] == list(range(len(trace.sentences)))
    for sentence in trace.sentences:
        check_times(sentence)
        _check_attempts(sentence, engines)
        if whole and sentence.sent_s is not None and sentence.skipped is None:
            assert sentence.synthesised_s is not None
            assert sentence.last_sent_s is not None
            assert sentence.synthesised_s <= sentence.last_sent_s
    _check_playback(trace)


def check_times(sentence: SentenceTrace) -> None:
    """Nothing of a sentence comes before what it needs."""
    sentence.look()
    _check_order([sentence.cut_s, sentence.queued_s, sentence.started_s, sentence.synthesised_s])
    _check_order([sentence.cut_s, sentence.queued_s, sentence.started_s, sentence.sent_s, sentence.last_sent_s])
    assert (sentence.sent_s is None) == (sentence.chunks == 0) == (sentence.engine is None) == (sentence.cache is None)
    if sentence.cache in ("memory", "disk"):
        assert sentence.synthesised_s is not None
        assert sentence.sent_s is not None
        assert sentence.synthesised_s <= sentence.sent_s


def _check_attempts(sentence: SentenceTrace, engines: list[FakeEngine]) -> None:
    assert len(sentence.attempts) <= MAX_ATTEMPTS
    for attempt in sentence.attempts:
        assert attempt.outcome is not None
        assert attempt.claims == [], "the trace holds on to a clip"
        assert (attempt.reason == "") == (attempt.outcome == "spoken")
        _check_order([attempt.asked_s, attempt.started_s, attempt.ended_s])
        if attempt.started_s is not None:
            assert attempt.engine_asked
            assert _was_asked(attempt, engines), f"{attempt} was not asked"
    if sentence.cache == "none":
        asked = [one.engine for one in sentence.attempts if one.started_s is not None]
        assert sentence.engine in asked, "somebody spoke who was not asked"


def _was_asked(attempt: Attempt, engines: list[FakeEngine]) -> bool:
    """A call of that engine began just then, or was under way; or it had made the clip for another reply."""
    calls = [call for engine in engines if engine.name == attempt.engine for call in engine.calls]
    at_s = attempt.started_s
    found = attempt.ended_s == attempt.asked_s
    return any(_under_way(call, at_s) or (found and _made_before(call, at_s)) for call in calls)


def _under_way(call: Call, at_s: float | None) -> bool:
    return at_s is not None and call.started_at <= at_s and (call.ended_at is None or call.ended_at >= at_s)


def _made_before(call: Call, at_s: float | None) -> bool:
    return at_s is not None and call.outcome == "done" and call.ended_at is not None and call.ended_at < at_s


def _check_playback(trace: ReplyTrace) -> None:
    """Sentences are heard one after the other, none before it was sent, none after the stop."""
    played = [(one, plays) for one in trace.sentences if (plays := trace.plays(one)) is not None]
    for sentence, (from_s, to_s) in played:
        assert sentence.sent_s is not None
        assert sentence.sent_s <= from_s <= to_s <= (trace.stopped_s or to_s)
    for (_, (_, over_s)), (_, (next_s, _)) in pairwise(played):
        assert over_s <= next_s + 1e-6


def _check_order(times_s: Sequence[float | None]) -> None:
    reached = [one for one in times_s if one is not None]
    assert reached == sorted(reached), f"out of order: {times_s}"
