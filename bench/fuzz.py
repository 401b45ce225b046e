"""Garbage at every door at once, against one real server process, while well-behaved clients check that their sound
stays what it was: the drivers of tests/fuzz, for minutes. `BENCH_FUZZ_MINUTES` sets how many (5)."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from tests.fuzz import chance, events, frames, http_bytes, slow_clients, wyoming_bytes
from tests.fuzz.documented import hold
from tests.support.client import joined, listening
from tests.support.server import PATIENCE_S, killable_process
from wyoming.audio import AudioChunk
from wyoming.client import AsyncTcpClient
from wyoming.tts import Synthesize

from bench.report import Grid, Report

KEY = "a-key-that-nobody-may-see-8f3a1c"
TEXT = "The kettle is on, sir. Dinner will be served at eight, in the blue room."
MINUTES = 5.0
ENGINEIO = '"logger": "engineio.server"'
"""It calls the first of each kind of nonsense an error, and then no more."""
CALM_LIMIT_S = 90.0
"""For what is still open when the garbage has ended."""
MORE_FILES, MORE_THREADS = 2, 10
"""Than before: a connection that is just closing; pools that were not full yet."""
GROWTH, LONG_ENOUGH_S = 1.15, 120.0
"""Of memory in the second half: it is to level off. A run is to be so long that bounded stores fill in the first."""
QUICK = {"MAX_REQUESTS_PER_S": "100000", "MAX_EVENTS_PER_S": "100000", "MAX_REPLIES_PER_CALLER": "10000"}
PATIENT = {"REQUEST_TIMEOUT_S": "2", "SEND_TIMEOUT_S": "4", "HANDSHAKE_TIMEOUT_S": "2", "RECONNECT_GRACE_S": "1"}


@dataclass(frozen=True, slots=True)
class Vitals:
    """Of the server's process, and what it says of itself."""

    resident_mb: float
    files: int
    threads: int
    connections: float
    replies: float


@dataclass(slots=True)
class Thrown:
    """What one driver did, or one client heard. `rounds` of so many cases each."""

    rounds: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    thrown: dict[str, Thrown] = field(default_factory=dict)
    vitals: dict[str, Vitals] = field(default_factory=dict)
    """`before`, `half`, `after`."""
    faults: list[str] = field(default_factory=list)
    """Of the server as a whole."""

    @property
    def all_faults(self) -> list[str]:
        return [*self.faults, *(f"{name}: {one}" for name, thrown in self.thrown.items() for one in thrown.faults)]


async def run(_repeat: int) -> Report:
    """One run; the report has failed where there was any fault."""
    minutes = float(os.environ.get("BENCH_FUZZ_MINUTES", MINUTES))
    with TemporaryDirectory() as folder:
        outcome = await all_doors(Path(folder), minutes * 60)
    figures = {**asdict(outcome), "minutes": minutes}
    return Report(figures, [_thrown(outcome, minutes), _vitals(outcome)], failed=bool(outcome.all_faults))


