"""The long run's judgement, on replies and vitals that are given. Nothing here measures time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from bench.long_replies import Told, faults, new_text, odd_lengths
from bench.long_run import Outcome, Vitals, course_of
from bench.long_visits import begun_now

TEXT = "The kettle is on, sir. Dinner will be served at eight, in the blue room, as you wished."
SENTENCES = ("The kettle is on, sir.", "Dinner will be served at eight, in the blue room, as you wished.")
CALM = Vitals(0.0, 500.0, 2, 12, 10, 9, 0, 0, 0, None, None)
NOTHING: dict[str, Any] = {"faults": [], "kinds": {}, "busy": 0, "replies": 0, "sound_s": 0.0, "gaps": {}}


def chunk(index: int, sentence: int, seconds: float, text: str = "") -> tuple[str, dict[str, Any]]:
    told = {"index": index, "sentence": sentence, "seconds": seconds, "durationMs": seconds * 1000, "text": text}
    return "chat:audio_chunk", told


def told(kind: str = "wav") -> Told:
    """A reply as it should be."""
    cut = [("chat:sentence", {"sentence": number, "text": text}) for number, text in enumerate(SENTENCES)]
    sound = [chunk(0, 0, 0.5, SENTENCES[0]), chunk(1, 0, 1.0), chunk(2, 1, 4.0, SENTENCES[1])]
    return Told(kind, TEXT, events=[*cut, ("chat:text_done", {"text": TEXT}), *sound, *end()])


def end(reason: str = "complete", chunks: int = 3) -> list[tuple[str, dict[str, Any]]]:
    audio_done = {"reason": reason, "totalChunks": chunks, "skipped": []}
    return [("chat:audio_done", audio_done), ("chat:done", {"reason": reason})]


def test_a_reply_as_it_should_be_has_no_fault() -> None:
    """Chunks in order, one end, the whole text spoken."""
    assert faults(told()) == []


SPOILT: dict[str, Callable[[Told], object]] = {
    "chunks came as [1, 0, 2]": lambda one: one.events.insert(4, one.events.pop(3)),
    "chunks came as [0, 0, 1, 2]": lambda one: one.events.insert(3, one.events[3]),
    "sentences came as [1, 0, 1]": lambda one: one.events[3][1].update(sentence=1),  # type: ignore[attr-defined]
    "last longer or shorter": lambda one: one.events[4][1].update(seconds=0.9),  # type: ignore[attr-defined]
    "it ended with ['chat:text_done', 'chat:audio_done', 'chat:done', 'chat:done']": lambda one: one.events.append(
        one.events[-1]
    ),
    "it ended with ['chat:text_done', 'chat:done']": lambda one: one.events.pop(-2),
    "came after its end": lambda one: one.events.append(chunk(3, 1, 1.0)),
    "3 chunks were told, 2 came": lambda one: one.events.pop(5),
    "its reasons are failed": lambda one: one.events.__setitem__(slice(-2, None), end("failed")),
    "skipped": lambda one: one.events[-2][1]["skipped"].append({"sentence": 1}),
    "its text is": lambda one: one.events[2][1].update(text="Dinner"),  # type: ignore[attr-defined]
    "2 sentences were cut, 1 were spoken": lambda one: one.events[5][1].update(text=""),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("fault", SPOILT)
def test_whatever_is_wrong_with_a_reply_is_found(fault: str) -> None:
    """Order, end, number, reason, text and length each are looked at."""
    spoilt = told()
    SPOILT[fault](spoilt)
    assert any(fault in one for one in faults(spoilt))


def test_after_an_abort_only_the_end_may_come() -> None:
    """A chunk that comes after the acknowledgement is a fault, one before it is not."""
    stopped = Told("aborted", TEXT, "aborted", [chunk(0, 0, 1.0), ("chat:text_done", {}), *end("aborted", 1)], 1)
    assert faults(stopped) == []
    stopped.stopped_after = 0
    assert any("after its abort" in one for one in faults(stopped))


def test_text_that_is_told_twice_to_one_who_comes_back_counts_once() -> None:
    """Tokens and the text's end may be sent again after a connection was lost, and stand in their places."""
    returned = Told("returning", None, resumed=True)
    first, second = ("chat:token", {"text": "Good ", "start": 0}), ("chat:token", {"text": "evening.", "start": 5})
    for event in (first, second, second, ("chat:sentence", {"sentence": 0, "text": "Good evening."})):
        returned.add(*event)
    for event in (("chat:text_done", {"text": "Good evening."}), chunk(0, 0, 1.0, "Good evening."), *end(chunks=1)):
        returned.add(*event)
    assert faults(returned) == []
    returned.add(*chunk(0, 0, 1.0))
    assert faults(returned) != []


