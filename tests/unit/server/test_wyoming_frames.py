"""Wyoming's frames are read as the package writes them, and within bounds, however they come."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.wyoming_bytes import garbage
from wyoming.event import Event, async_write_event

from unavoce.server.wyoming.frames import Bounds, Unreadable, read_event

BOUNDS = Bounds(data_bytes=4096, header_bytes=4096, payload_bytes=4096)
DATA = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=50) | st.integers(-5, 5),
    max_size=4,
)


class _Pipe:
    """A writer for the package, into a reader of ours."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, data: bytes) -> None:
        self.content += data

    def writelines(self, parts: Any) -> None:
        self.content += b"".join(parts)

    async def drain(self) -> None:
        pass


async def _read(*pieces: bytes, bounds: Bounds = BOUNDS) -> list[Event | Unreadable]:
    """All events in `pieces`, which come one after the other; the last may be why the rest cannot be read."""
    reader = asyncio.StreamReader(limit=bounds.header_bytes)

    async def feed() -> None:
        for piece in pieces:
            reader.feed_data(piece)
            await asyncio.sleep(0)
        reader.feed_eof()

    feeding = asyncio.create_task(feed())
    events: list[Event | Unreadable] = []
    try:
        while (event := await read_event(reader, bounds)) is not None:
            events.append(event)
    except Unreadable as error:
        events.append(error)
    await feeding
    return events


@given(st.lists(st.tuples(st.text("abc-", min_size=1), DATA), max_size=4), st.integers(1, 50))
def test_what_the_package_writes_is_read(sent: list[tuple[str, dict[str, Any]]], size: int) -> None:
    """Events come back as they were written, wherever the bytes are cut."""

    async def scenario() -> None:
        pipe = _Pipe()
        for kind, data in sent:
            await async_write_event(Event(kind, data, b"some sound"), pipe)  # type: ignore[arg-type]
        pieces = [pipe.content[start : start + size] for start in range(0, len(pipe.content), size)]
        events = await _read(*pieces)
        assert [(event.type, event.data) for event in events if isinstance(event, Event)] == sent

    asyncio.run(scenario())


@given(st.binary(max_size=200) | st.randoms(use_true_random=False).map(garbage))
def test_bytes_of_any_kind_are_events_or_unreadable(content: bytes) -> None:
    """Nothing else is raised, and no event is larger than its bounds."""
    for event in asyncio.run(_read(content)):
        assert isinstance(event, Unreadable) or len(json.dumps(event.data)) < 20 * BOUNDS.data_bytes


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\n", "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed"),
        (b"\xff\xfe\n", "malformed"),
        (b"[]\n", "malformed"),
        (b'{"data": {}}\n', "malformed"),
        (b'{"type": 3}\n', "malformed"),
        (b'{"type": "ping", "data": []}\n', "malformed"),
        (b'{"type": "ping", "data_length": -1}\n', "malformed"),
        (b'{"type": "ping", "data_length": true}\n', "malformed"),
        (b'{"type": "ping", "data_length": 2.0}\n', "malformed"),
        (b'{"type": "ping", "data_length": 2}\n[]', "malformed"),
        (b'{"type": "ping", "data_length": 9}\n{}', "malformed"),
        (b'{"type": "ping", "payload_length": 9}\nshort', "malformed"),
        (b'{"type": "pi', "malformed"),
        (b"[" * 4000 + b"\n", "malformed"),
        (b'{"type": "ping", "data_length": 4097}\n', "too_long"),
        (b'{"type": "ping", "payload_length": 4097}\n', "too_long"),
        (b'{"type": "ping", "data_length": ' + b"9" * 100 + b"}\n", "too_long"),
        (b'{"type": "' + 5000 * b"p", "too_long"),
    ],
)
async def test_what_cannot_be_read_says_why(content: bytes, code: str) -> None:
    """A length over its bound is refused by its number, before anything is waited for."""
    (error,) = await _read(content)
    assert isinstance(error, Unreadable)
    assert error.code == code


async def test_waiting_is_bounded() -> None:
    """An event that does not begin in time is a time-out; one that does not end in time cannot be read."""
    reader = asyncio.StreamReader()
    with pytest.raises(TimeoutError):
        await read_event(reader, replace(BOUNDS, idle_s=0.01))
    reader.feed_data(b'{"type"')
    with pytest.raises(Unreadable) as caught:
        await read_event(reader, replace(BOUNDS, event_s=0.01))
    assert caught.value.code == "too_slow"
