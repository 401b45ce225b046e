"""`GET /api/health`: every part, its state, the reason and the remedy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from tests.support.server import quick_engine, running_server

from unavoce.chain.chain import Chain
from unavoce.composition import build_chain
from unavoce.cores import Cores
from unavoce.engines.fake import FakeEngine
from unavoce.errors import EngineUnavailable, NotThere, SettingsError
from unavoce.settings import load_settings


async def get(url: str, key: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return await client.get(f"{url}/api/health", headers=headers)


async def test_a_healthy_server_reports_every_part(data_dir: Path) -> None:
    """Engines, model, cache, history, scheduler and cores stand in the report, with what each has done."""
    async with running_server(data_dir) as server:
        await server.chain.started("fake")
        answer = await get(server.url)
    assert answer.status_code == 200
    report = answer.json()
    assert report["status"] == "ok"
    assert report["engines"]["fake"]["status"] == "healthy"
    assert report["engines"]["fake"]["voices"] == ["tone"]
    assert report["model"]["status"] == "ok"
    for part in ("model", "cache", "history", "scheduler", "cores"):
        assert {"status", "latencyMs", "detail"} <= set(report[part])
    assert report["scheduler"]["latencyMs"] >= 0
    assert (report["cores"]["leaveRoom"], report["cores"]["leavesRoom"]) == ("auto", False)


async def test_a_server_that_stops_says_so(data_dir: Path) -> None:
    """The scheduler takes nothing new, and nobody else is to be sent here."""
    async with running_server(data_dir) as server, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{server.url}/healthz")).status_code == 200
        server.app.stopping.told()
        told, stands = await get(server.url), await client.get(f"{server.url}/healthz")
    assert told.json()["scheduler"]["status"] == "stopping"
    assert (stands.status_code, stands.headers["retry-after"]) == (503, "5")


async def test_without_an_engine_that_speaks_the_report_is_503(data_dir: Path) -> None:
    """The reason and the remedy of an engine that is down stand apart, and the status says that nothing speaks."""
    away = EngineUnavailable("cannot reach the server at 10.0.0.9; remedy: start it, or correct UNAVOCE_XTTS__URL")
    async with running_server(data_dir, engine=FakeEngine(start_error=away)) as server:
        await server.chain.started("fake")
        answer = await get(server.url)
    assert answer.status_code == 503
    report = answer.json()
    assert report["status"] == "down"
    assert report["engines"]["fake"]["detail"] == "cannot reach the server at 10.0.0.9"
    assert report["engines"]["fake"]["remedy"] == "start it, or correct UNAVOCE_XTTS__URL"
    assert report["engines"]["fake"]["changes"] == {"down": 1}


async def test_a_key_is_asked_for_where_keys_are_set(data_dir: Path) -> None:
    """Without the key there is no report, and the refusal does not name one."""
    async with running_server(data_dir, engine=quick_engine(), api_keys=("sesame",)) as server:
        refused = [await get(server.url, key) for key in (None, "wrong")]
        admitted = await get(server.url, "sesame")
    assert [answer.status_code for answer in refused] == [401, 401]
    assert "sesame" not in "".join(answer.text for answer in refused)
    assert admitted.status_code == 200


async def test_an_engine_whose_voice_is_missing_leaves_the_others_to_speak(data_dir: Path) -> None:
    """A voice file that is not there keeps its engine down, with the setting in its reason; the next engine speaks."""

    def build() -> Chain:
        settings = load_settings(data_dir=data_dir, engines=["piper", "fake"], piper={"voice": "nobody"})
        return build_chain(settings, Cores())

    chain = await asyncio.to_thread(build)
    for engine in chain.engines:
        await chain.start(engine)
    piper, fake = chain.statuses
    assert (piper.status, fake.status) == ("down", "healthy")
    assert "setting piper.voice = 'nobody': expected" in piper.reason
    assert chain.find_voice(None).engine == "fake"
    await chain.close()


def test_where_no_engine_is_there_the_start_says_what_the_first_one_lacks(data_dir: Path) -> None:
    """With nothing else to speak, a missing voice stops the start, naming the setting."""
    settings = load_settings(data_dir=data_dir, engines=["piper"], piper={"voice": "nobody"})
    with pytest.raises(NotThere, match=r"setting piper\.voice = 'nobody'"):
        build_chain(settings, Cores())


def test_an_invalid_option_stops_the_start_whoever_else_could_speak(data_dir: Path) -> None:
    """An option that does not exist is a mistake in the settings, not an engine that is away."""
    settings = load_settings(data_dir=data_dir, engines=["piper", "fake"], piper={"vioce": "x"})
    with pytest.raises(SettingsError, match=r"piper\.vioce"):
        build_chain(settings, Cores())


async def test_the_report_says_how_full_an_engine_is(data_dir: Path) -> None:
    """Load and capacity are null until the engine was measured, then those of its workload, here and in the metrics."""
    async with running_server(data_dir) as server:
        await server.chain.started("fake")
        before = (await get(server.url)).json()["scheduler"]
        for _ in range(20):
            server.chain.member("fake").effort.add(4.0, 0.4, 0.4)
        after = (await get(server.url)).json()["scheduler"]
    assert (before["load"], before["capacity"]) == ({"fake": None}, {"fake": None})
    assert (after["load"], after["capacity"]) == ({"fake": 0}, {"fake": 19.0})
