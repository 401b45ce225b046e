"""`GET /api/replies/{replyId}/trace` over HTTP: while a reply runs, afterwards, with keys, and for ids of nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
from tests.support.client import Listener, listening
from tests.support.protocol import check_trace
from tests.support.server import ScriptedModel, Server, quick_engine, running_server

from unavoce.chat.client import Caller
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.server.auth import Keys

TEXT = "Good evening, sir. Dinner is served at eight."


async def get(server: Server, reply_id: str, key: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return await client.get(f"{server.url}/api/replies/{reply_id}/trace", headers=headers)


async def trace(server: Server, reply_id: str, key: str | None = None) -> dict[str, Any]:
    """The reply's trace, which is there and as the page says."""
    answer = await get(server, reply_id, key)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    check_trace(told)
    return told


def spoken() -> ScriptedModel:
    return ScriptedModel(otherwise=(TEXT,))


async def heard_engines(listener: Listener, reply_id: str) -> list[tuple[int, str, str, str]]:
    await listener.end(reply_id)
    return [(one["sentence"], one["engine"], one["voice"], one["cache"]) for one in listener.chunks(reply_id)]


async def test_the_trace_agrees_with_what_was_heard(data_dir: Path) -> None:
    """Ids, timings, sentences, engine, voice, cache and chunks are those of the reply's events."""
    async with running_server(data_dir, model=spoken()) as server, listening(server.url) as listener:
        session, reply = await listener.say("Good evening.")
        heard = await heard_engines(listener, reply)
        told = await trace(server, reply)
        assert (told["replyId"], told["sessionId"], told["status"]) == (reply, session, "complete")
        assert told["timings"] == listener.payloads(reply, "chat:done")[0]["timings"]
        assert told["nowMs"] >= told["timings"]["lastAudio"]
        messages = (await listener.ok("chat:history", {"sessionId": session}))["messages"]
        assert told["startedAt"] == messages[-1]["at"]
        sentences = told["sentences"]
        assert [one["sentence"] for one in sentences] == [0, 1]
        assert {(one["sentence"], one["engine"], one["voice"], one["cache"]) for one in sentences} == set(heard)
        assert sum(one["chunks"] for one in sentences) == len(heard)
        for one in sentences:
            chunks = [chunk for chunk in listener.chunks(reply) if chunk["sentence"] == one["sentence"]]
            # Each chunk's length is rounded on its own.
            assert abs(one["durationMs"] - sum(chunk["durationMs"] for chunk in chunks)) <= len(chunks)
        assert [one["attempts"][0]["outcome"] for one in sentences] == ["spoken", "spoken"]
        assert TEXT.split(maxsplit=1)[0] not in (await get(server, reply)).text


async def test_a_running_reply_has_a_trace(data_dir: Path) -> None:
    """While the engine still works its attempt is open and what comes later is null; a stop closes it."""
    asked = asyncio.Event()

    def hangs(_: int, spoken: str) -> Step:
        if spoken in TEXT:
            asked.set()
        return Step(hang_after=0)

    engine = FakeEngine(FakeOptions(rate_hz=8_000), script=hangs)
    async with running_server(data_dir, engine=engine, model=spoken()) as server, listening(server.url) as listener:
        session, reply = await listener.say("Good evening.")
        await asked.wait()
        told = await trace(server, reply)
        assert told["status"] == "running"
        first = told["sentences"][0]
        assert first["cutMs"] <= first["queuedMs"] <= first["startedMs"] == first["attempts"][0]["startedMs"]
        assert (first["synthesisedMs"], first["sentMs"], first["engine"]) == (None, None, None)
        assert (first["attempts"][0]["outcome"], first["attempts"][0]["endedMs"]) == (None, None)
        await listener.ok("chat:abort", {"sessionId": session})
        await listener.end(reply)
        told = await trace(server, reply)
        assert told["status"] == "aborted"
        assert told["sentences"][0]["attempts"][0]["outcome"] == "withdrawn"


async def test_a_reply_that_is_over_and_gone_still_has_its_trace(data_dir: Path) -> None:
    """When nobody can come back to the reply its trace is the same, but for the time it was asked at."""
    async with running_server(data_dir, model=spoken()) as server, listening(server.url) as listener:
        _, reply = await listener.say("Good evening.")
        await listener.end(reply)
        before = await trace(server, reply)
        for one in server.app.chat.replies:
            one.let_go()
        assert not server.app.chat.replies
        after = await trace(server, reply)
        assert {**after, "nowMs": before["nowMs"]} == before
        assert after["nowMs"] >= before["nowMs"]


async def test_a_text_only_reply_has_a_trace(data_dir: Path) -> None:
    """`speak: false` leaves everything of sound null."""
    async with running_server(data_dir, model=spoken()) as server, listening(server.url) as listener:
        _, reply = await listener.say("Good evening.", speak=False)
        await listener.end(reply)
        sentences = (await trace(server, reply))["sentences"]
        assert [(one["queuedMs"], one["sentMs"], one["attempts"]) for one in sentences] == [(None, None, [])] * 2


async def test_a_trace_is_for_the_key_of_its_reply(data_dir: Path) -> None:
    """Without a right key 401; with another key 404, while the reply is known and when it is gone; with its own 200."""
    keys = ("sesame", "open")
    async with (
        running_server(data_dir, engine=quick_engine(), model=spoken(), api_keys=keys) as server,
        listening(server.url, auth={"apiKey": "sesame"}) as listener,
    ):
        _, reply = await listener.say("Good evening.")
        await listener.end(reply)
        for _ in range(2):
            answers = [await get(server, reply, key) for key in (None, "wrong", "open", "sesame")]
            assert [answer.status_code for answer in answers] == [401, 401, 404, 200]
            assert answers[2].json()["error"]["code"] == "unknown_reply"
            for one in server.app.chat.replies:
                one.let_go()


async def test_ids_of_nobody_are_unknown(data_dir: Path) -> None:
    """Whatever stands in the id's place, the answer is 404 `unknown_reply`; one that is too long is not repeated."""
    async with running_server(data_dir) as server:
        for name in ("nobody", "x" * 100, "x" * 101, "x" * 5000, "%00", "%F0%9F%8E%99", "%ff", "..%2f..", "a%0d%0ab"):
            answer = await get(server, name)
            if "%2f" in name:
                assert answer.status_code == 404
                continue
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_reply"), name
            assert ("x" * 101) not in answer.text


async def test_a_recital_has_a_trace(data_dir: Path) -> None:
    """A reply without a conversation is traced like any other, while it runs and afterwards, for its caller alone."""
    async with running_server(data_dir, api_keys=("sesame", "open")) as server:
        caller = Caller(Keys(["sesame"]).admit("sesame"))
        async with server.app.chat.recite(caller, "openai", TEXT) as recital:
            running = await trace(server, recital.id, "sesame")
            chunks = [chunk async for chunk in recital]
        told = await trace(server, recital.id, "sesame")
        assert (await get(server, recital.id, "open")).status_code == 404
    assert (running["status"], told["status"]) == ("running", "complete")
    assert (told["door"], told["sessionId"]) == ("openai", "")
    assert sum(one["chunks"] for one in told["sentences"]) == len(chunks)
    assert [one["cache"] for one in told["sentences"]] == ["none", "none"]
    # Taken faster than it plays: what was not heard when the recital ended is heard later.
    ends = [(one["playsToMs"] - one["playsFromMs"]) - one["durationMs"] for one in told["sentences"]]
    assert all(abs(end) <= 1 for end in ends)
