"""The client that browsers use: `socket.io-client` under Node."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.client import check_order, joined, listening
from tests.support.node import javascript_folder, node_and_npm
from tests.support.protocol import check_acknowledgement, check_event, example
from tests.support.server import PATIENCE_S, ScriptedModel, quick_engine, running_server

SENTENCES = [f"This is sentence number {number} of the evening, sir. " for number in range(1, 7)]


@pytest.fixture(scope="session")
def client_folder() -> Path:
    """A folder with the scripts and `socket.io-client`."""
    return javascript_folder()


async def run(folder: Path, script: str, *arguments: str) -> list[tuple[str, dict[str, Any]]]:
    """Run a script under Node to its end; the events it printed, binary as bytes again."""
    node, _ = node_and_npm()
    process = await asyncio.create_subprocess_exec(
        node, script, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return [_event(line) for line in output.decode().splitlines()]


def _event(line: str) -> tuple[str, dict[str, Any]]:
    name, payload = json.loads(line)
    if isinstance(payload, dict) and isinstance(payload.get("audio"), dict):
        assert payload["audio"]["binary"] == "Buffer"
        payload["audio"] = base64.b64decode(payload["audio"]["base64"])
    return name, payload


def of(events: list[tuple[str, dict[str, Any]]], name: str) -> list[dict[str, Any]]:
    return [payload for one, payload in events if one == name]


def reply_of(events: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, payload) for name, payload in events if not name.startswith(("ack", "engine", "lost", "connect"))]


async def test_a_conversation_has_every_event_and_the_same_sound(data_dir: Path, client_folder: Path) -> None:
    """socket.io-client gets all events with their fields, binary as Buffers, and the samples that others get."""
    async with running_server(data_dir, model=ScriptedModel(otherwise=SENTENCES)) as server:
        events = await run(client_folder, "talk.js", server.url, "Hello")
        check_acknowledgement("chat:send", of(events, "ack chat:send")[0])
        history = of(events, "ack chat:history")[0]
        check_acknowledgement("chat:history", history)
        assert [one["text"] for one in history["messages"]] == ["Hello", "".join(SENTENCES)]
        check_order(reply_of(events))
        for name, payload in events:
            if not name.startswith("ack"):
                check_event(name, payload)
        async with listening(server.url) as listener:
            _, reply = await listener.say("Hello")
            await listener.end(reply)
            assert np.array_equal(joined(of(events, "chat:audio_chunk")), joined(listener.chunks(reply)))


async def test_opus_and_text_only(data_dir: Path, client_folder: Path) -> None:
    """The manner of a reply is chosen from JavaScript as from anywhere."""
    async with running_server(data_dir) as server:
        packed = await run(client_folder, "talk.js", server.url, "Hello", '{"format": "opus", "speed": 1.5}')
        assert {one["contentType"] for one in of(packed, "chat:audio_chunk")} == {"audio/ogg; codecs=opus"}
        assert joined(of(packed, "chat:audio_chunk")).size
        silent = await run(client_folder, "talk.js", server.url, "Hello", '{"speak": false}')
        check_order(reply_of(silent), speaks=False)


async def test_an_acknowledged_abort_is_the_end_of_sound(data_dir: Path, client_folder: Path) -> None:
    """After the callback of chat:abort only end events come."""
    model = ScriptedModel(otherwise=[*SENTENCES * 20, asyncio.Event()])
    async with running_server(data_dir, model=model) as server:
        events = await run(client_folder, "abort.js", server.url)
        names = [name for name, _ in events]
        acknowledged = names.index("ack chat:abort")
        assert events[acknowledged][1] == {"ok": True, "aborted": 1}
        assert set(names[acknowledged + 1 :]) <= {"chat:text_done", "chat:audio_done", "chat:done"}
        check_order(reply_of(events))
        assert of(events, "chat:done")[0]["reason"] == "aborted"


async def test_a_lost_connection_is_come_back_to(data_dir: Path, client_folder: Path) -> None:
    """A destroyed transport and chat:join give every chunk once and the sound of an undisturbed reply."""
    model = ScriptedModel(otherwise=SENTENCES)
    async with running_server(data_dir, model=model, engine=quick_engine(pieces=2, delay_s=0.02)) as server:
        events = await run(client_folder, "come_back.js", server.url)
        (lost,), (join,) = of(events, "lost"), of(events, "ack chat:join")
        check_acknowledgement("chat:join", join)
        assert [one["nextIndex"] for one in join["replies"]] == [lost["last"] + 1]
        chunks = of(events, "chat:audio_chunk")
        assert [chunk["index"] for chunk in chunks] == list(range(of(events, "chat:audio_done")[0]["totalChunks"]))
        async with listening(server.url) as listener:
            _, reply = await listener.say("Talk")
            await listener.end(reply)
            assert np.array_equal(joined(chunks), joined(listener.chunks(reply)))


async def test_a_refused_connection_tells_its_code(data_dir: Path, client_folder: Path) -> None:
    """connect_error carries the code that the page lists."""
    async with running_server(data_dir, api_keys=("right",)) as server:
        events = await run(client_folder, "talk.js", server.url, "Hello")
        assert [payload["data"] for _, payload in events] == [{"code": "unauthorised"}]


async def test_the_javascript_example_runs_as_it_stands(data_dir: Path, client_folder: Path, tmp_path: Path) -> None:
    """The page's JavaScript client, but for the address, prints the answer and leaves its sound as WAV files."""
    source = example("javascript")
    assert len(source.strip().split("\n")) <= 20
    async with running_server(data_dir) as server:
        script = tmp_path / "example.mjs"
        script.write_text(source.replace("http://127.0.0.1:8010", server.url))
        (tmp_path / "node_modules").symlink_to(client_folder / "node_modules")
        process = await asyncio.create_subprocess_exec(
            node_and_npm()[0], script, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await process.communicate()
        assert process.returncode == 0
        assert output.decode() == "Very good, sir."
        assert next(tmp_path.glob("chunk-*.wav")).read_bytes()[:4] == b"RIFF"
