"""What `unavoce doctor` finds about engines that are servers somewhere else: each fault with its setting and remedy."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.speech_servers import ElevenLabsStyle, Exchange, Handler, OldPiperStyle, OpenAIStyle, serving

from unavoce.cli import checks
from unavoce.cli.checks import Finding
from unavoce.settings import Settings

URLS = {"piper-http": "url", "openai": "base_url", "elevenlabs": "base_url"}
KEYS = {"elevenlabs": {"api_key": "el-secret", "voice": "Rachel"}, "openai": {"api_key": "sk-good"}}


def _working(engine: str) -> Handler:
    stand_ins: dict[str, Handler] = {
        "piper-http": OldPiperStyle(),
        "openai": OpenAIStyle(key="sk-good", listed=["alloy", "echo"]),
        "elevenlabs": ElevenLabsStyle(),
    }
    return stand_ins[engine]


async def _finding(engine: str, url: str, data_dir: Path, **options: Any) -> Finding:
    section = {**KEYS.get(engine, {}), URLS[engine]: url, **options}
    settings = Settings(data_dir=data_dir, engines=(engine,), engine_sections={engine.replace("-", "_"): section})
    return await checks.engine(engine, settings)


@asynccontextmanager
async def _no_server() -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    yield url


async def _page(exchange: Exchange) -> None:
    await exchange.whole(b"<html>Welcome</html>")


async def _nothing(exchange: Exchange) -> None:
    await exchange.whole(b"<html>Not Found</html>", 404)


def _entry(engine: str, name: str) -> str:
    return f"UNAVOCE_{engine.upper().replace('-', '_')}__{name.upper()}"


@pytest.mark.parametrize("engine", URLS)
async def test_an_engine_that_works_says_whom_it_talks_to(engine: str, data_dir: Path) -> None:
    """The finding names the kind of server and the voice, and how much sound came in what time."""
    async with serving(_working(engine)) as url:
        finding = await _finding(engine, url, data_dir)
    kind, voice = {
        "piper-http": ("Piper's HTTP server, route /", "en_US-joe-medium"),
        "openai": ("OpenAI's protocol, model tts-1", "alloy"),
        "elevenlabs": ("ElevenLabs, model eleven_flash_v2_5", "Rachel"),
    }[engine]
    assert (finding.part, finding.status, finding.remedy) == (f"engine {engine}", "ok", "")
    assert kind in finding.detail
    assert voice in finding.detail
    assert "s of sound in" in finding.detail


@pytest.mark.parametrize("engine", URLS)
async def test_an_engine_that_cannot_be_reached_names_its_url(engine: str, data_dir: Path) -> None:
    """Where nothing listens: start it, or correct the URL."""
    async with _no_server() as url:
        finding = await _finding(engine, url, data_dir)
    assert finding.status == "wrong"
    assert url.removeprefix("http://") in finding.detail
    assert finding.remedy == f"start it, or correct {_entry(engine, URLS[engine])}"


@pytest.mark.parametrize("handler", [_page, _nothing])
@pytest.mark.parametrize("engine", URLS)
async def test_something_that_is_no_speech_server_names_the_url(engine: str, handler: Handler, data_dir: Path) -> None:
    """A web server of another kind, with or without an answer to everything."""
    async with serving(handler) as url:
        finding = await _finding(engine, url, data_dir)
    assert finding.status == "wrong"
    assert finding.detail
    assert _entry(engine, URLS[engine]) in finding.remedy


@pytest.mark.parametrize("engine", URLS)
async def test_a_wrong_path_names_the_url(engine: str, data_dir: Path) -> None:
    """The right server with a path too many."""
    async with serving(_working(engine)) as url:
        finding = await _finding(engine, f"{url}/api/speech", data_dir)
    assert finding.status == "wrong"
    assert _entry(engine, URLS[engine]) in finding.remedy


@pytest.mark.parametrize(
    ("engine", "there"), [("piper-http", "en_US-joe-medium"), ("openai", "alloy, echo"), ("elevenlabs", "Rachel")]
)
async def test_an_unknown_voice_names_those_there_are(engine: str, there: str, data_dir: Path) -> None:
    """The remedy is the setting with what can be written into it."""
    async with serving(_working(engine)) as url:
        finding = await _finding(engine, url, data_dir, voice="nobody")
    assert finding.status == "wrong"
    assert "has no voice 'nobody'" in finding.detail
    assert finding.remedy == f"set {_entry(engine, 'VOICE')} to one of {there}"


@pytest.mark.parametrize("engine", ["openai", "elevenlabs"])
async def test_a_refused_key_names_its_setting_and_stays_hidden(engine: str, data_dir: Path) -> None:
    """The server's answer is shown, the key is not."""
    async with serving(_working(engine)) as url:
        finding = await _finding(engine, url, data_dir, api_key="sk-not-this-one")
    assert finding.status == "wrong"
    assert "answered 401" in finding.detail
    assert finding.remedy == f"correct {_entry(engine, 'API_KEY')}"
    assert "sk-not-this-one" not in f"{finding}"


@pytest.mark.parametrize("engine", URLS)
async def test_a_setting_that_cannot_be_is_found_before_anything_is_asked(engine: str, data_dir: Path) -> None:
    """A URL without its scheme, and a key with a line break, which is not shown."""
    finding = await _finding(engine, "localhost:5000", data_dir)
    assert finding.status == "wrong"
    assert f"{URLS[engine]} = 'localhost:5000': expected an address such as http://" in finding.detail
    if engine in KEYS:
        finding = await _finding(engine, "http://127.0.0.1:9", data_dir, api_key="sk-broken\nkey")
        assert "api_key" in finding.detail
        assert "sk-broken" not in f"{finding}"


async def test_an_engine_too_slow_to_listen_to_is_noted(data_dir: Path) -> None:
    """One that works, but makes sound more slowly than it is heard, is no fault, and the finding says what helps."""
    slow = {"real_time_factor": 1.5, "s_per_char": 0.02, "max_concurrency": 1}
    finding = await checks.engine(
        "fake", Settings(data_dir=data_dir, engines=("fake",), engine_sections={"fake": slow})
    )
    assert finding.status == "note"
    assert "more slowly than it is heard" in finding.detail
    assert "faster engine behind it" in finding.remedy
