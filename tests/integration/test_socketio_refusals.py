"""What the server refuses, of whom, and with which code."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import socketio
from tests.support.client import Listener, check_order, listening
from tests.support.server import Answer, ScriptedModel, running_server

TWO_SENTENCES = ("Good evening, sir. ", "Dinner is ", "served.")


def model(**answers: Answer) -> ScriptedModel:
    return ScriptedModel(dict(answers), otherwise=TWO_SENTENCES)


async def test_a_wrong_key_is_refused_with_its_code(data_dir: Path) -> None:
    """Where keys are set a client without one, with a wrong one, or with nonsense for one is refused: unauthorised."""
    async with running_server(data_dir, api_keys=("right", "other")) as server:
        for auth in (None, {}, {"apiKey": "wrong"}, {"apiKey": ["right"]}, {"apiKey": None}, ["right"], "right"):
            listener = Listener()
            told: list[Any] = []
            listener.client.on("connect_error", told.append)
            with pytest.raises(socketio.exceptions.ConnectionError):
                await listener.client.connect(server.url, auth=auth, transports=["websocket"])
            assert told[-1]["data"] == {"code": "unauthorised"}, auth
            await listener.close()


async def test_another_keys_session_does_not_exist(data_dir: Path) -> None:
    """Ids work under the key that made them; under another every event answers unknown_session or unknown_reply."""
    async with (
        running_server(data_dir, model=model(), api_keys=("right", "other")) as server,
        listening(server.url, auth={"apiKey": "right"}) as mine,
        listening(server.url, auth={"apiKey": "other"}) as stranger,
    ):
        session, reply = await mine.say("Hello")
        spoken = (await mine.ok("speak:start", {}))["replyId"]
        assert await stranger.refused("chat:send", {"message": "x", "sessionId": session}) == "unknown_session"
        assert await stranger.refused("speak:start", {"sessionId": session}) == "unknown_session"
        assert await stranger.refused("chat:abort", {"sessionId": session}) == "unknown_session"
        assert await stranger.refused("chat:join", {"sessionId": session}) == "unknown_session"
        assert await stranger.refused("chat:history", {"sessionId": session}) == "unknown_session"
        played = {"replyId": reply, "index": 0, "positionMs": 0}
        assert await stranger.refused("chat:played", played) == "unknown_reply"
        assert await stranger.refused("speak:text", {"replyId": spoken, "text": "x"}) == "unknown_reply"
        assert await stranger.refused("speak:end", {"replyId": spoken}) == "unknown_reply"
        await mine.ok("speak:end", {"replyId": spoken})
        check_order(await mine.end(reply))
        assert not any(name != "engine:status" for name, _ in stranger.events if name != "ack")
        async with listening(server.url, auth={"apiKey": "right"}) as second_tab:
            await second_tab.ok("chat:join", {"sessionId": session})


async def test_another_replys_ids_are_not_accepted(data_dir: Path) -> None:
    """A reply of another session of the same key, or an invented one, is unknown_reply."""
    async with (
        running_server(data_dir, model=model()) as server,
        listening(server.url) as one,
        listening(server.url) as other,
    ):
        session, reply = await one.say("Hello")
        theirs, their_reply = await other.say("Hello")
        for unknown in (their_reply, "x", "é" * 100):
            assert await one.refused("chat:abort", {"sessionId": session, "replyId": unknown}) == "unknown_reply"
            after = {"sessionId": session, "after": {unknown: -1}}
            assert await one.refused("chat:join", after) == "unknown_reply"
            played = {"replyId": unknown, "index": 0, "positionMs": 0}
            assert await one.refused("chat:played", played) == "unknown_reply"
        await one.end(reply)
        await other.end(their_reply)
        assert theirs != session


async def test_too_many_replies_are_refused_whole(data_dir: Path) -> None:
    """Beyond the limits a new reply is `busy`, of the session and in all, and those that run are not touched."""
    gate = asyncio.Event()
    script = ScriptedModel(otherwise=("Well. ", gate, "Done."))
    limits = {"max_replies": 3, "max_replies_per_session": 2}
    async with (
        running_server(data_dir, model=script, **limits) as server,
        listening(server.url) as one,
        listening(server.url) as other,
    ):
        session, first = await one.say("1")
        _, second = await one.say("2", sessionId=session)
        assert await one.refused("chat:send", {"message": "3", "sessionId": session}) == "busy"
        assert await one.refused("speak:start", {"sessionId": session}) == "busy"
        _, third = await other.say("3")
        assert await other.refused("chat:send", {"message": "4"}) == "busy"
        gate.set()
        for listener, reply in ((one, first), (one, second), (other, third)):
            await listener.end(reply)
            assert listener.payloads(reply, "chat:done")[0]["reason"] == "complete"
        _, fourth = await other.say("4")
        await other.end(fourth)
        history = (await one.ok("chat:history", {"sessionId": session}))["messages"]
        assert [entry["text"] for entry in history if entry["role"] == "user"] == ["1", "2"]


async def test_refusals_name_the_field(data_dir: Path) -> None:
    """Missing, mistyped, empty and over-long input is answered with its code, and the message names what is wrong."""
    async with running_server(data_dir, max_message_chars=100) as server, listening(server.url) as listener:
        for event, payload, code, named in (
            ("chat:send", None, "invalid", "payload"),
            ("chat:send", "Hello", "invalid", "payload"),
            ("chat:send", b"Hello", "invalid", "payload"),
            ("chat:send", {}, "invalid", "message"),
            ("chat:send", {"message": b"Hello"}, "invalid", "message"),
            ("chat:send", {"message": "Hello", "speed": "fast"}, "invalid", "speed"),
            ("chat:send", {"message": "Hello", "speed": 3.0}, "invalid", "speed"),
            ("chat:send", {"message": "Hello", "format": "mp3"}, "invalid", "format"),
            ("chat:send", {"message": "Hello", "speak": "no"}, "invalid", "speak"),
            ("chat:send", {"message": "Hello", "sessionId": "x" * 101}, "invalid", "sessionId"),
            ("chat:send", {"message": "  \n\t"}, "empty", "message"),
            ("chat:send", {"message": "x" * 101}, "too_long", "101"),
            ("chat:abort", {}, "invalid", "sessionId"),
            ("chat:abort", {"sessionId": "x"}, "unknown_session", "x"),
            ("chat:played", {"replyId": "x", "index": True, "positionMs": 0}, "invalid", "index"),
            ("chat:no_such_event", {}, "unknown_event", "no_such_event"),
        ):
            answer = await listener.call(event, payload)
            assert answer["ok"] is False, (event, payload)
            assert answer["error"]["code"] == code, (event, payload, answer)
            assert named in answer["error"]["message"], (event, payload, answer)
        _, reply = await listener.say("x" * 100)
        check_order(await listener.end(reply))
