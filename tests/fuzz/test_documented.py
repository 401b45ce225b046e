"""What schemathesis makes of the OpenAPI document, against a running server."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fuzz.documented import hold
from tests.support.client import listening
from tests.support.server import PATIENCE_S, Server, quick_engine, running_server

from unavoce.engines.fake import FakeEngine
from unavoce.errors import EngineUnavailable

EXAMPLES = 20
"""By chance, of each operation, beside those that schemathesis makes of every bound. More of them: `bench fuzz`."""
TRACE = "/api/replies/{replyId}/trace"


async def told_by(server: Server, key: str = "") -> dict[str, Any]:
    """The server's document."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=PATIENCE_S) as client:
        document: dict[str, Any] = (await client.get("/openapi.json")).json()
        return document


async def answers(server: Server, document: dict[str, Any], key: str = "") -> dict[str, dict[int, int]]:
    """How often each status was answered, by operation, where every answer was as the document says."""
    held = await asyncio.to_thread(hold, server.url, document, key=key or None, examples=EXAMPLES)
    assert not held.faults, "\n\n".join(held.faults[:10])
    assert set(held.statuses) == {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    return held.statuses


@pytest.mark.parametrize("key", ["", "sesame"])
async def test_answers_are_as_the_document_says(data_dir: Path, key: str) -> None:
    """Whatever is asked, allowed or not, with keys set or without: no 5xx, no other status, field or type; a key, where
    one is asked for, is needed."""
    keys = {"api_keys": (key,)} if key else {}
    async with (
        running_server(data_dir, **keys) as server,
        listening(server.url, auth={"apiKey": key}) as listener,
    ):
        _, reply = await listener.say("Good evening.")
        await listener.end(reply)
        document = await told_by(server, key)
        document["paths"][TRACE]["get"]["parameters"][0]["example"] = reply
        statuses = await answers(server, document, key)
        assert all(not status >= 500 for counts in statuses.values() for status in counts)
        assert statuses[f"GET {TRACE}"][200]
        assert statuses["GET /api/health"][200]
        assert statuses["POST /v1/audio/speech"][200]
        assert (401 in statuses["GET /api/health"]) == bool(key)


async def test_a_server_that_cannot_speak_keeps_to_the_document(data_dir: Path) -> None:
    """With no engine there, the health report is 503 as the document says, and nothing else is 5xx."""
    engine = FakeEngine(start_error=EngineUnavailable("cannot reach the server; remedy: start it"))
    async with running_server(data_dir, engine=engine) as server:
        await server.chain.started("fake")
        statuses = await answers(server, await told_by(server))
        assert statuses["GET /api/health"][503]
        broken = {name for name, counts in statuses.items() if any(status >= 500 for status in counts)}
        assert broken <= {"GET /api/health", "POST /v1/audio/speech"}


async def test_a_document_that_does_not_fit_is_found_out(data_dir: Path) -> None:
    """A field that is not told of, a status that is not, and a route that is not there are each a fault."""
    async with running_server(data_dir, engine=quick_engine()) as server:
        document = await told_by(server)
        for path, wrong in (("/api/health", _unknown_field), ("/api/cache", _unknown_status), ("/nowhere", _moved)):
            spoilt = copy.deepcopy(document)
            wrong(spoilt)
            held = await asyncio.to_thread(hold, server.url, spoilt, key=None, examples=1)
            assert [fault for fault in held.faults if path in fault], path


def _unknown_field(document: dict[str, Any]) -> None:
    report = document["components"]["schemas"]["HealthReport"]
    report["required"].remove("scheduler")
    del report["properties"]["scheduler"]


def _unknown_status(document: dict[str, Any]) -> None:
    answers = document["paths"]["/api/cache"]["get"]["responses"]
    answers["299"] = answers.pop("200")


def _moved(document: dict[str, Any]) -> None:
    document["paths"]["/nowhere"] = document["paths"].pop("/healthz")
