from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.llm.sse import SseReader

STREAM = "data: eins\r\n\r\n: ping\n\nevent: x\ndata:zwei\ndata:  drei\n\nnonsense\n\nid: 7\rdata: vier é\r\rdata: fünf"
EVENTS = ["eins", "zwei\n drei", "vier é", "fünf"]


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM.encode())), max_size=20))
def test_any_split_gives_the_same_events(cuts: list[int]) -> None:
    """Events do not depend on how the bytes fell, line ends and characters cut in half included."""
    stream = STREAM.encode()
    reader = SseReader()
    edges = [0, *sorted(cuts), len(stream)]
    events = [event for a, b in itertools.pairwise(edges) for event in reader.feed(stream[a:b])]
    assert events + reader.flush() == EVENTS


def test_malformed_utf8_is_replaced() -> None:
    """A server's broken bytes become replacement characters and not an exception."""
    assert SseReader().feed(b"data: a\xff\xfeb\n\n") == ["a\ufffd\ufffdb"]


@pytest.mark.parametrize("piece", [b"x" * 100, b"data: x\n" * 26])
def test_an_endless_event_is_refused(piece: bytes) -> None:
    """Neither an endless line nor endless lines of one event can fill the memory."""
    reader = SseReader(max_event_bytes=150)
    reader.feed(piece)
    with pytest.raises(ValueError, match="more than 150 bytes"):
        reader.feed(piece)
