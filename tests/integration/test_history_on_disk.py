"""History on disk, with real servers in this process that start anew on the same data directory."""

from __future__ import annotations

import asyncio
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.archive import events
from tests.support.client import Listener, listening
from tests.support.protocol import check_acknowledgement
from tests.support.server import ScriptedModel, Server, running_server

from unavoce.chat.archive.archive import Archive
from unavoce.llm.base import Message

QUESTION, ANSWER = "What is the capital of Assyria?", "It was Nineveh, sir."
DISK: dict[str, Any] = {"history": "disk"}


def model() -> ScriptedModel:
    return ScriptedModel({QUESTION: ("It was ", "Nineveh, sir.")}, otherwise=("Very good, sir.",))


async def told(listener: Listener, session: str) -> list[dict[str, Any]]:
    answer = await listener.ok("chat:history", {"sessionId": session})
    check_acknowledgement("chat:history", answer)
    messages: list[dict[str, Any]] = answer["messages"]
    return messages


async def test_a_conversation_goes_on_after_a_restart(data_dir: Path) -> None:
    """The session is known, tells the same messages, is joined and gone on with, and the model sees what was said."""
    async with running_server(data_dir, model=model(), **DISK) as server, listening(server.url) as listener:
        session, reply = await listener.say(QUESTION, speak=False)
        await listener.end(reply)
        before = await told(listener, session)
    assert [message["text"] for message in before] == [QUESTION, ANSWER]
    async with running_server(data_dir, model=model(), **DISK) as server, listening(server.url) as listener:
        assert await told(listener, session) == before
        assert (await listener.ok("chat:join", {"sessionId": session}))["replies"] == []
        same, reply = await listener.say("And then?", sessionId=session)
        assert same == session
        await listener.end(reply)
        assert server.model.asked == [
            [Message("user", QUESTION), Message("assistant", ANSWER), Message("user", "And then?")]
        ]
        after = await told(listener, session)
    assert after[:2] == before
    assert [message["text"] for message in after[2:]] == ["And then?", "Very good, sir."]


async def test_a_session_is_the_same_keys_only(data_dir: Path) -> None:
    """After a restart it is unknown under another key, and to whoever has none."""
    keys = {"api_keys": ("first", "second")}
    async with (
        running_server(data_dir, **DISK, **keys) as server,
        listening(server.url, auth={"apiKey": "first"}) as listener,
    ):
        session, reply = await listener.say(QUESTION, speak=False)
        await listener.end(reply)
    async with running_server(data_dir, **DISK, **keys) as server:
        async with listening(server.url, auth={"apiKey": "second"}) as listener:
            for event in ("chat:history", "chat:join", "chat:forget"):
                assert await listener.refused(event, {"sessionId": session}) == "unknown_session"
        async with listening(server.url, auth={"apiKey": "first"}) as listener:
            assert len(await told(listener, session)) == 2
    async with running_server(data_dir, **DISK) as server, listening(server.url) as listener:
        assert await listener.refused("chat:history", {"sessionId": session}) == "unknown_session"


async def test_the_file_is_its_users_alone(data_dir: Path) -> None:
    """Neither the file nor what SQLite keeps beside it can be read by others, also where it could before."""
    (data_dir / "history.sqlite").touch(0o644)
    async with running_server(data_dir, **DISK) as server, listening(server.url) as listener:
        _, reply = await listener.say(QUESTION, speak=False)
        await listener.end(reply)
        await archive_of(server).flush()
        modes = await asyncio.to_thread(modes_in, data_dir)
    assert modes == dict.fromkeys(("history.lock", "history.sqlite", "history.sqlite-shm", "history.sqlite-wal"), 0o600)


def archive_of(server: Server) -> Archive:
    archive = server.app.chat.archive
    assert archive is not None
    return archive


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("history*")}


@pytest.mark.parametrize("history", ["memory", "disk"])
async def test_a_session_that_is_forgotten_is_unknown(data_dir: Path, history: str) -> None:
    """It had two messages; afterwards nobody knows it, now and after a restart. Another session is not touched."""
    async with (
        running_server(data_dir, history=history) as server,
        listening(server.url) as listener,
        listening(server.url) as other,
    ):
        session, reply = await listener.say(QUESTION, speak=False)
        await listener.end(reply)
        left, reply = await listener.say("Good evening.", speak=False)
        await listener.end(reply)
        await other.ok("chat:join", {"sessionId": session})
        answer = await listener.ok("chat:forget", {"sessionId": session})
        check_acknowledgement("chat:forget", answer)
        assert answer["messages"] == 2
        for one in (listener, other):
            assert await one.refused("chat:history", {"sessionId": session}) == "unknown_session"
            assert await one.refused("chat:forget", {"sessionId": session}) == "unknown_session"
        assert len(await told(listener, left)) == 2
    async with running_server(data_dir, history=history) as server, listening(server.url) as listener:
        assert await listener.refused("chat:history", {"sessionId": session}) == "unknown_session"
        if history == "disk":
            assert len(await told(listener, left)) == 2