def test_sound_that_is_too_short_for_its_text_is_found() -> None:
    """One reply among many that lasts half as long a character stands out; what was stopped is not judged."""
    many = [told() for _ in range(9)]
    assert odd_lengths(many) == []
    short, stopped = told("short"), told("stopped")
    short.events = [chunk(0, 0, 2.5)]
    stopped.events, stopped.ends = short.events, "aborted"
    assert [one.partition(":")[0] for one in odd_lengths([*many, short, stopped])] == ["short"]


def test_a_gap_is_what_a_listener_waits_for_the_next_chunk() -> None:
    """A chunk that comes while another still sounds makes none; the first one, however late, is no gap."""
    late = told()
    for (_, payload), at in zip(
        [event for event in late.events if "seconds" in event[1]], (10.0, 10.5, 12.0), strict=True
    ):
        payload["at"] = at
    assert late.gaps_s == pytest.approx([0.5])
    assert late.ends_s == pytest.approx(16.0)


def outcome(seen: list[Vitals], before: Vitals = CALM, after: Vitals = CALM, *, duration_s: float = 300.0) -> Outcome:
    return Outcome(duration_s, before, after, seen, NOTHING, NOTHING)


def course(
    memory_mb: Callable[[float], float], threads: Callable[[float], int] = lambda _: 14, duration_s: int = 300
) -> list[Vitals]:
    looks = range(0, duration_s + 1, 2)
    return [replace(CALM, at_s=float(at), memory_mb=memory_mb(at), threads=threads(at)) for at in looks]


def test_memory_may_grow_in_the_first_third_and_not_after_it() -> None:
    """What fills while the run is young is no fault; two and a half per cent after that are."""
    assert outcome(course(lambda at: 400 + min(at, 90))).faults == []
    assert any("memory grew" in one for one in outcome(course(lambda at: 400 + at / 15)).faults)
    assert outcome(course(lambda at: 400 + at / 50)).faults == []


def test_in_an_hour_memory_may_grow_for_ten_minutes_and_by_two_per_cent() -> None:
    """Three per cent in the fifty minutes after that are a fault."""
    hour = partial(course, duration_s=3600)
    assert outcome(hour(lambda at: 400 + min(at, 590)), duration_s=3600.0).faults == []
    assert any("memory grew" in one for one in outcome(hour(lambda at: 400 + at / 250), duration_s=3600.0).faults)
    assert outcome(hour(lambda at: 400 + at / 500), duration_s=3600.0).faults == []


def test_a_short_run_begins_at_full_capacity() -> None:
    """So that what grows to its size has done so when growth is looked at; an hour is at 80 % from its start."""
    assert course_of(300.0) == [(100.0, 1.0), (200.0, 0.8)]
    assert [stretch for stretch in course_of(3600.0) if stretch.duration_s] == [(3600.0, 0.8)]


def test_what_is_left_over_or_grows_is_a_fault() -> None:
    """A task, a file or a process more than before, and threads that become more and more, are named."""
    steady = course(lambda _: 400.0)
    for name in ("tasks", "files", "processes"):
        left = outcome(steady, after=replace(CALM, **{name: getattr(CALM, name) + 1}))
        assert [one.partition(":")[0] for one in left.faults] == [name]
    assert any("threads grew" in one for one in outcome(course(lambda _: 400.0, lambda at: 12 + at // 20)).faults)
    assert any("threads: at most 14" in one for one in outcome(steady, after=replace(CALM, threads=15)).faults)


def test_the_tables_are_made_of_what_was_seen() -> None:
    """Every run has its tables, and one with faults a table of them."""
    assert len(list(outcome(course(lambda _: 400.0)).grids())) == 3
    grown = outcome(course(lambda at: 400 + at))
    assert [grid.title for grid in grown.grids()][-1] == "What must not be"


def test_visits_are_begun_up_to_the_wanted_share_of_the_listeners() -> None:
    """As many as fit, a few at a time, none where all seats are taken; two while the capacity is not known."""
    assert begun_now(20.0, wanted=0.8, under_way=4) == 3
    assert begun_now(20.0, wanted=0.8, under_way=15) == 1
    assert begun_now(20.0, wanted=0.8, under_way=16) == 0
    assert begun_now(15.0, wanted=0.8, under_way=16) == 0
    assert begun_now(None, wanted=0.8, under_way=0) == 2


def test_new_texts_are_new() -> None:
    """Hundreds of texts hold hardly a sentence twice, and each has the sentences that were asked for."""
    rng = random.Random(1)  # noqa: S311 - it draws texts, not keys
    texts = [new_text(rng, 8) for _ in range(200)]
    sentences = [one for text in texts for one in text.split(". ")]
    assert len(sentences) == 1600
    assert len(set(sentences)) > 1580
