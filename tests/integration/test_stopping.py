"""How `unavoce serve` stops: real processes, told by signals, with replies under way."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio
from tests.support.client import Listener, check_order, listening
from tests.support.server import PATIENCE_S, killable_process

ENVIRON = {
    "UNAVOCE_ENGINES": "fake",
    "UNAVOCE_PREWARM_PHRASES": "",
    "UNAVOCE_LOG_FORMAT": "json",
    # Nobody is there: the embedded model would be loaded otherwise.
    "UNAVOCE_LLM__BASE_URL": "http://127.0.0.1:9/v1",
    "UNAVOCE_LLM__MODEL": "none",
}


class Served:
    """A server in a process of its own, and one client with a reply under way, which goes on when the test says so."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], listener: Listener, reply: str) -> None:
        self.url = url
        self.process = process
        self.listener = listener
        self.reply = reply

    async def more(self, text: str) -> None:
        await self.listener.ok("speak:text", {"replyId": self.reply, "text": text})

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
            return await client.get(f"{self.url}{path}")

    async def tell(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal for the first time, and wait until the server knows of it."""
        assert (await self.get("/healthz")).status_code == 200
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            while (await self.get("/healthz")).status_code == 200:
                pass

    async def exit_code(self) -> int:
        return await asyncio.to_thread(self.process.wait, PATIENCE_S)

    async def end(self) -> dict[str, Any]:
        """The reply's `chat:audio_done`, after its events have been checked for their order."""
        check_order(await self.listener.end(self.reply))
        return self.listener.payloads(self.reply, "chat:audio_done")[0]


@asynccontextmanager
async def serving(data_dir: Path, **environ: str) -> AsyncIterator[Served]:
    with killable_process(data_dir, **ENVIRON, **environ) as (url, process):
        async with listening(url) as listener:
            reply = (await listener.ok("speak:start", {}))["replyId"]
            served = Served(url, process, listener, reply)
            await served.more("Good evening, sir. Dinner is")
            await listener.reach(reply, "chat:audio_chunk")
            yield served


def logged(data_dir: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (data_dir / "log.txt").read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_running_reply_comes_to_its_end(data_dir: Path, number: signal.Signals) -> None:
    """Told to stop, the server refuses what is new, takes the rest of the reply's text, speaks it, and is gone."""
    async with serving(data_dir, UNAVOCE_STOP_TIMEOUT_S="600") as served:
        await served.tell(number)
        health = await served.get("/healthz")
        assert (health.status_code, int(health.headers["retry-after"]) > 0) == (503, True)
        assert await served.listener.refused("chat:send", {"message": "Hello."}) == "stopping"
        assert await served.listener.refused("speak:start", {}) == "stopping"
        with pytest.raises(socketio.exceptions.ConnectionError):
            async with listening(served.url):
                pass
        metrics = (await served.get("/metrics")).text
        assert "unavoce_stopping 1.0" in metrics
        assert 'unavoce_refusals_total{code="stopping",door="socketio"} 3.0' in metrics
        await served.more(" served.")
        await served.listener.ok("speak:end", {"replyId": served.reply})
        done = await served.end()
        assert (done["reason"], done["skipped"]) == ("complete", [])
        assert {chunk["sentence"] for chunk in served.listener.chunks(served.reply)} == {0, 1}
        assert await served.exit_code() == 0
    events = logged(data_dir)
    assert [one["event"] for one in events if one["level"] != "info"] == ["model_not_ready"]
    assert [one["end"] for one in events if one["event"] == "reply_done"] == ["complete"]


async def test_told_again_it_ends_at_once(data_dir: Path) -> None:
    """A second signal stops what runs, with its proper end, and the exit code is that of a clean stop."""
    async with serving(data_dir, UNAVOCE_STOP_TIMEOUT_S="600") as served:
        await served.tell()
        served.process.send_signal(signal.SIGTERM)
        assert (await served.end())["reason"] == "aborted"
        assert await served.exit_code() == 0


async def test_the_limit_ends_what_would_not_end(data_dir: Path) -> None:
    """A reply that nobody finishes is stopped when the time is over, with its proper end."""
    async with serving(data_dir, UNAVOCE_STOP_TIMEOUT_S="0") as served:
        served.process.send_signal(signal.SIGTERM)
        assert (await served.end())["reason"] == "aborted"
        assert await served.exit_code() == 0
    assert "replies_cut_off" in [one["event"] for one in logged(data_dir)]


async def test_a_reply_that_nobody_can_come_back_to_holds_nothing_up(data_dir: Path) -> None:
    """Its client is gone, and connections are refused: it ends with the first signal."""
    async with serving(data_dir, UNAVOCE_STOP_TIMEOUT_S="600", UNAVOCE_RECONNECT_GRACE_S="600") as served:
        async with listening(served.url) as other:
            reply = (await other.ok("speak:start", {}))["replyId"]
            await other.ok("speak:text", {"replyId": reply, "text": "Nobody hears"})
        await served.listener.ok("speak:end", {"replyId": served.reply})
        await served.end()
        served.process.send_signal(signal.SIGTERM)
        assert await served.exit_code() == 0
    ends = {one["reply"]: one["end"] for one in logged(data_dir) if one["event"] == "reply_done"}
    assert ends == {served.reply: "complete", reply: "aborted"}


async def test_a_supervisor_is_told(data_dir: Path, tmp_path: Path) -> None:
    """systemd's socket gets READY=1 when connections are accepted and STOPPING=1 at the signal."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(PATIENCE_S)
        with killable_process(data_dir, **ENVIRON, NOTIFY_SOCKET=str(tmp_path / "notify")) as (_, process):
            assert await asyncio.to_thread(supervisor.recv, 100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(supervisor.recv, 100) == b"STOPPING=1"
            assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0


def a_long_text() -> dict[str, Any]:
    """Far more sound than the system holds for a client that does not read."""
    return {"model": "tts-1", "input": "Good evening, sir. " * 500, "voice": "alloy", "response_format": "pcm"}


@asynccontextmanager
async def speaking(url: str) -> AsyncIterator[httpx.Response]:
    """A speech request under way: its client has the head of the answer and reads no further for now."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client,
        client.stream("POST", f"{url}/v1/audio/speech", json=a_long_text()) as answer,
    ):
        assert answer.status_code == 200
        yield answer


async def test_a_speech_request_comes_to_its_end(data_dir: Path) -> None:
    """It gets all of its sound after the server was told to stop; the next one gets 503 and when to come again."""
    async with serving(data_dir, UNAVOCE_STOP_TIMEOUT_S="600") as served, speaking(served.url) as answer:
        await served.tell()
        async with httpx.AsyncClient(trust_env=False) as client:
            refused = await client.post(f"{served.url}/v1/audio/speech", json=a_long_text())
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["code"] == "stopping"
        await served.listener.ok("speak:end", {"replyId": served.reply})
        assert (await served.end())["reason"] == "complete"
        sound_s = sum([len(part) async for part in answer.aiter_raw()]) / 2 / 24_000
        # The engine `fake` takes 0.06 s for a character; pauses come on top, and edges are trimmed.
        assert sound_s > 0.9 * 0.06 * len(a_long_text()["input"])
        assert await served.exit_code() == 0
    ends = {one["door"]: one["end"] for one in logged(data_dir) if one["event"] == "reply_done"}
    assert ends == {"socketio": "complete", "openai": "complete"}


async def test_a_speech_request_that_is_cut_off_does_not_look_whole(data_dir: Path) -> None:
    """Told to stop twice, the server breaks its answer off: no client can take what came for all of it."""
    async with serving(data_dir, UNAVOCE_STOP_TIMEOUT_S="600") as served, speaking(served.url) as answer:
        await served.tell()
        served.process.send_signal(signal.SIGTERM)
        assert (await served.end())["reason"] == "aborted"
        with pytest.raises(httpx.RemoteProtocolError):
            async for _ in answer.aiter_raw():
                pass
        assert await served.exit_code() == 0
