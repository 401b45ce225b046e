"""The terminal's connection on a real server: a wire that breaks in the middle of a reply costs nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.server import PATIENCE_S, ScriptedModel, running_server, wire_to

from unavoce.cli.link import Link
from unavoce.errors import RequestError, StartError

TEXT = "Good evening, sir. Dinner is served. The car waits outside."


class Terminal:
    """What the person at the terminal hears and reads."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.told: list[str] = []


@asynccontextmanager
async def _linked(url: str, terminal: Terminal, key: str | None = None) -> AsyncIterator[Link]:
    link = Link(url, key, terminal.heard.append, terminal.told.append)
    try:
        await link.connect()
        async with asyncio.timeout(PATIENCE_S):
            yield link
    finally:
        await link.close()


async def _until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110 - the link has no event of its own for what a test waits for
        await asyncio.sleep(0.01)


async def test_a_message_is_answered_in_text_and_sound(data_dir: Path) -> None:
    """The turn ends with the whole text, a place for each sentence and every chunk heard once, in order."""
    terminal = Terminal()
    async with (
        running_server(data_dir, model=ScriptedModel(otherwise=(TEXT,))) as server,
        _linked(server.url, terminal) as link,
    ):
        turn = await link.send("Hello")
        await _until(lambda: turn.reason)
    assert (turn.text, turn.reason, turn.faults) == (TEXT, "complete", [])
    assert [TEXT[start:end].strip() for start, end in turn.places.values()] == [
        "Good evening, sir.",
        "Dinner is served.",
        "The car waits outside.",
    ]
    assert [chunk["index"] for chunk in terminal.heard] == list(range(turn.next_index))
    assert turn.next_index >= 3


async def test_a_broken_wire_loses_and_repeats_nothing(data_dir: Path) -> None:
    """Cut in the middle of a reply, the link comes back by itself and the turn ends as if nothing had been."""
    go_on = asyncio.Event()
    model = ScriptedModel(otherwise=("Good evening, sir. Dinner ", go_on, "is served. The car ", "waits outside."))
    terminal = Terminal()
    async with (
        running_server(data_dir, model=model) as server,
        wire_to(server.url) as wire,
        _linked(wire.url, terminal) as link,
    ):
        turn = await link.send("Hello")
        await _until(lambda: terminal.heard)
        wire.cut()
        await _until(lambda: any("lost" in line for line in terminal.told))
        go_on.set()
        await _until(lambda: turn.reason)
    assert "connected again" in terminal.told
    assert (turn.text, turn.reason) == (TEXT, "complete")
    assert [chunk["index"] for chunk in terminal.heard] == list(range(turn.next_index))
    assert len(turn.places) == 3


async def test_an_abort_stops_the_reply_and_not_the_conversation(data_dir: Path) -> None:
    """After it the same session answers the next message."""
    never = asyncio.Event()
    model = ScriptedModel({"Go on": ("Good evening, sir. And ", never)}, otherwise=(TEXT,))
    terminal = Terminal()
    async with running_server(data_dir, model=model) as server, _linked(server.url, terminal) as link:
        first = await link.send("Go on")
        await _until(lambda: terminal.heard)
        await link.abort()
        await _until(lambda: first.reason)
        second = await link.send("Hello")
        await _until(lambda: second.reason)
    assert (first.reason, second.reason) == ("aborted", "complete")
    assert first.over(time.monotonic())
    assert model.asked[-1][0].text == "Go on"


async def test_a_refused_message_says_why(data_dir: Path) -> None:
    """A refusal is an error with the server's own words, and the link stays usable."""
    terminal = Terminal()
    async with running_server(data_dir, max_message_chars=5) as server, _linked(server.url, terminal) as link:
        with pytest.raises(RequestError):
            await link.send("far too long")
        turn = await link.send("Hello")
        await _until(lambda: turn.reason)
    assert turn.reason == "complete"


async def test_a_key_is_needed_where_keys_are_set(data_dir: Path) -> None:
    """Without it connecting fails and names the way out; with it the server answers."""
    async with running_server(data_dir, api_keys=("k1",)) as server:
        with pytest.raises(StartError, match="API key"):
            async with _linked(server.url, Terminal()):
                pass
        async with _linked(server.url, Terminal(), "k1") as link:
            turn = await link.send("Hello")
            await _until(lambda: turn.reason)
    assert turn.reason == "complete"
