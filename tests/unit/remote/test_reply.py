"""One reply as its listener on this side sees it: whatever the server sends, chunks in order and one end."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.audio.wav import wav_bytes
from unavoce.errors import EngineError, EngineUnavailable, RequestError
from unavoce.remote.reply import RemoteReply

RATE_HZ = 8_000


def wired(index: int, **changes: Any) -> dict[str, Any]:
    """A chunk as the server sends it; its samples are its number."""
    return {
        "index": index,
        "sentence": index,
        "last": True,
        "contentType": "audio/wav",
        "audio": wav_bytes(np.full(80, index, np.int16), RATE_HZ),
        "durationMs": 10,
        "sampleRate": RATE_HZ,
        "engine": "fake",
        "voice": "tone",
        "cache": "none",
        "text": f"Sentence {index}.",
        **changes,
    }


def ended(reply: RemoteReply, reason: str = "complete") -> RemoteReply:
    reply.audio_done({"skipped": []})
    reply.done({"reason": reason})
    return reply


def heard(reply: RemoteReply) -> list[int]:
    async def take() -> list[int]:
        return [chunk.index async for chunk in reply]

    return asyncio.run(take())


@given(st.lists(st.integers(0, 8)))
def test_whatever_comes_twice_every_chunk_is_heard_once_and_in_order(resent_from: list[int]) -> None:
    """Chunks that were missed come again from any place after each lost connection; the loop sees none of it."""
    reply = RemoteReply()
    for start in [*resent_from, 0]:
        for index in range(min(start, reply.next_index), 8):
            reply.chunk(wired(index))
    assert heard(ended(reply)) == list(range(8))
    reply.check()


def test_a_missing_chunk_is_an_error_and_not_a_gap() -> None:
    """What came before it is heard, then EngineError."""
    reply = RemoteReply()
    reply.chunk(wired(0))
    reply.chunk(wired(2))
    assert heard(reply) == [0]
    with pytest.raises(EngineError, match="chunk 1"):
        reply.check()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*wired(0)]), JUNK)
def test_a_chunk_that_is_none_ends_the_reply_with_an_error(field: str, value: object) -> None:
    """Whatever one of its fields holds, a chunk is taken or the reply ends; nothing else is raised."""
    reply = RemoteReply()
    reply.chunk({**wired(0), field: value})
    taken = heard(ended(reply)) == [0]
    if not taken:
        with pytest.raises(EngineError):
            reply.check()


@given(JUNK, JUNK)
def test_any_end_is_an_end(skipped: object, reason: object) -> None:
    """Whatever the server says of the end, the loop ends, and only `complete` without skipped sentences is silent."""
    reply = RemoteReply()
    reply.audio_done({"skipped": skipped})
    reply.done({"reason": reason})
    assert heard(reply) == []
    with pytest.raises((EngineError, RequestError)):
        reply.check()


def test_the_ends_have_their_errors() -> None:
    """Skipped sentences, a fault, and a reply that the server stopped are told apart."""
    skipping, faulty, stopped = RemoteReply(), RemoteReply(), RemoteReply()
    skipping.audio_done({"skipped": [{"sentence": 3, "reason": "no engine"}]})
    faulty.fault({"code": "idle_timeout", "message": "no text"})
    for reply, reason in ((skipping, "failed"), (faulty, "failed"), (stopped, "aborted")):
        reply.done({"reason": reason})
    with pytest.raises(EngineError, match="number 3: no engine"):
        skipping.check()
    with pytest.raises(RequestError) as fault:
        faulty.check()
    assert fault.value.code == "idle_timeout"
    with pytest.raises(EngineUnavailable, match="stopped"):
        stopped.check()


def test_what_waits_for_the_loop_is_known() -> None:
    """A reply lags when more sound waits than the bound, until the loop has taken it."""
    reply = RemoteReply()
    long = wav_bytes(np.ones(15 * RATE_HZ, np.int16), RATE_HZ)
    reply.chunk(wired(0, audio=long))
    assert (reply.lags, reply.taken_index) == (False, 0)
    reply.chunk(wired(1, audio=long))
    assert (reply.lags, reply.taken_index) == (True, 0)
    assert heard(ended(reply)) == [0, 1]
    assert (reply.lags, reply.taken_index) == (False, 1)
