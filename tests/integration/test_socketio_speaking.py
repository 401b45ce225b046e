"""Replies whose text the client streams: speak:start, speak:text, speak:end."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.client import Listener, joined, listening, names
from tests.support.protocol import check_event
from tests.support.raw import raw_client
from tests.support.server import quick_engine, running_server

from unavoce.narration.plan import Plan

TEXT = "Good evening, sir. Dinner is served. Dr. Smith paid $3.50 at 10 a.m. for it."


async def spoken(listener: Listener, pieces: list[str]) -> str:
    """Stream `pieces`, end, and wait for the reply's end; its id."""
    reply: str = (await listener.ok("speak:start", {}))["replyId"]
    for piece in pieces:
        await listener.client.emit("speak:text", {"replyId": reply, "text": piece})
    await listener.ok("speak:end", {"replyId": reply})
    await listener.end(reply)
    return reply


async def test_a_streamed_text_has_every_event_but_tokens(data_dir: Path) -> None:
    """speak:start replies have sentences, sound and the three ends as the page says, and no chat:token."""
    async with running_server(data_dir) as server, listening(server.url) as listener:
        reply = await spoken(listener, [TEXT])
        events = listener.of(reply)
        for name, payload in events:
            check_event(name, payload)
        assert set(names(events)) == {
            "chat:sentence",
            "chat:audio_chunk",
            "chat:text_done",
            "chat:audio_done",
            "chat:done",
        }
        assert listener.payloads(reply, "chat:done")[0]["text"] == TEXT


async def test_a_second_tab_gets_no_tokens_of_a_streamed_text(data_dir: Path) -> None:
    """Who joins a session with a running speak:start reply is told its sentences, and no chat:token."""
    async with running_server(data_dir) as server, listening(server.url) as listener, listening(server.url) as tab:
        begun = await listener.ok("speak:start", {})
        reply = begun["replyId"]
        await listener.ok("speak:text", {"replyId": reply, "text": TEXT})
        await listener.reach(reply, "chat:sentence", 1)
        await tab.ok("chat:join", {"sessionId": begun["sessionId"]})
        await listener.ok("speak:end", {"replyId": reply})
        await tab.end(reply)
        await listener.end(reply)
        assert "chat:token" not in names(tab.of(reply))
        assert tab.payloads(reply, "chat:sentence") == listener.payloads(reply, "chat:sentence")


async def test_one_character_pieces_sound_like_the_whole_text(data_dir: Path) -> None:
    """A text in one-character pieces gives the same sentences and the same samples as in one piece."""
    async with running_server(data_dir) as server, listening(server.url) as listener:
        whole = await spoken(listener, [TEXT])
        pieces = await spoken(listener, list(TEXT))
        cut = [[(one["start"], one["text"]) for one in listener.payloads(r, "chat:sentence")] for r in (whole, pieces)]
        assert cut[0] == cut[1]
        assert np.array_equal(joined(listener.chunks(whole)), joined(listener.chunks(pieces)))


async def test_any_split_of_a_text_sounds_the_same(data_dir: Path) -> None:
    """However a text is split into speak:text events, over the wire come the same sentences and samples."""
    async with running_server(data_dir) as server, listening(server.url) as listener:
        expected = joined(listener.chunks(await spoken(listener, [TEXT])))
        splits: list[list[int]] = []

        @settings(max_examples=20, database=None, suppress_health_check=list(HealthCheck), deadline=None)
        @given(st.lists(st.integers(1, len(TEXT) - 1), unique=True, max_size=30).map(sorted))
        def draw(places: list[int]) -> None:
            splits.append(places)

        draw()
        for places in splits:
            edges = [0, *places, len(TEXT)]
            pieces = [TEXT[start:end] for start, end in pairwise(edges)]
            reply = await spoken(listener, pieces)
            assert np.array_equal(joined(listener.chunks(reply)), expected), pieces


async def test_a_hundred_thousand_tiny_pieces_are_taken(data_dir: Path) -> None:
    """100,000 pieces of one character make one reply with the whole text; one more is too long; others go on."""
    asyncio.get_running_loop().set_debug(False)  # a minute instead of a quarter of one, for nothing
    text = ("Dinner is served, sir. " * 60 + "\n```\n").ljust(99_996, "x") + "\n```"
    assert len(text) == 100_000
    unbounded = patch("unavoce.narration.planner.Plan", lambda **plan: Plan(**{**plan, "sent_ahead_s": None}))
    with unbounded:
        async with (
            running_server(data_dir, max_events_per_s=100_000) as server,
            raw_client(server.url) as raw,
            listening(server.url) as other,
        ):
            reply = (await raw.call("speak:start", {}))["replyId"]
            for place, piece in enumerate(text):
                payload = {"replyId": reply, "text": piece}
                # Now and then an acknowledgement: a flood without a pause would keep its own pong waiting.
                if place % 1000 == 999:
                    assert await raw.call("speak:text", payload) == {"ok": True}
                else:
                    await raw.event("speak:text", payload)
                if place == 50_000:
                    _, beside = await other.say("Hello")
                    await other.end(beside)
                    assert other.payloads(beside, "chat:done")[0]["reason"] == "complete"
            refused = await raw.call("speak:text", {"replyId": reply, "text": "y"})
            assert refused["error"]["code"] == "too_long"
            await raw.call("speak:end", {"replyId": reply})
            await raw.until(lambda: raw.events[-1][0] == "chat:done")
            assert (raw.events[-1][1]["text"], raw.events[-1][1]["reason"]) == (text, "complete")
            chunks = [payload for name, payload in raw.events if name == "chat:audio_chunk"]
            assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
            assert len([chunk for chunk in chunks if chunk["last"]]) >= 60


