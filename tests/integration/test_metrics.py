"""`GET /metrics` of a running server: what was done is counted, and the answer comes whatever is ill."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import openmetrics
from prometheus_client.openmetrics import parser as _openmetrics_parser  # noqa: F401 - makes `openmetrics.parser` there
from prometheus_client.parser import text_string_to_metric_families
from tests.support.client import listening
from tests.support.server import ScriptedModel, Server, quick_engine, running_server

from unavoce.audio.opus import OpusPieces
from unavoce.cache.cache import Cache
from unavoce.cache.disk.background import BackgroundDisk
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.memory import MemoryCache
from unavoce.cache.report import Memory, document
from unavoce.chat.client import Caller
from unavoce.engines.fake import FakeEngine, FakeOptions, Step
from unavoce.errors import AudioError, EngineUnavailable
from unavoce.server.metrics import tallies

TEXT = "Good evening, sir. Dinner is served at eight."

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scrape(server: Server, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return await client.get(f"{server.url}/metrics", headers=headers)


class Scraped:
    """The samples of one answer, read by the library's own parser."""

    def __init__(self, text: str) -> None:
        families = list(text_string_to_metric_families(text))
        self.names = {family.name for family in families}
        self._samples: Samples = {
            (one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._samples[name, tuple(sorted(labels.items()))]

    def total(self, name: str) -> float:
        return sum(value for (one, _), value in self._samples.items() if one == name)


async def scraped(server: Server) -> Scraped:
    answer = await scrape(server)
    assert answer.status_code == 200, answer.text
    return Scraped(answer.text)


@asynccontextmanager
async def spoken(data_dir: Path, engine: FakeEngine | None = None, **settings: object) -> AsyncIterator[Server]:
    """A server that has answered one message."""
    model = ScriptedModel(otherwise=(TEXT,))
    async with (
        running_server(data_dir, engine=engine or quick_engine(), model=model, **settings) as server,
        listening(server.url) as listener,
    ):
        _, reply = await listener.say("Good evening.")
        await listener.end(reply)
        yield server


async def test_a_reply_is_counted_and_timed_by_its_door(data_dir: Path) -> None:
    """One reply over Socket.IO and one recital stand apart, each with its times, its sentences and its end."""
    async with spoken(data_dir) as server:
        async with server.app.chat.recite(Caller(), "openai", TEXT) as recital:
            assert len([chunk async for chunk in recital]) > 0
        found = await scraped(server)
    for door in ("socketio", "openai"):
        assert found("unavoce_replies_total", door=door, reason="complete") == 1
        for name in ("first_sound", "cut_to_sound", "first_token", "duration"):
            assert found(f"unavoce_reply_{name}_seconds_count", door=door) == 1
        assert found("unavoce_reply_first_sound_seconds_bucket", door=door, le="+Inf") == 1
        assert found("unavoce_sentences_skipped_total", door=door) == 0
    assert found("unavoce_replies_total", door="wyoming", reason="complete") == 0
    assert found.total("unavoce_sentences_heard_total") == 4
    assert found("unavoce_metrics_failures_total") == 0
    assert found("unavoce_connections", door="socketio") == 1
    assert found("unavoce_replies_running", door="socketio") == 0


async def test_an_engines_work_is_counted(data_dir: Path) -> None:
    """Clips, seconds, characters, cost, state and load of each engine are those of its tally."""
    engine = quick_engine()
    engine.cost_per_million_characters = 10.0
    async with spoken(data_dir, engine) as server:
        found = await scraped(server)
        tally = server.chain.members[0].tally
    assert found("unavoce_engine_clips_total", engine="fake") == tally.clips > 0
    assert found("unavoce_engine_sound_seconds_total", engine="fake") == pytest.approx(tally.sound_s)
    assert found("unavoce_engine_characters_total", engine="fake") == tally.characters >= len(TEXT) - 1
    assert found("unavoce_engine_cost_total", engine="fake") == pytest.approx(tally.characters / 100_000)
    assert found("unavoce_engine_state", engine="fake", unavoce_engine_state="healthy") == 1
    assert found("unavoce_engine_state", engine="fake", unavoce_engine_state="down") == 0
    assert found("unavoce_engine_state_changes_total", engine="fake", state="healthy") == 1
    assert found("unavoce_engine_slots", engine="fake") == 2
    assert found("unavoce_engine_waiting", engine="fake") == 0


async def test_a_reply_that_changes_its_voice_is_counted_once(data_dir: Path) -> None:
    """The second sentence's engine fails and the next one speaks: one switch, and the failure by its kind."""

    def fails_later(_: int, spoken: str) -> Step:
        return Step(fail_after=0, error=EngineUnavailable) if spoken.startswith("Dinner") else Step()

    engine = FakeEngine(FakeOptions(rate_hz=8_000, delay_s=0, real_time_factor=0), script=fails_later)
    fallback = FakeEngine.named("second")(FakeOptions(rate_hz=8_000, delay_s=0, real_time_factor=0))
    async with spoken(data_dir, engine, fallback=fallback) as server:
        found = await scraped(server)
    assert found("unavoce_voice_switches_total", engine="fake") == 1
    assert found("unavoce_voice_switches_total", engine="second") == 0
    assert found("unavoce_engine_failures_total", engine="fake", kind="unavailable") == 1
    assert found("unavoce_engine_state_changes_total", engine="fake", state="down") == 1


async def test_queue_and_slots_are_those_of_the_moment(data_dir: Path) -> None:
    """While the only slot hangs over a reply's first sentence, the second one waits, and the reply runs."""
    engine = quick_engine(max_concurrency=1)
    engine.script = lambda _, spoken: Step(hang_after=0) if spoken in TEXT else Step()
    model = ScriptedModel(otherwise=(TEXT,))
    async with running_server(data_dir, engine=engine, model=model) as server, listening(server.url) as listener:
        await server.chain.started("fake")
        _, reply = await listener.say("Good evening.")
        await listener.reach(reply, "chat:text_done")
        found = await scraped(server)
    assert found("unavoce_engine_slots", engine="fake") == 1
    assert found("unavoce_engine_running", engine="fake") == 1
    assert found("unavoce_engine_waiting", engine="fake") == 1
    assert found("unavoce_replies_running", door="socketio") == 1


async def test_the_cache_is_measured_by_tier(data_dir: Path) -> None:
    """Clips, bytes and limits in memory and on disk; a clip heard again is counted under the tier it came from."""
    disk = BackgroundDisk(DiskCache(data_dir / "cache", Limits(max_bytes=1 << 30, max_entries=100)))
    cache = Cache(MemoryCache(1 << 20), disk)
    model = ScriptedModel(otherwise=(TEXT,))
    async with running_server(data_dir, model=model, cache=cache) as server, listening(server.url) as listener:
        await server.chain.started("fake")
        for _ in range(2):
            _, reply = await listener.say("Good evening.")
            await listener.end(reply)
        await disk.flush()
        found = await scraped(server)
        assert found("unavoce_sentences_heard_total", tier="none") == 2
        assert found("unavoce_sentences_heard_total", tier="memory") == 2
        assert found("unavoce_cache_entries", tier="memory") == found("unavoce_cache_entries", tier="disk") == 2
        assert found("unavoce_cache_bytes", tier="memory") == cache.bytes
        assert found("unavoce_cache_limit_bytes", tier="disk") == 1 << 30
        assert found("unavoce_cache_degraded") == 0


def test_a_disk_that_gives_no_answer_has_no_figures() -> None:
    """What memory holds is told, the disk's fault too; sizes that nobody knows are left out, not 0."""
    disk = DiskCache(Path("/nowhere"), Limits(max_bytes=10, max_entries=1))
    told = document(disk, None, "no answer", Memory(3, 400, 5_000))
    samples = {
        (one.name, one.labels.get("tier")): one.value for family in tallies.cache_sizes(told) for one in family.samples
    }
    assert samples == {
        ("unavoce_cache_entries", "memory"): 3,
        ("unavoce_cache_bytes", "memory"): 400,
        ("unavoce_cache_limit_bytes", "memory"): 5_000,
        ("unavoce_cache_limit_bytes", "disk"): 10,
        ("unavoce_cache_degraded", None): 1,
    }


async def test_what_goes_wrong_in_a_reply_is_counted(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence that nobody speaks, the end of its reply, and chunks that Opus failed for and that left as WAV."""

    def fails(*_: object) -> None:
        raise AudioError("as scripted")

    monkeypatch.setattr(OpusPieces, "__init__", fails)
    engine = quick_engine()
    engine.script = lambda _, spoken: Step(fail_after=0) if spoken.startswith("Dinner") else Step()
    async with spoken(data_dir, engine, opus_enabled=True) as server:
        found = await scraped(server)
    assert found("unavoce_sentences_skipped_total", door="socketio") == 1
    assert found("unavoce_replies_total", door="socketio", reason="failed") == 1
    assert found("unavoce_encode_failures_total") > 0
    assert found("unavoce_engine_failures_total", engine="fake", kind="failed") > 0


async def test_refusals_are_counted_by_door_and_code(data_dir: Path) -> None:
    """What a client is refused over Socket.IO and over HTTP is there under its code, and nothing it sent is a label."""
    async with running_server(data_dir) as server, listening(server.url) as listener:
        assert await listener.refused("chat:send", {"message": " "}) == "empty"
        assert await listener.refused("chat:nonsense-of-mine", {}) == "unknown_event"
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{server.url}/api/replies/nobody/trace")).status_code == 404
            stranger = await client.get(f"{server.url}/v1/models", headers={"Host": "evil.example"})
            assert stranger.status_code == 421
        answer = await scrape(server)
    found = Scraped(answer.text)
    assert found("unavoce_refusals_total", door="socketio", code="empty") == 1
    assert found("unavoce_refusals_total", door="socketio", code="unknown_event") == 1
    assert found("unavoce_refusals_total", door="http", code="unknown_reply") == 1
    assert found("unavoce_refusals_total", door="openai", code="unknown_host") == 1
    assert "nonsense" not in answer.text
    assert "evil" not in answer.text


async def test_a_part_that_is_ill_is_left_out(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one part's figures cannot be read, the others are answered and the failure is counted."""
    async with spoken(data_dir) as server:
        monkeypatch.setattr(type(server.chain.members[0]), "cost", property(lambda _: 1 / 0))
        found = await scraped(server)
    assert "unavoce_engine_clips" not in found.names
    assert found("unavoce_engine_slots", engine="fake") == 2
    assert found("unavoce_metrics_failures_total") == 1


async def test_the_answer_is_in_the_form_that_was_asked_for(data_dir: Path) -> None:
    """OpenMetrics for those who take it, packed where that is taken; else plain text, also for a false version."""
    async with running_server(data_dir) as server:
        told = await scrape(server, accept="application/openmetrics-text; version=1.0.0")
        plain = await scrape(server, accept="application/openmetrics-text; version=x")
        packed = await scrape(server, **{"accept-encoding": "gzip"})
        unpacked = await scrape(server, **{"accept-encoding": "identity"})
    families = list(openmetrics.parser.text_string_to_metric_families(told.text))
    assert {"unavoce_replies", "unavoce_engine_state", "process_cpu_seconds"} <= {family.name for family in families}
    assert told.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (packed.headers["content-encoding"], "content-encoding" in unpacked.headers) == ("gzip", False)
    assert {line for line in packed.text.split("\n") if line.startswith("# TYPE")} == {
        line for line in unpacked.text.split("\n") if line.startswith("# TYPE")
    }


async def test_a_key_is_asked_for_where_keys_are_set(data_dir: Path) -> None:
    """Without the key there are no metrics."""
    async with running_server(data_dir, api_keys=("sesame",)) as server:
        assert (await scrape(server)).status_code == 401
        assert (await scrape(server, authorization="Bearer sesame")).status_code == 200


async def test_every_kind_of_failure_and_state_is_there_from_the_start(data_dir: Path) -> None:
    """Each has a sample of 0 before it ever happens, so that a rate can be taken over the first one."""
    async with running_server(data_dir) as server:
        await server.chain.started("fake")
        found = await scraped(server)
    for kind in tallies.KINDS:
        assert found("unavoce_engine_failures_total", engine="fake", kind=kind) == 0
    assert sum(found("unavoce_engine_state", engine="fake", unavoce_engine_state=one) for one in tallies.STATES) == 1
    assert json.dumps(sorted(found.names)).count("unavoce_") > 20