async def test_a_session_that_talks_is_stopped_before_it_is_forgotten(data_dir: Path) -> None:
    """Its reply tells its proper end, as aborted; another session's goes on to its end."""
    held = asyncio.Event()
    slow = ScriptedModel({QUESTION: ("It was ", held, "Nineveh."), "And you?": ("I am ", held, "well.")})
    async with running_server(data_dir, model=slow, **DISK) as server, listening(server.url) as listener:
        session, reply = await listener.say(QUESTION)
        other, going_on = await listener.say("And you?")
        for one in (reply, going_on):
            await listener.reach(one, "chat:token")
        assert (await listener.ok("chat:forget", {"sessionId": session}))["messages"] == 2
        assert await listener.refused("chat:abort", {"sessionId": session}) == "unknown_session"
        await listener.end(reply)
        assert listener.payloads(reply, "chat:done")[0]["reason"] == "aborted"
        held.set()
        await listener.end(going_on)
        assert (await told(listener, other))[1]["text"] == "I am well."


async def health(url: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        report: dict[str, Any] = (await client.get(f"{url}/api/health")).json()
    return report


async def test_without_its_disk_conversations_go_on_in_memory(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be kept on disk is told in the health report with its remedy; speech and memory lack nothing, and a
    session that is to be forgotten on disk is not told to be."""
    (data_dir / "history.sqlite").mkdir()
    async with running_server(data_dir, model=model(), **DISK) as server, listening(server.url) as listener:
        session, reply = await listener.say(QUESTION)
        await listener.end(reply)
        assert [message["text"] for message in await told(listener, session)] == [QUESTION, ANSWER]
        assert listener.chunks(reply)
        assert await listener.refused("chat:history", {"sessionId": "another"}) == "unknown_session"
        assert await listener.refused("chat:forget", {"sessionId": "another"}) == "history_unavailable"
        report = await health(server.url)
        assert (report["status"], report["history"]["status"]) == ("degraded", "degraded")
        assert report["history"]["remedy"]
        assert await listener.refused("chat:forget", {"sessionId": session}) == "history_unavailable"
    assert "history_not_kept" in events(caplog)
    assert "Nineveh" not in caplog.text


async def test_a_damaged_file_costs_what_was_in_it(data_dir: Path) -> None:
    """The server starts, says where it was set aside, and keeps what is said from then on."""
    (data_dir / "history.sqlite").write_bytes(b"no database " * 1000)
    async with running_server(data_dir, **DISK) as server, listening(server.url) as listener:
        session, reply = await listener.say(QUESTION, speak=False)
        await listener.end(reply)
        assert len(await told(listener, session)) == 2
        await archive_of(server).flush()
        report = await health(server.url)
        assert (report["status"], report["history"]["status"]) == ("ok", "ok")
        assert "history-damaged.sqlite" in report["history"]["detail"]
    async with running_server(data_dir, **DISK) as server, listening(server.url) as listener:
        assert len(await told(listener, session)) == 2


async def test_two_servers_do_not_write_into_one_file(data_dir: Path) -> None:
    """The second is told so in its health report, keeps what it hears in memory, and does not know the first one's."""
    async with running_server(data_dir, **DISK) as first, listening(first.url) as listener:
        session, reply = await listener.say(QUESTION, speak=False)
        await listener.end(reply)
        async with running_server(data_dir, **DISK) as second, listening(second.url) as other:
            assert await other.refused("chat:history", {"sessionId": session}) == "unknown_session"
            assert "another server" in (await health(second.url))["history"]["detail"]
            own, reply = await other.say(QUESTION, speak=False)
            await other.end(reply)
            assert len(await told(other, own)) == 2
        assert len(await told(listener, session)) == 2
        assert (await health(first.url))["history"]["status"] == "ok"


@pytest.mark.parametrize("history", ["memory", "disk"])
async def test_what_is_too_old_is_told_no_more(data_dir: Path, history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory as on disk: neither by history nor to the model."""
    now_s = [time.time()]
    monkeypatch.setattr("unavoce.chat.sessions.now", lambda: now_s[0])
    settings = {"history": history, "history_max_age_days": 2.0}
    async with running_server(data_dir, **settings) as server, listening(server.url) as listener:
        session, reply = await listener.say(QUESTION, speak=False)
        await listener.end(reply)
        assert len(await told(listener, session)) == 2
        now_s[0] += 3 * 86_400
        assert await told(listener, session) == []
        _, reply = await listener.say("And then?", sessionId=session, speak=False)
        await listener.end(reply)
        assert server.model.asked[-1] == [Message("user", "And then?")]