async def test_after_the_end_of_the_text_more_is_refused(data_dir: Path) -> None:
    """speak:text and speak:end after speak:end are `ended`, while the reply is still being spoken."""
    engine = quick_engine(delay_s=0.3)
    async with running_server(data_dir, engine=engine) as server, listening(server.url) as listener:
        reply = (await listener.ok("speak:start", {}))["replyId"]
        await listener.ok("speak:text", {"replyId": reply, "text": TEXT})
        await listener.ok("speak:end", {"replyId": reply})
        assert await listener.refused("speak:text", {"replyId": reply, "text": "x"}) == "ended"
        assert await listener.refused("speak:end", {"replyId": reply}) == "ended"
        await listener.end(reply)
        assert listener.payloads(reply, "chat:done")[0]["reason"] == "complete"
        assert await listener.refused("speak:text", {"replyId": reply, "text": "x"}) == "unknown_reply"


async def test_only_the_starting_socket_adds_text(data_dir: Path) -> None:
    """Another socket of the same session cannot add to or end the text; neither works on a chat:send reply."""
    async with running_server(data_dir) as server, listening(server.url) as listener, listening(server.url) as tab:
        begun = await listener.ok("speak:start", {})
        reply = begun["replyId"]
        await tab.ok("chat:join", {"sessionId": begun["sessionId"]})
        assert await tab.refused("speak:text", {"replyId": reply, "text": "x"}) == "unknown_reply"
        assert await tab.refused("speak:end", {"replyId": reply}) == "unknown_reply"
        _, answer = await listener.say("Hello")
        assert await listener.refused("speak:text", {"replyId": answer, "text": "x"}) == "unknown_reply"
        await listener.ok("speak:text", {"replyId": reply, "text": "Mine."})
        await listener.ok("speak:end", {"replyId": reply})
        await listener.end(reply)
        assert listener.payloads(reply, "chat:done")[0]["text"] == "Mine."


async def test_a_text_that_stops_coming_is_spoken_and_ended(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without speak:text for the idle time what was received is spoken and the reply ends once, with idle_timeout."""
    monkeypatch.setattr("unavoce.chat.speech_input.IDLE_S", 0.2)
    async with running_server(data_dir) as server, listening(server.url) as listener:
        reply = (await listener.ok("speak:start", {}))["replyId"]
        await listener.ok("speak:text", {"replyId": reply, "text": "Good evening. And then"})
        events = await listener.end(reply)
        assert [one["code"] for one in listener.payloads(reply, "chat:error")] == ["idle_timeout"]
        assert listener.payloads(reply, "chat:done")[0]["reason"] == "failed"
        said = [chunk["text"].strip() for chunk in listener.chunks(reply) if chunk["text"]]
        assert said == ["Good evening.", "And then"]
        assert names(events).count("chat:audio_done") == 1
        assert await listener.refused("speak:text", {"replyId": reply, "text": "x"}) == "unknown_reply"


async def test_an_empty_text_ends_properly(data_dir: Path) -> None:
    """speak:start and speak:end with nothing, or with nothing to say, between them end complete and without a chunk."""
    async with running_server(data_dir) as server, listening(server.url) as listener:
        for pieces in ([], [""], ["   \n"], ["```\ncode\n```"], ["🙂"]):
            reply = await spoken(listener, pieces)
            assert names(listener.of(reply))[-3:] == ["chat:text_done", "chat:audio_done", "chat:done"]
            done = listener.payloads(reply, "chat:done")[0]
            assert (done["reason"], done["text"]) == ("complete", "".join(pieces))


async def test_a_stopped_text_takes_no_more(data_dir: Path) -> None:
    """After chat:abort the reply ends as aborted and speak:text is refused."""
    async with running_server(data_dir) as server, listening(server.url) as listener:
        begun = await listener.ok("speak:start", {})
        reply = begun["replyId"]
        await listener.ok("speak:text", {"replyId": reply, "text": TEXT})
        await listener.reach(reply, "chat:audio_chunk")
        assert (await listener.ok("chat:abort", {"sessionId": begun["sessionId"]}))["aborted"] == 1
        await listener.end(reply)
        assert listener.payloads(reply, "chat:done")[0]["reason"] == "aborted"
        assert await listener.refused("speak:text", {"replyId": reply, "text": "x"}) == "unknown_reply"
