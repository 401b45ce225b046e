"""The engine against the real servers, and the stand-ins beside them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.support.xtts_servers import Kind, standing_in
from tests.xtts.conftest import RealServer

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.xtts import XttsEngine, XttsOptions
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

TEXT = "Good evening, everything is ready."
LONG = ", ".join(["and then the kettle sang its quiet song again"] * 8) + "."
PADDING_S = 10_000 / 24_000
"""Of zeros behind each sentence of `tts-server`."""
TITLES = {"coqui": "coqui-tts tts-server, speaker Claribel Dervla", "api_server": "xtts-api-server, speaker butler"}


@asynccontextmanager
async def engine_at(server: RealServer, **section: Any) -> AsyncIterator[XttsEngine]:
    engine = XttsEngine(XttsOptions(url=server.url, **section), EngineContext(data_dir=Path("unused"), cores=Cores()))
    try:
        yield engine
    finally:
        await engine.close()


async def say(engine: XttsEngine, text: str = TEXT) -> Pcm:
    heard: list[Pcm] = []
    await engine.synthesise(text, engine.voices()[0], heard.append)
    return Pcm(np.concatenate([piece.samples for piece in heard]), heard[0].rate_hz)


async def test_it_finds_out_and_speaks(server: RealServer, request: pytest.FixtureRequest) -> None:
    """The dialect is found, and what comes can be speech for all one can measure."""
    async with engine_at(server) as engine:
        await engine.start()
        assert engine.detail == f"{TITLES[request.node.callspec.params['server']]}, language en"
        sound = await say(engine)
        assert (sound.rate_hz, implausible(sound, TEXT)) == (24_000, None)


async def test_a_long_text_is_spoken_whole(server: RealServer) -> None:
    """In parts that these servers take: in one request it would be an error, or cut off."""
    async with engine_at(server) as engine:
        await engine.start()
        one, sound = await say(engine), await say(engine, LONG)
        assert sound.duration_s > 1.5 * one.duration_s


@pytest.mark.parametrize("text", ["...", "—"])
async def test_punctuation_is_refused_here_since_it_is_noise_there(server: RealServer, text: str) -> None:
    """The real servers make sound of it."""
    async with engine_at(server) as engine:
        await engine.start()
        with pytest.raises(EngineRefused):
            await say(engine, text)


async def test_an_unknown_speaker_or_language_stops_the_start(server: RealServer) -> None:
    """Both are read from what the server says it has."""
    async with engine_at(server, speaker="Nobody") as engine:
        with pytest.raises(EngineUnavailable, match="UNAVOCE_XTTS__SPEAKER"):
            await engine.start()
    async with engine_at(server, language="tlh") as engine:
        with pytest.raises(EngineUnavailable, match=r"UNAVOCE_XTTS__LANGUAGE .*zh-cn"):
            await engine.start()


async def test_an_abandoned_sentence_is_over_before_the_next_begins(server: RealServer) -> None:
    """Both begin to speak one after the other has ended, though the first was cancelled in mid-answer."""
    began, ended = server.begins, "processing time"
    async with engine_at(server) as engine:
        await engine.start()
        server.forget()
        call = asyncio.create_task(say(engine))
        await asyncio.to_thread(server.until, began)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert implausible(await say(engine), TEXT) is None
        await asyncio.to_thread(server.until, ended)
        course = [word for line in server.lines for word in (began, ended) if word in line.lower()]
        assert course == [began, ended, began, ended]


async def test_it_recovers_from_a_killed_server(server: RealServer) -> None:
    """Killed in mid-answer: an error, then a server that is not there, and speech again once its model is loaded."""
    async with engine_at(server) as engine:
        await engine.start()
        server.forget()
        call = asyncio.create_task(say(engine))
        await asyncio.to_thread(server.until, server.begins)
        server.kill()
        with pytest.raises(EngineError) as failed:
            await call
        assert not isinstance(failed.value, EngineRefused)
        with pytest.raises(EngineUnavailable, match="remedy: start it, or correct UNAVOCE_XTTS__URL"):
            await say(engine)
        await asyncio.to_thread(server.start)
        assert implausible(await say(engine), TEXT) is None


async def test_the_openai_style_route_speaks_at_the_asked_speed(openai: RealServer) -> None:
    """`tts-server` has this door too; every sentence of the tiny model has the same length, but for its speed."""
    async with engine_at(openai, dialect="openai", speaker="Uta Obando") as engine:
        await engine.start()
        assert engine.detail == "OpenAI-style server, speaker Uta Obando, language en"
        heard: list[Pcm] = []
        await engine.synthesise(TEXT, replace(engine.voices()[0], speed=2.0), heard.append)
        own = await say(engine)
        fast_s = sum(piece.duration_s for piece in heard)
        assert (own.rate_hz, implausible(own, TEXT)) == (24_000, None)
        assert fast_s - PADDING_S == pytest.approx((own.duration_s - PADDING_S) / 2, rel=0.1)


QUESTIONS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "coqui": [
        ("GET", "/languages", {}),
        ("GET", "/v1/audio/speech", {}),
        ("POST", "/api/tts", {"data": {"text": "  ", "speaker_id": "Uta Obando"}}),
        ("POST", "/api/tts", {"json": {"text": "Good."}}),
        ("POST", "/api/tts", {"data": {"text": "Good.", "speaker_id": "Uta Obando", "language_id": "xx"}}),
        ("POST", "/api/tts", {"data": {"text": "one two " * 99, "speaker_id": "Uta Obando", "language_id": "en"}}),
        ("POST", "/api/tts", {"data": {"text": "Good evening.", "speaker_id": "Uta Obando", "language_id": "en"}}),
    ],
    "api_server": [
        ("GET", "/languages", {}),
        ("GET", "/speakers_list", {}),
        ("GET", "/voices", {}),
        ("GET", "/v1/audio/speech", {}),
        ("GET", "/tts_stream", {"params": {"text": "Good.", "speaker_wav": "butler"}}),
        ("GET", "/tts_stream", {"params": {"text": "Good.", "speaker_wav": "butler", "language": "xx"}}),
        ("GET", "/tts_stream", {"params": {"text": "Good.", "speaker_wav": "nobody", "language": "en"}}),
        ("GET", "/tts_stream", {"params": {"text": "Good.", "speaker_wav": "butler", "language": "en"}}),
        ("POST", "/tts_to_audio/", {"json": {"text": "Good.", "speaker_wav": "butler", "language": "xx"}}),
        ("POST", "/tts_to_audio/", {"json": {"text": "Good.", "speaker_wav": "nobody", "language": "en"}}),
        ("POST", "/tts_to_audio", {"json": {"text": "Good.", "speaker_wav": "butler", "language": "en"}}),
        ("POST", "/tts_to_audio/", {"json": {"text": "Good.", "speaker_wav": "butler", "language": "en"}}),
    ],
}


async def _answer(client: httpx.AsyncClient, method: str, url: str, request: dict[str, Any]) -> dict[str, Any]:
    """What matters of an answer: its status, the form of its sound or its words, and whether it ended well."""
    body, whole = b"", True
    async with client.stream(method, url, **request) as response:
        try:
            async for data in response.aiter_raw():
                body += data
        except httpx.RemoteProtocolError:
            whole = False
    if body[:4] == b"RIFF":
        sizes_known = body[4:8] != b"\x24\0\0\0"
        return {"status": response.status_code, "whole": whole, "sizes known": sizes_known, "sound": len(body) > 1000}
    in_words = "json" in response.headers.get("content-type", "") and response.status_code != 422
    said = json.loads(body) if in_words else ""
    return {"status": response.status_code, "whole": whole, "said": said}


async def test_the_stand_in_answers_as_the_real_server_does(server: RealServer, request: pytest.FixtureRequest) -> None:
    """Status, words and the form of the sound are the same, so that what `make test` shows holds here."""
    name = request.node.callspec.params["server"]
    kind: Kind = "coqui" if name == "coqui" else "api-server"
    about = {"speakers": ["butler", "maid"]} if kind == "api-server" else {}
    async with standing_in(kind, **about) as stand_in, httpx.AsyncClient(timeout=120, trust_env=False) as client:
        for method, path, question in QUESTIONS[name]:
            answers = [await _answer(client, method, url + path, question) for url in (server.url, stand_in.url)]
            assert answers[0] == answers[1], (method, path, question)
