"""A restart while the speech server is away, or the engine's package gone: the voices are what they were."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.speech_servers import PIPER_CONFIG, OldPiperStyle, OpenAIStyle, serving

from unavoce import composition
from unavoce.chain.chain import Chain
from unavoce.composition import build_chain
from unavoce.cores import Cores
from unavoce.engines.base import Engine, EngineContext
from unavoce.errors import EngineUnavailable
from unavoce.settings import Settings
from unavoce.settings.model import section_name

KEY = "sk-very-secret"
JOE, ANNA = "en_US-joe-medium", "de_DE-anna-low"
GERMAN = PIPER_CONFIG | {"language": {"code": "de_DE"}}


@pytest.fixture(autouse=True)
def _nothing_beside_the_file(data_dir: Path) -> Iterator[None]:
    """No part of a file is left behind."""
    yield
    assert {path.name for path in data_dir.iterdir()} <= {"known-voices.json"}


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Chain]:
    """A process's chain, whose engines have tried to start."""
    chain = await asyncio.to_thread(build_chain, settings, Cores())
    try:
        for engine in chain.engines:
            await chain.start(engine)
        yield chain
    finally:
        await chain.close()


def settings_for(data_dir: Path, name: str, **section: Any) -> Settings:
    return Settings(data_dir=data_dir, engines=(name,), engine_sections={section_name(name): section})


def piper() -> OldPiperStyle:
    return OldPiperStyle(voices={JOE: PIPER_CONFIG, ANNA: GERMAN})


async def test_a_piper_server_that_was_stopped_is_known(data_dir: Path) -> None:
    """The configured voice first, then the others, each with language and fingerprint; and they are found by name."""
    async with serving(piper()) as url:
        settings = settings_for(data_dir, "piper-http", url=url, voice=ANNA, length_scale=1.2)
        async with started(settings) as chain:
            before = chain.voices()
            assert [(voice.name, voice.language) for voice in before] == [(ANNA, "de-DE"), (JOE, "en-US")]
            assert all(voice.model.endswith(";length_scale=1.2") for voice in before)
    async with started(settings) as chain:
        assert chain.is_down("piper-http")
        assert chain.voices() == before
        assert chain.find_voice(JOE) == before[1]
        assert not chain.knows(before[0])


async def test_a_server_of_openais_kind_that_was_stopped_is_known(data_dir: Path) -> None:
    """Its listed voices come back; key and login stand nowhere in the file, and another key is no other voice."""
    server = OpenAIStyle(known=("bm_george", "af_sky"), listed={"voices": ["af_sky", "bm_george"]})
    async with serving(server) as url:
        login = url.replace("://", f"://me:{KEY}@")
        settings = settings_for(data_dir, "openai", base_url=login, voice="bm_george", api_key=KEY)
        async with started(settings) as chain:
            before = chain.voices()
            assert [voice.name for voice in before] == ["bm_george", "af_sky"]
    async with started(settings) as chain:
        assert chain.is_down("openai")
        assert chain.voices() == before
    assert KEY not in (data_dir / "known-voices.json").read_text()
    renewed = settings_for(data_dir, "openai", base_url=url, voice="bm_george", api_key="sk-another")
    async with started(renewed) as chain:
        assert chain.voices() == before, "a new key is no other voice"


@pytest.mark.parametrize("change", [{"voice": ANNA}, {"length_scale": 1.3}, {"revision": "b"}, {"url": "moved"}])
async def test_with_another_section_nothing_old_is_believed(data_dir: Path, change: Mapping[str, Any]) -> None:
    """A change of any setting of the engine makes the voices unknown until it has started again."""
    async with serving(piper()) as url:
        section = {"url": url, "voice": JOE}
        async with started(settings_for(data_dir, "piper-http", **section)):
            pass
    change = {name: f"{url}/{value}" if name == "url" else value for name, value in change.items()}
    async with started(settings_for(data_dir, "piper-http", **section | change)) as chain:
        (only,) = chain.voices()
        assert only.language == "mul"  # as the engine says that knows nothing yet
    async with started(settings_for(data_dir, "piper-http", **section)) as chain:
        assert [voice.name for voice in chain.voices()] == [JOE, ANNA]


async def test_a_server_that_comes_back_with_another_model_has_its_new_voices(data_dir: Path) -> None:
    """While it is away the old fingerprint holds; once it has started only the new one does, also after a restart."""
    async with serving(piper()) as url:
        settings = settings_for(data_dir, "piper-http", url=url, voice=JOE)
        async with started(settings) as chain:
            before = chain.voices()
    port = int(url.rpartition(":")[2])
    async with started(settings) as chain:
        assert chain.voices() == before
        async with serving(OldPiperStyle(voices={JOE: PIPER_CONFIG | {"inference": {"noise_scale": 0}}}), port):
            assert await chain.start(chain.engines[0])
        (now,) = chain.voices()
        assert now.model != before[0].model
        assert chain.knows(now)
    async with started(settings) as chain:
        assert chain.voices() == [now]


async def test_an_engine_whose_package_is_gone_is_known(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that cannot even be made has its voices too: the process starts, and says why the engine did not."""

    def gone(name: str, section: Mapping[str, object], context: EngineContext) -> Engine:
        raise EngineUnavailable(f"engine {name} cannot be imported")

    async with serving(piper()) as url:
        settings = settings_for(data_dir, "piper-http", url=url, voice=JOE)
        async with started(settings) as chain:
            before = chain.voices()
    monkeypatch.setattr(composition, "create_engine", gone)
    async with started(settings) as chain:
        assert chain.statuses[0].reason == "engine piper-http cannot be imported"
        assert chain.voices() == before
    changed = settings_for(data_dir, "piper-http", url=url, voice=ANNA)
    with pytest.raises(EngineUnavailable, match="cannot be imported"):
        await asyncio.to_thread(build_chain, changed, Cores())


async def test_a_damaged_file_is_as_good_as_none(data_dir: Path) -> None:
    """The process starts, and what its engines say is written anew."""
    path = data_dir / "known-voices.json"
    path.write_bytes(b"\x00" * 100)
    async with serving(piper()) as url:
        settings = settings_for(data_dir, "piper-http", url=url, voice=JOE)
        async with started(settings) as chain:
            before = chain.voices()
    async with started(settings) as chain:
        assert chain.voices() == before
    assert [entry["engine"] for entry in json.loads(path.read_text())["engines"]] == ["piper-http"]
