"""The log of a reply's events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from unavoce.chat.log import MAX_BYTES, EventLog


def _log(*steps: int | str) -> EventLog:
    log = EventLog()
    for step in steps:
        if isinstance(step, int):
            log.add("chat:audio_chunk", {"audio": b"x", "index": step}, step)
        else:
            log.add("chat:token", {"text": step})
    return log


def _shown(log: EventLog, after: int) -> list[int | str]:
    return [entry.payload["text"] if entry.index is None else entry.index for entry in log.after(after)]


def test_what_followed_a_chunk_comes_back_in_order() -> None:
    """Text and sound after the chunk a client knows, as they left."""
    log = _log("a", 0, "b", 1, "c", 2, "d")
    assert _shown(log, 0) == ["b", 1, "c", 2, "d"]
    assert _shown(log, -1) == ["a", 0, "b", 1, "c", 2, "d"]
    assert _shown(log, 2) == ["d"]


def test_text_told_while_a_chunk_waited_comes_back_with_what_followed_it() -> None:
    """Text that was queued behind a chunk is resent after it, though it was told before the chunk had left."""
    log = _log("a")
    queued_at = log.told
    log.add("chat:token", {"text": "b"})
    log.add("chat:audio_chunk", {"audio": b"x"}, 0, queued_at)
    assert _shown(log, 0) == ["b"]
    assert _shown(log, -1) == ["a", "b", 0]


def test_only_what_is_kept_is_kept() -> None:
    """After a stop, nothing but the end events is left to send again."""
    log = _log("a", 0)
    log.add("chat:done", {})
    log.keep_only({"chat:done"})
    assert [entry.name for entry in log.after(-1)] == ["chat:done"]
    log.keep_only(())
    assert log.size == 0


@given(st.lists(st.integers(1, 3_000_000), min_size=1, max_size=30), st.integers(-1, 30))
def test_the_newest_are_kept_within_the_bound(sizes: list[int], after: int) -> None:
    """However much is added, the log holds at most its bound, and what it gives back has no gap."""
    log = EventLog()
    for index, size in enumerate(sizes):
        log.add("chat:audio_chunk", {"audio": b"x" * size}, index)
        assert log.size <= MAX_BYTES
    indices = [entry.index for entry in log.after(after)]
    assert indices == list(range(len(sizes) - len(indices), len(sizes)))
    assert all(index is not None and index > after for index in indices)
