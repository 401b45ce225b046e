"""The engine `openai` as it speaks to OpenAI itself, by a stand-in written from its documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.support.speech_servers import RATE_HZ, Exchange, serving, tone

from unavoce.audio.pcm import Pcm
from unavoce.cores import Cores
from unavoce.engines import openai
from unavoce.engines.base import EngineContext
from unavoce.engines.openai import OpenAISpeechEngine, OpenAISpeechOptions
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

KEY = "sk-very-secret"
TEXT = "Good evening, sir. Dinner will be served at eight."
CONTEXT = EngineContext(Path("/nonexistent"), Cores())


class _OpenAI:
    """What OpenAI's own server answers, from its documentation."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: tuple[int, dict[str, Any]] | None = None

    async def __call__(self, exchange: Exchange) -> None:
        self.asked.append(exchange.path)
        if exchange.headers.get("authorization") != f"Bearer {KEY}":
            message = f"Incorrect API key provided: {exchange.headers['authorization']}."
            await exchange.say({"error": {"message": message, "code": "invalid_api_key"}}, 401)
        elif exchange.path.startswith("/v1/models/"):
            found = exchange.path.endswith("/tts-1")
            missing = {"error": {"message": "The model does not exist", "param": "model", "code": "model_not_found"}}
            await exchange.say({"id": "tts-1"} if found else missing, 200 if found else 404)
        elif self.fault:
            await exchange.say({"error": self.fault[1]}, self.fault[0])
        else:
            await exchange.whole(tone(exchange.json["input"], "alloy").tobytes(), kind="audio/pcm")


@asynccontextmanager
async def _openai_itself(handler: _OpenAI, **options: Any) -> AsyncIterator[OpenAISpeechEngine]:
    """The engine as for api.openai.com, with a stand-in behind that name."""
    async with serving(handler) as url:
        with patch.object(openai, "OPENAI_HOST", "127.0.0.1"):
            engine = OpenAISpeechEngine(OpenAISpeechOptions(base_url=url, **options), CONTEXT)
        try:
            yield engine
        finally:
            await engine.close()


async def _said(engine: OpenAISpeechEngine) -> list[Pcm]:
    pieces: list[Pcm] = []
    await engine.synthesise(TEXT, engine.voices()[0], pieces.append)
    return pieces


@pytest.mark.parametrize(
    ("url", "is_openai"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com", True),
        ("https://api.openai.com.example.org", False),
        ("https://notapi.openai.com", False),
    ],
)
async def test_openai_is_known_by_its_host(url: str, is_openai: bool) -> None:
    """Its own hosts need a key before anything is asked; a host that only looks like one is a server like any other."""
    engine = OpenAISpeechEngine(OpenAISpeechOptions(base_url=url), CONTEXT)
    assert ("at " in engine.voices()[0].model) != is_openai
    if is_openai:
        with pytest.raises(EngineUnavailable, match="OpenAI asks for a key"):
            await engine.start()


async def test_openai_itself_is_asked_without_a_trial() -> None:
    """Its format is known; the model's route says at no cost whether key and model are right."""
    there = _OpenAI()
    async with _openai_itself(there, api_key=KEY) as engine:
        await engine.start()
        assert there.asked == ["/v1/models/tts-1"]
        assert engine.detail == "OpenAI, model tts-1, voice alloy, sound as pcm"
        pieces = await _said(engine)
        assert {piece.rate_hz for piece in pieces} == {RATE_HZ}


@pytest.mark.parametrize(
    ("options", "entry"),
    [({}, "API_KEY"), ({"api_key": "sk-wrong"}, "API_KEY"), ({"api_key": KEY, "model": "tts-9"}, "MODEL")],
)
async def test_openais_refusals_name_the_setting(options: dict[str, str], entry: str) -> None:
    """No key, a wrong key, a wrong model: each names its own setting, and the key is blotted out."""
    async with _openai_itself(_OpenAI(), **options) as engine:
        with pytest.raises(EngineUnavailable, match=f"UNAVOCE_OPENAI__{entry}$") as caught:
            await engine.start()
    assert "sk-wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "fault", "kind", "remedy"),
    [
        (429, {"message": "Slow down", "code": "rate_limit_exceeded"}, EngineError, ""),
        (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}, EngineUnavailable, "API_KEY"),
        (400, {"message": "No such voice", "param": "voice"}, EngineUnavailable, "VOICE"),
        (400, {"message": "Input too long", "param": "input"}, EngineRefused, ""),
        (404, {"message": "no access", "code": "model_not_found"}, EngineUnavailable, "MODEL"),
        (500, {"message": "The server had an error"}, EngineError, ""),
    ],
)
async def test_openais_errors_are_told_apart(
    status: int, fault: dict[str, Any], kind: type[EngineError], remedy: str
) -> None:
    """Used-up money and a wrong voice are the operator's to mend, a busy server's answer may be tried again, and a text
    that is refused is the caller's."""
    there = _OpenAI()
    there.fault = status, fault
    async with _openai_itself(there, api_key=KEY) as engine:
        with pytest.raises(EngineError) as caught:
            await _said(engine)
    assert type(caught.value) is kind
    assert fault["message"] in str(caught.value)
    assert (f"UNAVOCE_OPENAI__{remedy}" if remedy else "answered") in str(caught.value)
    assert bool(remedy) == ("; remedy: " in str(caught.value))
