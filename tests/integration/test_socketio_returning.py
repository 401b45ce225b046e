"""Clients that lose their connection and come back, and sessions with more than one client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.client import Listener, joined, listening, names
from tests.support.protocol import check_acknowledgement, check_event
from tests.support.server import ScriptedModel, Server, quick_engine, running_server, wire_to

SENTENCES = [f"This is sentence number {number} of the evening, sir. " for number in range(1, 9)]
TEXT = "".join(SENTENCES)
PIECES = [TEXT[place : place + 7] for place in range(0, len(TEXT), 7)]


async def undisturbed(server: Server) -> NDArray[np.int16]:
    """The samples of the reply when nothing happens to it."""
    async with listening(server.url) as listener:
        _, reply = await listener.say("Hello")
        await listener.end(reply)
        return joined(listener.chunks(reply))


def last_index(listener: Listener, reply: str) -> int:
    return max((chunk["index"] for chunk in listener.chunks(reply)), default=-1)


def check_once_each(chunks: list[dict[str, Any]], expected: NDArray[np.int16]) -> None:
    """Every index once, in order, and together the sound of the undisturbed reply."""
    assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
    assert np.array_equal(joined(chunks), expected)


def text_from(*listeners: Listener, reply: str) -> str:
    """The text that these connections together were told, each piece put where it belongs."""
    written: dict[int, str] = {}
    for listener in listeners:
        for token in listener.payloads(reply, "chat:token"):
            for offset, char in enumerate(token["text"]):
                assert written.setdefault(token["start"] + offset, char) == char
    return "".join(written[place] for place in sorted(written))


@pytest.mark.parametrize("heard", range(10))
async def test_a_cut_connection_loses_no_sound_and_repeats_none(data_dir: Path, heard: int) -> None:
    """Cut after so many chunks and joined again, a reply sounds to the sample as if nothing had happened."""
    model, engine = ScriptedModel(otherwise=PIECES), quick_engine(pieces=2, delay_s=0.01)
    async with running_server(data_dir, model=model, engine=engine) as server, wire_to(server.url) as wire:
        expected = await undisturbed(server)
        async with listening(wire.url) as listener:
            session, reply = await listener.say("Hello")
            await listener.reach(reply, "chat:audio_chunk", heard)
            wire.cut()
            await asyncio.wait_for(listener.gone.wait(), 60)
            last = last_index(listener, reply)
            async with listening(wire.url) as back:
                answer = await back.ok("chat:join", {"sessionId": session, "after": {reply: last}})
                check_acknowledgement("chat:join", answer)
                assert answer["replies"] == [{"replyId": reply, "nextIndex": last + 1}]
                events = await back.end(reply)
                check_once_each(listener.chunks(reply) + back.chunks(reply), expected)
                assert text_from(listener, back, reply=reply) == TEXT
                assert "chat:text_done" in names(listener.of(reply) + events)
                assert names(events)[-2:] == ["chat:audio_done", "chat:done"]
                assert names(events).count("chat:done") == 1
                for name, payload in events:
                    check_event(name, payload)
                assert back.payloads(reply, "chat:done")[0]["reason"] == "complete"


async def test_a_connection_that_falls_silent_is_taken_over_before_it_is_missed(data_dir: Path) -> None:
    """A client whose network vanished comes back on a new connection at once; the old one still counts as alive."""
    model, engine = ScriptedModel(otherwise=PIECES), quick_engine(delay_s=0.01)
    async with running_server(data_dir, model=model, engine=engine) as server, wire_to(server.url) as wire:
        expected = await undisturbed(server)
        async with listening(wire.url) as listener:
            session, reply = await listener.say("Hello")
            await listener.reach(reply, "chat:audio_chunk", 2)
            wire.freeze()
            got, last = listener.chunks(reply), last_index(listener, reply)
            async with listening(server.url) as back:
                await back.ok("chat:join", {"sessionId": session, "after": {reply: last}})
                await back.end(reply)
                check_once_each(got + back.chunks(reply), expected)
            wire.cut()


async def test_a_connection_lost_twice_still_loses_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three connections one after the other hear one reply between them, each chunk once; the server still stops."""
    monkeypatch.setattr("unavoce.chat.outbox.STUCK_S", 36_000)  # a lost client's writer does not wait for this
    # Held back, so that each connection has something to hear, however fast the ones before it were.
    parts = [TEXT[: len(TEXT) // 3], TEXT[len(TEXT) // 3 : 2 * len(TEXT) // 3], TEXT[2 * len(TEXT) // 3 :]]
    gates = [asyncio.Event(), asyncio.Event()]
    model = ScriptedModel({"Held": [parts[0], gates[0], parts[1], gates[1], parts[2]]}, otherwise=PIECES)
    engine = quick_engine(delay_s=0.01)
    async with running_server(data_dir, model=model, engine=engine) as server, wire_to(server.url) as wire:
        expected = await undisturbed(server)
        async with listening(wire.url) as listener:
            session, reply = await listener.say("Held")
            chunks: list[dict[str, Any]] = []
            for gate in gates:
                await listener.reach(reply, "chat:audio_chunk")
                wire.cut()
                gate.set()
                await asyncio.wait_for(listener.gone.wait(), 60)
                chunks += listener.chunks(reply)
                await listener.close()
                listener = Listener()  # noqa: PLW2901 - the person has a new connection
                await listener.client.connect(wire.url, transports=["websocket"])
                await listener.ok("chat:join", {"sessionId": session, "after": {reply: len(chunks) - 1}})
            await listener.end(reply)
            check_once_each(chunks + listener.chunks(reply), expected)
            await listener.close()


async def test_a_reply_ends_when_nobody_comes_back(data_dir: Path) -> None:
    """When the grace is over the reply of a lost client is stopped: the other tab sees its one end, as aborted."""
    model = ScriptedModel(otherwise=["Well, sir. ", asyncio.Event()])
    async with (
        running_server(data_dir, model=model, reconnect_grace_s=0.1) as server,
        wire_to(server.url) as wire,
        listening(server.url) as tab,
        listening(wire.url) as listener,
    ):
        session, reply = await listener.say("Hello")
        await tab.ok("chat:join", {"sessionId": session})
        wire.cut()
        events = await tab.end(reply)
        assert [name for name in names(events) if name.endswith("done")][-2:] == ["chat:audio_done", "chat:done"]
        assert tab.payloads(reply, "chat:done")[0]["reason"] == "aborted"
        assert model.open == 0


async def test_a_second_tab_gets_the_text_and_not_the_sound(data_dir: Path) -> None:
    """Joining without `after` tells the text so far and all that follows; sound stays where it was."""
    gate = asyncio.Event()
    model = ScriptedModel(otherwise=[*PIECES[:20], gate, *PIECES[20:]])
    async with (
        running_server(data_dir, model=model) as server,
        listening(server.url) as listener,
        listening(server.url) as tab,
    ):
        session, reply = await listener.say("Hello")
        await listener.reach(reply, "chat:audio_chunk", 1)
        answer = await tab.ok("chat:join", {"sessionId": session})
        assert [one["replyId"] for one in answer["replies"]] == [reply]
        again = await tab.ok("chat:join", {"sessionId": session})
        assert len(again["replies"]) == 1
        gate.set()
        await listener.end(reply)
        await tab.end(reply)
        assert tab.payloads(reply, "chat:token")[0]["start"] == 0
        assert text_from(tab, reply=reply) == TEXT
        assert tab.payloads(reply, "chat:sentence") == listener.payloads(reply, "chat:sentence")
        assert not tab.chunks(reply)
        assert names(tab.of(reply)).count("chat:text_done") == 1
        assert len(listener.chunks(reply)) == listener.payloads(reply, "chat:audio_done")[0]["totalChunks"]


async def test_sound_moves_to_the_tab_that_takes_it_over(data_dir: Path) -> None:
    """With `after` a second tab takes the sound over from the beginning; the first is told, and still gets text."""
    gate = asyncio.Event()
    model = ScriptedModel(otherwise=[*PIECES[:20], gate, *PIECES[20:]])
    async with (
        running_server(data_dir, model=model) as server,
        listening(server.url) as listener,
        listening(server.url) as tab,
    ):
        session, reply = await listener.say("Hello")
        await listener.reach(reply, "chat:audio_chunk", 1)
        await tab.ok("chat:join", {"sessionId": session, "after": {reply: -1}})
        await listener.ok("chat:history", {"sessionId": session})  # what was on its way to it has come
        heard_before = len(listener.chunks(reply))
        gate.set()
        await listener.end(reply)
        await tab.end(reply)
        assert len(listener.chunks(reply)) == heard_before
        told = [payload for name, payload in listener.events if name == "chat:sound_taken"]
        assert told == [{"sessionId": session, "replies": [reply]}]
        check_event("chat:sound_taken", told[0])
        assert "chat:sound_taken" not in names(tab.events)
        assert [chunk["index"] for chunk in tab.chunks(reply)] == list(range(len(tab.chunks(reply))))
        assert len(tab.chunks(reply)) == tab.payloads(reply, "chat:audio_done")[0]["totalChunks"]
        assert text_from(listener, reply=reply) == text_from(tab, reply=reply) == TEXT


async def test_a_reply_that_is_over_can_be_come_back_to_while_it_plays(data_dir: Path) -> None:
    """After chat:done the chunks from the next on and the end come again, with their numbers unchanged."""
    model = ScriptedModel(otherwise=PIECES)
    async with running_server(data_dir, model=model) as server, wire_to(server.url) as wire:
        async with listening(wire.url) as listener:
            session, reply = await listener.say("Hello")
            await listener.end(reply)
            wire.cut()
            await asyncio.wait_for(listener.gone.wait(), 60)
            chunks = listener.chunks(reply)
        async with listening(server.url) as back:
            await back.ok("chat:join", {"sessionId": session, "after": {reply: 3}})
            await back.end(reply)
            assert back.chunks(reply) == chunks[4:]
            assert names(back.of(reply))[-2:] == ["chat:audio_done", "chat:done"]


async def test_who_was_away_when_a_reply_was_stopped_learns_of_its_end(data_dir: Path) -> None:
    """Of a stopped reply only the end events are kept for a client that comes back."""
    model = ScriptedModel(otherwise=[*PIECES, asyncio.Event()])
    async with (
        running_server(data_dir, model=model) as server,
        wire_to(server.url) as wire,
        listening(server.url) as tab,
        listening(wire.url) as listener,
    ):
        session, reply = await listener.say("Hello")
        await tab.ok("chat:join", {"sessionId": session})
        await listener.reach(reply, "chat:audio_chunk", 2)
        wire.cut()
        await asyncio.wait_for(listener.gone.wait(), 60)
        assert (await tab.ok("chat:abort", {"sessionId": session}))["aborted"] == 1
        await tab.end(reply)
        async with listening(wire.url) as back:
            await back.ok("chat:join", {"sessionId": session, "after": {reply: 0}})
            await back.end(reply)
            assert names(back.of(reply)) == ["chat:text_done", "chat:audio_done", "chat:done"]
            assert back.payloads(reply, "chat:done")[0]["reason"] == "aborted"


async def test_what_the_buffer_no_longer_holds_is_named_in_next_index(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the oldest chunks are gone nextIndex is the first that is left; all from there on come, numbered as ever."""
    monkeypatch.setattr("unavoce.chat.log.MAX_BYTES", 60_000)
    model = ScriptedModel(otherwise=PIECES)
    async with running_server(data_dir, model=model) as server, wire_to(server.url) as wire:
        async with listening(wire.url) as listener:
            session, reply = await listener.say("Hello")
            await listener.end(reply)
            total = len(listener.chunks(reply))
        async with listening(server.url) as back:
            answer = await back.ok("chat:join", {"sessionId": session, "after": {reply: -1}})
            first = answer["replies"][0]["nextIndex"]
            assert 0 < first < total
            await back.end(reply)
            assert [chunk["index"] for chunk in back.chunks(reply)] == list(range(first, total))


async def test_a_chunk_that_was_not_sent_cannot_be_come_back_after(data_dir: Path) -> None:
    """`after` beyond what was sent is invalid, names the reply, and changes nothing."""
    model = ScriptedModel(otherwise=["Well, sir. ", asyncio.Event()])
    async with (
        running_server(data_dir, model=model) as server,
        listening(server.url) as listener,
        listening(server.url) as tab,
    ):
        session, reply = await listener.say("Hello")
        await listener.reach(reply, "chat:audio_chunk", 1)
        answer = await tab.call("chat:join", {"sessionId": session, "after": {reply: 7}})
        assert answer["error"]["code"] == "invalid"
        assert reply in answer["error"]["message"]
        for after in ({reply: -2}, {reply: "0"}, {reply: 0.5}, {reply: None}, [reply]):
            assert await tab.refused("chat:join", {"sessionId": session, "after": after}) == "invalid"
        assert await tab.refused("chat:join", {"sessionId": "x"}) == "unknown_session"
        assert not tab.of(reply)
        await listener.ok("chat:abort", {"sessionId": session})
        await listener.end(reply)


async def test_a_streamed_text_ends_by_itself_when_its_socket_is_lost(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A speak:start reply that was taken over takes no more text: what was received is spoken, then idle_timeout."""
    monkeypatch.setattr("unavoce.chat.speech_input.IDLE_S", 0.5)
    async with running_server(data_dir) as server, wire_to(server.url) as wire, listening(wire.url) as listener:
        begun = await listener.ok("speak:start", {})
        reply = begun["replyId"]
        await listener.ok("speak:text", {"replyId": reply, "text": "Good evening, sir. And"})
        wire.cut()
        async with listening(server.url) as back:
            await back.ok("chat:join", {"sessionId": begun["sessionId"], "after": {reply: -1}})
            assert await back.refused("speak:text", {"replyId": reply, "text": "x"}) == "unknown_reply"
            await back.end(reply)
            assert [one["code"] for one in back.payloads(reply, "chat:error")] == ["idle_timeout"]
            said = [chunk["text"].strip() for chunk in back.chunks(reply) if chunk["text"]]
            assert said == ["Good evening, sir.", "And"]