async def all_doors(folder: Path, duration_s: float) -> Outcome:
    """Everything at once for `duration_s`, with the server's data in `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        wyoming_port = free.getsockname()[1]
    outcome = Outcome()
    with killable_process(folder, **_environment(wyoming_port)) as (address, process):
        try:
            await _Server(address, wyoming_port, process.pid).besieged(duration_s, outcome)
        except* (httpx.HTTPError, OSError) as errors:
            outcome.faults += [f"the server is gone: {error!r}" for error in errors.exceptions]
        process.send_signal(signal.SIGINT)
        if (code := await asyncio.to_thread(_exit_code, process)) != 0:
            outcome.faults.append(f"the server ended with exit code {code}")
    outcome.faults += faults_in((folder / "log.txt").read_text(errors="replace"), [KEY, TEXT[:20]])
    outcome.faults += judged(outcome.vitals, levels_off=duration_s >= LONG_ENOUGH_S)
    return outcome


def _environment(wyoming_port: int) -> dict[str, str]:
    chosen = {
        **{"ENGINES": "fake", "FAKE__DELAY_S": "0.01", "FAKE__REAL_TIME_FACTOR": "0.01", "API_KEYS": KEY},
        **{"LLM__BASE_URL": "http://127.0.0.1:9", "LLM__MODEL": "none", "HISTORY": "disk", "LOG_FORMAT": "json"},
        **{"WYOMING_PORT": str(wyoming_port), "PREWARM_PHRASES": "", **QUICK, **PATIENT},
    }
    return {f"UNAVOCE_{name}": value for name, value in chosen.items()}


class _Server:
    """The server under fire, from outside."""

    def __init__(self, url: str, wyoming_port: int, pid: int) -> None:
        self._url = url
        self._host, self._port = "127.0.0.1", int(urlsplit(url).port or 0)
        self._wyoming_port = wyoming_port
        self._pid = pid

    async def besieged(self, duration_s: float, outcome: Outcome) -> None:
        """Notes in `outcome` what comes of it, as far as it comes."""
        thrown, vitals = outcome.thrown, outcome.vitals
        listeners = {"reply": self._reply, "speech": self._speech, "Wyoming speech": self._wyoming}
        undisturbed = {name: [await listen() for _ in range(2)][-1] for name, listen in listeners.items()}
        vitals["before"] = await self._calm()
        until_s = time.monotonic() + duration_s
        async with asyncio.TaskGroup() as tasks:
            for name, (throw, count) in self._drivers().items():
                thrown[name] = Thrown()
                tasks.create_task(_again(thrown[name], until_s, partial(_throw, throw, count, number=len(thrown))))
            for name, listen in listeners.items():
                thrown[f"a good client's {name}"] = good = Thrown()
                tasks.create_task(_again(good, until_s, partial(_compared, listen, undisturbed[name])))
            tasks.create_task(self._at_half(vitals, duration_s / 2))
        try:
            vitals["after"] = await self._calm()
        except TimeoutError:
            outcome.faults.append(f"not calm {CALM_LIMIT_S:g} s after the garbage: {await self._vitals()}")

    def _drivers(self) -> dict[str, tuple[Callable[[Any, int], Awaitable[None]], int]]:
        there = self._host, self._port
        return {
            "HTTP, bytes": (partial(http_bytes.throw, *there), 30),
            "HTTP, as documented and not": (self._documented, 3),
            "Socket.IO, events": (partial(events.throw, *there, key=KEY), 40),
            "Socket.IO, frames": (partial(frames.throw, *there, key=KEY), 20),
            "Wyoming, bytes": (partial(wyoming_bytes.throw, self._host, self._wyoming_port), 20),
            "slow, silent, deaf": (partial(slow_clients.throw, *there), 12),
        }

    async def _documented(self, rng: Any, examples: int) -> None:
        document = await self._get("/openapi.json")
        seed = rng.randrange(2**32)
        held = await asyncio.to_thread(hold, self._url, document.json(), key=KEY, examples=examples, seed=seed)
        assert not held.faults, "; ".join(held.faults[:3])

    # -- clients that do nothing wrong: each gives its sound

    async def _reply(self) -> bytes:
        async with listening(self._url, auth={"apiKey": KEY}) as listener:
            reply = (await listener.ok("speak:start", {}))["replyId"]
            await listener.ok("speak:text", {"replyId": reply, "text": TEXT})
            await listener.ok("speak:end", {"replyId": reply})
            await listener.end(reply)
            # Without the pause at its end: that depends on whether this busy process said `speak:end` in time.
            return np.trim_zeros(joined(listener.chunks(reply)), "b").tobytes()

    async def _speech(self) -> bytes:
        wanted = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "pcm"}
        async with self._client() as client:
            answer = await client.post("/v1/audio/speech", json=wanted)
            return answer.raise_for_status().content

    async def _wyoming(self) -> bytes:
        sound = b""
        async with asyncio.timeout(PATIENCE_S), AsyncTcpClient(self._host, self._wyoming_port) as client:
            await client.write_event(Synthesize(TEXT).event())
            while (event := await client.read_event()) is not None and event.type != "audio-stop":
                sound += AudioChunk.from_event(event).audio if AudioChunk.is_type(event.type) else b""
        return sound

    # -- how it is

    async def _calm(self) -> Vitals:
        """When nothing is open and nothing runs. Raises TimeoutError."""
        async with asyncio.timeout(CALM_LIMIT_S):
            while (vitals := await self._vitals()).connections or vitals.replies:  # noqa: ASYNC110
                await asyncio.sleep(0.2)  # the server says how it is, and not when that changes
            return vitals

    async def _at_half(self, vitals: dict[str, Vitals], after_s: float) -> None:
        await asyncio.sleep(after_s)
        vitals["half"] = await self._vitals()

    async def _vitals(self) -> Vitals:
        figures = (await self._get("/metrics")).text
        counted = _sum("unavoce_connections", figures), _sum("unavoce_replies_running", figures)
        return Vitals(*await asyncio.to_thread(_process, self._pid), *counted)

    async def _get(self, path: str) -> httpx.Response:
        async with self._client() as client:
            return (await client.get(path)).raise_for_status()

    def _client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.AsyncClient(base_url=self._url, headers=headers, timeout=PATIENCE_S, trust_env=False)


def _process(pid: int) -> tuple[float, int, int]:
    """Resident memory in MB, open files, threads: proc_pid_status(5)."""
    status, files = Path(f"/proc/{pid}/status").read_text(), os.listdir(f"/proc/{pid}/fd")
    return round(int(_after("VmRSS:", status)) / 1000, 1), len(files), int(_after("Threads:", status))


def _exit_code(process: subprocess.Popen[bytes]) -> int | str:
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "none: it did not stop"


async def _again(thrown: Thrown, until_s: float, once: Callable[[int], Awaitable[None]]) -> None:
    """Do it until then, whatever comes of it."""
    while time.monotonic() < until_s:
        try:
            await once(thrown.rounds)
        except Exception as error:  # whatever it is, it is what the run is to find
            thrown.faults.append(f"{type(error).__name__}: {error}"[:600])
        thrown.rounds += 1


async def _throw(throw: Callable[[Any, int], Awaitable[None]], count: int, rounds: int, *, number: int) -> None:
    await throw(chance(1000 * rounds + number), count)


async def _compared(listen: Callable[[], Awaitable[bytes]], expected: bytes, _rounds: int) -> None:
    heard = await listen()
    assert heard == expected, f"{len(heard)} bytes of sound, not the {len(expected)} of before"


# -- what is a fault


def faults_in(log: str, secrets: Sequence[str]) -> list[str]:
    """What a log must not hold: crashes, errors, secrets."""
    lines = log.splitlines()
    crashes = [line for line in lines if "Traceback" in line or ('"level": "error"' in line and ENGINEIO not in line)]
    told = [f"the log holds {secret[:5]}…" for secret in secrets if secret in log]
    return [*(f"in the log: {line[:600]}" for line in crashes[:20]), *told]


def judged(vitals: Mapping[str, Vitals], *, levels_off: bool = True) -> list[str]:
    """What did not come back to where it was."""
    if not {"before", "half", "after"} <= set(vitals):
        return ["the server's state was not seen to the end"]
    before, half, after = vitals["before"], vitals["half"], vitals["after"]
    found = []
    if after.files > before.files + MORE_FILES:
        found.append(f"files: {before.files} open before, {after.files} after")
    if after.threads > before.threads + MORE_THREADS:
        found.append(f"threads: {before.threads} before, {after.threads} after")
    if levels_off and after.resident_mb > half.resident_mb * GROWTH:
        found.append(f"memory: {half.resident_mb} MB at half-time, {after.resident_mb} after")
    return found


def _after(name: str, status: str) -> str:
    return status.partition(name)[2].split()[0]


def _sum(metric: str, figures: str) -> float:
    """Over all its labels."""
    return sum(float(value) for value in re.findall(rf"^{metric}(?:\{{.*\}})? (\S+)$", figures, re.MULTILINE))


# -- tables


def _thrown(outcome: Outcome, minutes: float) -> Grid:
    rows = [[name, str(one.rounds), str(len(one.faults))] for name, one in outcome.thrown.items()]
    faults = outcome.all_faults
    note = "No fault." if not faults else "FAULTS\n" + "\n".join(faults[:20])
    return Grid(f"All doors at once, {minutes:g} min", ["", "rounds", "faults"], rows, note)


def _vitals(outcome: Outcome) -> Grid:
    names = ("resident_mb", "files", "threads", "connections", "replies")
    rows = [[when, *(f"{getattr(one, name):g}" for name in names)] for when, one in outcome.vitals.items()]
    return Grid("The server", ["", "memory, MB", "open files", "threads", "connections", "replies"], rows)
