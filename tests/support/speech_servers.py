"""Speech servers for tests: a real HTTP server on loopback that plays any script, stand-ins that speak as the real ones
do (written from their sources and documentation), and Piper's own server as a process.

`Exchange` is one request; a handler answers it piece by piece, can wait, and can break off.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import numpy as np
import uvicorn
from tests.support.web import Web

from unavoce.audio.pcm import Samples
from unavoce.audio.wav import wav_bytes
from unavoce.engines.fake import tone_hz

RATE_HZ = 24_000
PATIENCE_S = 60.0
"""How long a test waits for what must come before it fails; far more than anything takes."""
S_PER_CHAR = 0.06


class BrokenOff(Exception):
    """A handler's wish that the connection is cut."""


@dataclass(slots=True)
class Exchange:
    """One request as the server received it, and the means to answer it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    send: Callable[[dict[str, Any]], Awaitable[None]]
    gone: asyncio.Event
    """Set when the client has closed the connection."""

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    async def head(self, status: int = 200, kind: str = "audio/wav", **headers: str) -> None:
        lines = {"content-type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
        encoded = [(name.encode(), value.encode()) for name, value in lines.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})

    async def part(self, data: bytes) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self.send({"type": "http.response.body", "body": b""})

    async def whole(self, data: bytes, status: int = 200, kind: str = "text/html") -> None:
        await self.head(status, kind, content_length=str(len(data)))
        await self.part(data)
        await self.end()

    async def say(self, value: object, status: int = 200) -> None:
        await self.whole(json.dumps(value).encode(), status, "application/json")


Handler = Callable[[Exchange], Awaitable[None]]


async def until(condition: Callable[[], object]) -> None:
    """Returns when `condition` holds, for things that tell nobody when they change."""
    while not condition():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(handler: Handler, port: int = 0) -> AsyncIterator[str]:
    """A server whose every request is answered by `handler`; yields its URL. Stopped when the block ends."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        config = uvicorn.Config(_app(handler), lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        web = Web(config)
        task = asyncio.create_task(web.serve(sockets=[listening]))
        await web.ready.wait()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            web.stop()
            await task


def _app(handler: Handler) -> Any:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        gone = asyncio.Event()
        watch = asyncio.create_task(_watch(receive, gone))
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        try:
            await handler(Exchange(scope["method"], scope["path"], query, headers, body, send, gone))
        finally:
            watch.cancel()

    return app


