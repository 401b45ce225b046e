"""A reply's promises hold for OpenAI's clients too: one voice, cache, fallback, and no half that looks whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from tests.support.decoders import FORMATS
from tests.support.openai_client import TEXT, asked, asking, bare, engine_that, events, said, wanting
from tests.support.server import PATIENCE_S, Server, quick_engine, running_server

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.engines.fake import FakeEngine, Step

FIRST, SECOND, THIRD = "Certainly, sir.", "The kettle is on.", "It sings."


def named(name: str, engine: FakeEngine) -> FakeEngine:
    other = FakeEngine.named(name)(engine.options)
    other.script = engine.script
    return other


async def test_the_second_time_it_comes_from_the_cache(data_dir: Path) -> None:
    """The same text gives the same bytes in any format, and no engine is asked again."""
    async with (
        running_server(data_dir, cache=Cache(MemoryCache(1 << 24))) as server,
        asking(server.url) as client,
    ):
        first = await said(client)
        calls = len(asked(server.engine))
        assert calls == 3
        assert await said(client) == first
        assert (await said(client, response_format="wav"))[44:] == first
        assert len(asked(server.engine)) == calls


async def test_the_fallback_speaks_the_whole_text(data_dir: Path) -> None:
    """A primary that refuses from the start is replaced before any sound: one voice, every sentence."""
    primary = quick_engine()
    primary.script = lambda *_: Step(fail_after=0)
    spare = named("spare", quick_engine(voices=("other",)))
    async with running_server(data_dir, engine=primary, fallback=spare) as server, asking(server.url) as client:
        replies = _watched(server)
        sound = await said(client)
        (trace,) = replies
        assert [one["engine"] for one in trace["sentences"]] == ["spare"] * 3
    async with running_server(data_dir, engine=quick_engine(voices=("other",))) as server, asking(server.url) as client:
        assert await said(client) == sound


async def test_one_change_of_voice_at_most(data_dir: Path) -> None:
    """A primary that dies after the first sentence hands over for good, and the answer is whole."""
    primary = quick_engine()
    primary.script = lambda _, text: Step(fail_after=0) if text in (SECOND, THIRD) else Step()
    spare = named("spare", quick_engine(voices=("other",)))
    async with running_server(data_dir, engine=primary, fallback=spare) as server, bare(server.url) as client:
        replies = _watched(server)
        assert (await client.post("/v1/audio/speech", json=wanting())).status_code == 200
        (trace,) = replies
        engines = [one["engine"] for one in trace["sentences"]]
        assert engines == sorted(engines)
        assert set(engines) <= {"fake", "spare"}
        assert [call.spoken for call in asked(spare)][-1] == THIRD
        assert trace["status"] == "complete"


@pytest.mark.parametrize("format", FORMATS)
async def test_a_reply_that_broke_off_does_not_look_whole(data_dir: Path, format: str) -> None:
    """A sentence that nobody can speak, after others that were heard: the connection is cut, and the client says so."""
    engine = engine_that(Step(fail_after=0), THIRD)
    async with running_server(data_dir, engine=engine) as server, asking(server.url) as client:
        assert await _until_cut(server.url, wanting(response_format=format))
        with pytest.raises(openai.APIConnectionError):
            await said(client, response_format=format)


async def test_events_that_broke_off_end_with_an_error(data_dir: Path) -> None:
    """What was heard, then an error that the client raises; nothing says that the sound is done."""
    async with (
        running_server(data_dir, engine=engine_that(Step(fail_after=0), THIRD)) as server,
        asking(server.url) as client,
    ):
        seen: list[str] = []
        coming = await events(client)
        with pytest.raises(openai.APIError, match="1 sentence"):
            await _note(coming, seen)
        assert set(seen) == {"speech.audio.delta"}
        heard = await _until_cut(server.url, wanting(stream_format="sse"))
        assert json.loads(heard.rpartition(b"data: ")[2])["error"]["code"] == "speech_failed"


async def test_sound_that_breaks_off_inside_a_sentence(data_dir: Path) -> None:
    """An engine that dies in the middle of the only sentence has been heard: that is no success either."""
    text = "Certainly, sir, and with the greatest of pleasure."
    engine = quick_engine()
    engine.script = lambda _, text: Step(fail_after=3, pieces=4) if "pleasure" in text else Step()
    async with running_server(data_dir, engine=engine) as server, asking(server.url) as client:
        with pytest.raises(openai.APIConnectionError):
            await said(client, text)


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
async def test_a_server_that_stops_does_not_pretend(data_dir: Path, stream_format: str) -> None:
    """Replies that are stopped with the server are cut, not ended."""
    async with running_server(data_dir, engine=engine_that(Step(hang_after=0), THIRD)) as server:
        wanted = wanting(stream_format=stream_format)
        heard = await _until_cut(server.url, wanted, at_sound=server.app.chat.abort_all)
        assert heard
        assert b"speech.audio.done" not in heard


async def test_a_reply_stopped_before_its_first_sound_is_an_error(data_dir: Path) -> None:
    """Stopped with the server while nothing has been heard: a status that says so."""
    async with (
        running_server(data_dir, engine=engine_that(Step(hang_after=0), FIRST)) as server,
        asking(server.url) as client,
    ):
        speaking = asyncio.create_task(said(client))
        await _until(lambda: asked(server.engine))
        server.app.chat.abort_all()
        with pytest.raises(openai.InternalServerError):
            await speaking


async def test_who_leaves_before_the_first_sound_stops_it(data_dir: Path) -> None:
    """The connection closed while the engine hangs: its call is cancelled, and its slot is free for the next."""
    engine = engine_that(Step(hang_after=0), FIRST, max_concurrency=1)
    async with running_server(data_dir, engine=engine) as server, bare(server.url) as client:
        speaking = asyncio.create_task(client.post("/v1/audio/speech", json=wanting()))
        await _until(lambda: asked(engine))
        assert server.app.chat.running == 1
        speaking.cancel()
        await asyncio.wait([speaking])
        await server.app.chat.ended()
        assert engine.running == 0
        assert asked(engine)[0].outcome == "cancelled"
        assert (await client.post("/v1/audio/speech", json=wanting("Done."))).status_code == 200


async def test_who_does_not_read_holds_up_nobody_else(data_dir: Path) -> None:
    """A client that takes nothing of a long text has little made for it beyond what waits, and others are served."""
    text = " ".join(f"{number} is {'one and ' * 25}more." for number in range(80))
    engine = quick_engine(s_per_char=0.1)
    async with running_server(data_dir, engine=engine) as server, bare(server.url) as client:
        async with client.stream("POST", "/v1/audio/speech", json=wanting(text)) as stuck:
            assert stuck.status_code == 200
            async with bare(server.url) as other:
                assert (await other.post("/v1/audio/speech", json=wanting("Done."))).status_code == 200
            assert server.app.chat.running == 1
        await server.app.chat.ended()
        assert len(asked(engine)) < 40


async def test_callers_at_once(data_dir: Path) -> None:
    """Eight at a time, in all formats, each get their own text whole."""
    texts = [f"Certainly{', sir' * number}. Done." for number in range(8)]
    async with running_server(data_dir) as server, asking(server.url) as client:
        alone = [await said(client, text) for text in texts]
        together = await asyncio.gather(*(said(client, text) for text in texts))
        assert together == alone
        await asyncio.gather(*(said(client, TEXT, response_format=format) for format in FORMATS))
        assert server.app.chat.running == 0


async def test_a_reply_has_a_trace(data_dir: Path) -> None:
    """The client's request id is the reply's: its timeline says what became of it."""
    async with running_server(data_dir) as server, asking(server.url) as client, bare(server.url) as plain:
        answer = await client.audio.speech.with_raw_response.create(**wanting())
        trace = (await plain.get(f"/api/replies/{answer.request_id}/trace")).json()
        assert (trace["status"], len(trace["sentences"])) == ("complete", 3)


def _watched(server: Server) -> list[dict[str, Any]]:
    """Becomes the traces of replies as they end."""
    traces: list[dict[str, Any]] = []
    server.app.chat.watch(lambda reply: traces.append(reply.on_wire()))
    return traces


async def _until_cut(url: str, wanted: dict[str, Any], at_sound: Callable[[], None] = lambda: None) -> bytes:
    """What comes of a body until its connection is cut, which is an error to the client; `at_sound` is called then."""
    heard = bytearray()

    async def hear(answer: httpx.Response) -> None:
        async for part in answer.aiter_bytes():
            heard.extend(part)
            at_sound()

    async with bare(url) as client, client.stream("POST", "/v1/audio/speech", json=wanted) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            await hear(answer)
    return bytes(heard)


async def _note(coming: AsyncIterator[dict[str, Any]], seen: list[str]) -> None:
    async for event in coming:
        seen.append(event["type"])  # noqa: PERF401 - it is to be kept when the stream breaks off


async def _until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the engine has no event for being asked
            await asyncio.sleep(0)
