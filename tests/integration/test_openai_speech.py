"""OpenAI's speech API as its official client uses it: every format, at once and streamed, models and voices."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import numpy as np
import pytest
from tests.support.decoders import FORMATS, RATE_HZ, check_length, check_likeness, decoded
from tests.support.openai_client import (
    TEXT,
    asked,
    asking,
    asking_in_a_thread,
    bare,
    engine_that,
    events,
    said,
    wanting,
)
from tests.support.server import quick_engine, running_server

from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.fake import FakeEngine, Step
from unavoce.engines.openai import OpenAISpeechEngine, OpenAISpeechOptions

TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


@pytest.mark.parametrize("format", FORMATS)
async def test_every_format_is_the_same_speech(data_dir: Path, format: str) -> None:
    """Each has its type, is decoded by an independent decoder, is as long as the samples are, and sounds like them."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        original = decoded("pcm", await said(client))
        answer = await client.audio.speech.with_raw_response.create(**wanting(response_format=format))
        assert answer.headers["content-type"] == TYPES[format]
        sound = decoded(format, answer.content)
        check_length(format, sound, len(original))
        check_likeness(format, sound, original)


async def test_mp3_is_what_comes_unasked(data_dir: Path) -> None:
    """As with OpenAI, where no format is named, or null is."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        for format in ({}, {"response_format": None, "speed": None, "instructions": None, "stream_format": None}):
            body = {"model": "tts-1", "voice": "alloy", "input": TEXT, **format}
            answer = await client.post("/v1/audio/speech", json=body)
            assert answer.headers["content-type"] == "audio/mpeg"
            assert len(decoded("mp3", answer.content)) > RATE_HZ


async def test_the_client_without_asyncio(data_dir: Path) -> None:
    """The synchronous client gets the same, whole and streamed into a file."""
    async with running_server(data_dir) as server:

        def in_a_thread() -> tuple[bytes, bytes]:
            with asking_in_a_thread(server.url) as client:
                whole = client.audio.speech.create(**wanting()).content
                with client.audio.speech.with_streaming_response.create(**wanting()) as streamed:
                    streamed.stream_to_file(data_dir / "speech.pcm")
            return whole, (data_dir / "speech.pcm").read_bytes()

        whole, streamed = await asyncio.to_thread(in_a_thread)
        assert whole == streamed
        assert len(whole) > RATE_HZ


@pytest.mark.parametrize("format", FORMATS)
async def test_sound_comes_while_the_rest_is_made(data_dir: Path, format: str) -> None:
    """The first sentence is there while the engine still works on the last, and leaving then stops the engine."""
    engine = engine_that(Step(hang_after=0), "It sings.")
    async with running_server(data_dir, engine=engine) as server, asking(server.url) as client:
        wanted = wanting(response_format=format)
        async with client.audio.speech.with_streaming_response.create(**wanted) as answer:
            async for part in answer.iter_bytes():
                assert part
                break
            assert engine.calls[-1].outcome == "running"
        await server.app.chat.ended()
        assert engine.running == 0
        assert engine.calls[-1].outcome == "cancelled"


async def test_events(data_dir: Path) -> None:
    """Server-sent events by OpenAI's names: the sound in base64, then how much it was."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        whole = await said(client)
        *deltas, done = [event async for event in await events(client)]
        assert {event["type"] for event in deltas} == {"speech.audio.delta"}
        assert len(deltas) >= 3
        assert b"".join(base64.b64decode(event["audio"]) for event in deltas) == whole
        counted = {"input_tokens": len(TEXT), "output_tokens": -(-len(whole) // (2 * RATE_HZ // 20))}
        assert done == {"type": "speech.audio.done", "usage": {**counted, "total_tokens": sum(counted.values())}}


async def test_events_as_bytes(data_dir: Path) -> None:
    """The way OpenAI's page shows: the answer's lines, of the type `text/event-stream`."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        wanted = wanting(stream_format="sse")
        async with client.audio.speech.with_streaming_response.create(**wanted) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = [line async for line in answer.iter_lines() if line]
    assert all(line.startswith("data: {") for line in lines)


@pytest.mark.parametrize(("wanted", "spoken"), [(0.25, 0.5), (0.5, 0.5), (2.0, 2.0), (4.0, 2.0)])
async def test_speed(data_dir: Path, wanted: float, spoken: float) -> None:
    """All that OpenAI takes is taken, and spoken at the nearest speed that is spoken here."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        await said(client, "Certainly.", speed=wanted)
        assert [call.voice.speed for call in asked(server.engine)] == [spoken]


async def test_instructions_and_unknown_fields_change_nothing(data_dir: Path) -> None:
    """They are taken, as by other servers."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        plain = await said(client)
        assert await said(client, instructions="Whisper.", extra_body={"stream": True, "lang_code": "b"}) == plain


async def test_names(data_dir: Path) -> None:
    """OpenAI's models and voices mean the default voice; engines and their voices go by their own names."""
    engine = quick_engine(voices=("amy", "joe"))
    other = FakeEngine.named("second")(quick_engine(voices=("joe", "alloy")).options)
    expected = {
        ("tts-1", "alloy"): "fake/amy",
        ("tts-1-hd-1106", "cedar"): "fake/amy",
        ("gpt-4o-mini-tts-2025-12-15", "marin"): "fake/amy",
        ("tts-1", "joe"): "fake/joe",
        ("fake", "joe"): "fake/joe",
        ("fake", "alloy"): "fake/amy",
        ("fake", "fake"): "fake/amy",
        ("tts-1", "second"): "second/joe",
        ("second", "alloy"): "second/alloy",
        ("second", "echo"): "second/joe",
        ("tts-1", "second/alloy"): "second/alloy",
        ("second", "second/joe"): "second/joe",
    }
    async with running_server(data_dir, engine=engine, fallback=other) as server, asking(server.url) as client:
        for number, ((model, voice), heard) in enumerate(expected.items()):
            text = f"Certainly{' sir' * number}."
            await said(client, text, model=model, voice=voice if number % 2 else {"id": voice})
            calls = [call for call in (*engine.calls, *other.calls) if call.spoken == text]
            assert [f"{call.voice.engine}/{call.voice.name}" for call in calls] == [heard], (model, voice)


async def test_the_first_engines_own_voices_come_before_openais(data_dir: Path) -> None:
    """Where the default voice's engine has a voice called `nova`, that one is meant."""
    engine = quick_engine(voices=("alloy", "nova"))
    async with running_server(data_dir, engine=engine) as server, asking(server.url) as client:
        await said(client, "Certainly.", voice="nova")
        await said(client, "Certainly.", voice="echo")
        assert [call.voice.name for call in asked(engine)] == ["nova", "alloy"]


async def test_models(data_dir: Path) -> None:
    """The client lists OpenAI's names and the engines, and finds one of them."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        models = [model.id async for model in client.models.list()]
        assert models == ["tts-1", "tts-1-hd", "gpt-4o-mini-tts", "fake"]
        assert (await client.models.retrieve("fake")).object == "model"


async def test_lists_as_open_webui_reads_them(data_dir: Path) -> None:
    """Its own look-ups find every voice and model, each by a name that speaks (open_webui/routers/audio.py)."""
    engine = quick_engine(voices=("amy", "joe"))
    other = FakeEngine.named("second")(quick_engine(voices=("joe", "alloy")).options)
    async with running_server(data_dir, engine=engine, fallback=other) as server, bare(server.url) as client:
        models = (await client.get("/v1/audio/models")).json().get("models", [])
        assert [model["id"] for model in models][-2:] == ["fake", "second"]
        listed = (await client.get("/v1/audio/voices")).json().get("voices", [])
        voices = {voice["id"]: voice["name"] for voice in listed}
        assert list(voices) == ["amy", "joe", "second/joe", "second/alloy"]
        for number, voice in enumerate(voices):
            answer = await client.post("/v1/audio/speech", json=wanting(f"Certainly{' sir' * number}.", voice=voice))
            assert answer.status_code == 200
        heard = [f"{call.voice.engine}/{call.voice.name}" for call in (*asked(engine), *asked(other))]
        assert heard == ["fake/amy", "fake/joe", "second/joe", "second/alloy"]


@pytest.mark.parametrize("format", FORMATS)
async def test_a_text_with_nothing_to_say(data_dir: Path, format: str) -> None:
    """Is a moment of silence, so that whoever speaks every line of an answer meets no error at a ruler; a full stop is
    what Home Assistant's `openai_tts` tries a key with."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        for text in ("* * *", "."):
            sound = decoded(format, await said(client, text, response_format=format))
            check_length(format, sound, RATE_HZ // 10)
            assert np.abs(sound).max() < 0.001
        assert asked(server.engine) == []


async def test_one_unavoce_speaks_through_another(data_dir: Path) -> None:
    """The engine `openai` finds this server's voices, chooses a format by its trial, and speaks."""
    async with running_server(data_dir) as server:
        options = OpenAISpeechOptions(base_url=server.url, voice="tone")
        engine = OpenAISpeechEngine(options, EngineContext(data_dir, Cores()))
        pieces = []
        try:
            await engine.start()
            await engine.synthesise("Certainly, sir.", engine.voices()[0], pieces.append)
        finally:
            await engine.close()
        assert {piece.rate_hz for piece in pieces} == {RATE_HZ}
        assert engine.detail.endswith("voice tone, sound as pcm")