async def _watch(receive: Any, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


# -- sound


def tone(text: str, voice: str, speed: float = 1.0, rate_hz: int = RATE_HZ) -> Samples:
    """A tone of the voice's own pitch, as long as `text` takes to say."""
    times_s = np.arange(round(S_PER_CHAR * len(text) / speed * rate_hz)) / rate_hz
    return (8000 * np.sin(2 * np.pi * tone_hz(voice) * times_s)).astype(np.int16)


def open_wav(samples: Samples, rate_hz: int, size: int = 0xFFFFFFFF) -> bytes:
    """A WAV as streaming servers send it: its sizes say nothing."""
    data = bytearray(wav_bytes(samples, rate_hz))
    data[4:8], data[40:44] = struct.pack("<I", size), struct.pack("<I", size)
    return bytes(data)


Speak = Callable[[str, str, float, int], Samples]
"""Sound of a text in a voice, at a speed and rate."""


@dataclass
class Sounding:
    """What the stand-ins share: how their sound leaves, and what was asked of them."""

    speak: Speak = tone
    parts: int = 5
    cut_at: int | None = None
    """Break the connection off instead of sending this part."""
    hold_at: int | None = None
    """Wait for `go` before this part."""
    go: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while an answer waits for `go`."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of requests for sound."""
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closed the connection while its answer was held."""
    finished: int = 0

    async def stream(self, exchange: Exchange, data: bytes, kind: str) -> None:
        """`data` in `parts` parts of odd lengths."""
        await exchange.head(200, kind)
        size = len(data) // self.parts | 1
        for number, start in enumerate(range(0, len(data), size)):
            if number == self.cut_at:
                raise BrokenOff
            if number == self.hold_at and not await self._held(exchange):
                return
            await exchange.part(data[start : start + size])
        await exchange.end()
        self.finished += 1

    async def _held(self, exchange: Exchange) -> bool:
        """Waits; False when the client left meanwhile."""
        self.held.set()
        waits = [asyncio.create_task(event.wait()) for event in (self.go, exchange.gone)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if exchange.gone.is_set():
            self.abandoned.set()
        return not exchange.gone.is_set()


@dataclass
class OpenAIStyle(Sounding):
    """`POST /v1/audio/speech`, as Kokoro-FastAPI, Speaches and openedai-speech answer it, by configuration."""

    key: str = ""
    model: str = "tts-1"
    known: tuple[str, ...] = ("alloy",)
    listed: Any = None
    """Body of `GET /v1/audio/voices`; 404 where None."""
    rates_hz: Mapping[str, int] = field(default_factory=lambda: {"wav": RATE_HZ, "pcm": RATE_HZ})
    """The formats it has, and at which rate; others are refused."""
    sends: str = ""
    """The format it sends whatever was asked for."""
    wav_size: int = 0xFFFFFFFF

    async def __call__(self, exchange: Exchange) -> None:
        if self.key and exchange.headers.get("authorization") != f"Bearer {self.key}":
            await exchange.say({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 401)
        elif exchange.path == "/v1/audio/voices" and self.listed is not None:
            await exchange.say(self.listed)
        elif (exchange.method, exchange.path) == ("POST", "/v1/audio/speech"):
            await self._speech(exchange, exchange.json)
        else:
            await exchange.say({"detail": "Not Found"}, 404)

    async def _speech(self, exchange: Exchange, body: dict[str, Any]) -> None:
        self.asked.append(body)
        kind = self.sends or body["response_format"]
        if body["model"] != self.model:
            await exchange.say({"detail": f"Model '{body['model']}' is not installed locally."}, 404)
        elif body["voice"] not in self.known:
            await exchange.say({"detail": {"error": "validation_error", "message": "Voice not found"}}, 400)
        elif kind not in (*self.rates_hz, "mp3"):
            await exchange.say({"detail": f"Unsupported format: {kind}"}, 400)
        else:
            await self.stream(exchange, self._sound(kind, body), "application/octet-stream")

    def _sound(self, kind: str, body: dict[str, Any]) -> bytes:
        if kind == "mp3":
            return b"\xff\xfb\x90\xc4" + bytes(range(256)) * 100
        rate_hz = self.rates_hz[kind]
        samples = self.speak(body["input"], body["voice"], body.get("speed", 1.0), rate_hz)
        return samples.astype("<i2").tobytes() if kind == "pcm" else open_wav(samples, rate_hz, self.wav_size)


@dataclass
class ElevenLabsStyle(Sounding):
    """The part of ElevenLabs' API that is used, from its documentation."""

    key: str = "el-secret"
    voices: Mapping[str, str] = field(default_factory=lambda: {"Rachel": "21m00Tcm4TlvDq8ikWAM"})
    """Ids by name."""
    may_list: bool = True
    refuses: tuple[int, object] | None = None
    """Status and body of every answer to a request for sound."""

    async def __call__(self, exchange: Exchange) -> None:
        path = exchange.path
        if exchange.headers.get("xi-api-key") != self.key:
            await exchange.say({"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}, 401)
        elif path == "/v1/voices" and not self.may_list:
            message = "The API key you used is missing the permission voices_read to execute this operation."
            await exchange.say({"detail": {"status": "missing_permissions", "message": message}}, 401)
        elif path == "/v1/voices":
            listed = [{"voice_id": id_, "name": name, "category": "premade"} for name, id_ in self.voices.items()]
            await exchange.say({"voices": listed})
        elif exchange.method == "POST" and path.startswith("/v1/text-to-speech/") and path.endswith("/stream"):
            await self._speech(exchange, path.split("/")[3])
        else:
            await exchange.say({"detail": "Not Found"}, 404)

    async def _speech(self, exchange: Exchange, voice_id: str) -> None:
        body = exchange.json
        self.asked.append(body | {"voice_id": voice_id} | exchange.query)
        if self.refuses:
            await exchange.say(self.refuses[1], self.refuses[0])
        elif voice_id not in self.voices.values():
            message = f"A voice with the voice_id {voice_id} was not found."
            await exchange.say({"detail": {"status": "voice_not_found", "message": message}}, 404)
        else:
            speed = body.get("voice_settings", {}).get("speed", 1.0)
            samples = self.speak(body["text"], voice_id, speed, RATE_HZ)
            await self.stream(exchange, samples.astype("<i2").tobytes(), "audio/pcm")


@dataclass
class OldPiperStyle(Sounding):
    """Piper's HTTP server before 1.5 (`POST /` with JSON; as 1.4.2 answers), or the first one, which took bare text."""

    bare: bool = False
    voices: Mapping[str, dict[str, Any]] = field(default_factory=lambda: {"en_US-joe-medium": PIPER_CONFIG})

    async def __call__(self, exchange: Exchange) -> None:
        at = (exchange.method, exchange.path)
        if at == ("GET", "/voices") and not self.bare:
            await exchange.say(self.voices)
        elif at == ("POST", "/"):
            await self._speech(exchange)
        elif exchange.path == "/":
            await exchange.whole(b"<!doctype html>", 500 if self.bare else 405)
        else:
            await exchange.whole(b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>", 404)

    async def _speech(self, exchange: Exchange) -> None:
        body = {"text": exchange.body.decode()} if self.bare else exchange.json
        self.asked.append(body)
        if not any(char.isalnum() for char in body["text"]):
            await exchange.whole(b"<!doctype html>\n<title>500 Internal Server Error</title>", 500)
            return
        speed = 1 / body.get("length_scale", 1.0)
        samples = self.speak(body["text"], body.get("voice", ""), speed, 22_050)
        await exchange.whole(wav_bytes(samples, 22_050))


PIPER_CONFIG: dict[str, Any] = {
    "audio": {"quality": "medium", "sample_rate": 22_050},
    "espeak": {"voice": "en-us"},
    "inference": {"length_scale": 1, "noise_scale": 0.667},
    "language": {"code": "en_US"},
    "num_speakers": 1,
    "speaker_id_map": {},
}
"""What `/voices` says of a voice, shortened."""


# -- Piper's own server


class PiperServer:
    """`python -m piper.http_server` with the packaged voice and any others in `folder`; can be killed and restarted."""

    def __init__(self, folder: Path, model: Path) -> None:
        self._folder, self._model = folder, model
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        command = [sys.executable, "-m", "piper.http_server", "--host", "127.0.0.1", "--port", str(self._port)]
        quiet = ["--noise-scale", "0", "--noise-w-scale", "0"]  # the same sound each time
        environment = {name: value for name, value in os.environ.items() if not name.startswith("UNAVOCE_")}
        with (self._folder / "piper.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, *quiet, "--debug", "-m", str(self._model), "--data-dir", str(self._folder)],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=environment,
            )
        until = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "piper.log").read_text()
            assert time.monotonic() < until, "Piper's server does not answer"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def busy(self) -> bool:
        """Whether it is making sound: its log names each text when it begins and each answer when it is out."""
        log = (self._folder / "piper.log").read_text(errors="replace")
        return log.count("Synthesizing text") > log.count("POST /synthesize")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/voices", trust_env=False).is_success
        except httpx.HTTPError:
            time.sleep(0.05)  # between two looks; the test itself waits for an answer, not for time
            return False
