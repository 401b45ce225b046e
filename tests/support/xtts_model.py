"""What stands behind the stand-ins of XTTS servers: one model that can do one thing at a time.

As in the real servers, what is asked of it while it speaks changes the sound of both, without an error; and it goes on
with what it has begun, whether or not anyone listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from unavoce.audio.wav import wav_bytes

Kind = Literal["streaming", "api-server", "coqui", "openai", "page", "piper"]
Fault = Literal["", "cut", "cut at once", "page", "silent", "error"]

RATE_HZ = 24_000
S_PER_CHAR = 0.06
STEP_S = 0.4
"""Of sound in a stream's step: 20 tokens."""
LANGUAGES = ["en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh-cn", "hu", "ko", "ja", "hi"]
PITCH_HZ = {"Claribel Dervla": 440, "Uta Obando": 220, "Lidiya O'Brien": 880}
HEADER = wav_bytes(np.empty(0, np.int16), RATE_HZ)
"""Sizes 36 and 0, as Python's `wave` writes them before it knows better."""


@dataclass
class Model:
    """What all of a server's requests share. `gate` holds a synthesis up after its first step."""

    current: tuple[str, str] = ("", "")
    """Text and speaker of the newest request: a global, as good as."""
    running: int = 0
    overlaps: int = 0
    spoken: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    overlapping: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def speak(self, text: str, speaker: str, steps: asyncio.Queue[bytes | None]) -> None:
        self.running += 1
        if self.running > 1:
            self.overlaps += 1
            self.overlapping.set()
        self.current = (text, speaker)
        self.spoken.append(text)
        try:
            for at in range(round(len(text) * S_PER_CHAR / STEP_S) + 1):
                steps.put_nowait(self._step(at))
                self.begun.set()
                await self.gate.wait()
                await asyncio.sleep(0)
        finally:
            self.running -= 1
            steps.put_nowait(None)

    def _step(self, at: int) -> bytes:
        times_s = at * STEP_S + np.arange(round(STEP_S * RATE_HZ)) / RATE_HZ
        tone = 8000 * np.sin(2 * np.pi * PITCH_HZ.get(self.current[1], 110) * times_s)
        return tone.astype("<i2").tobytes()


@dataclass
class Server:
    """A stand-in. `fault` is what goes wrong with the requests to speak that follow."""

    kind: Kind
    url: str = ""
    model: Model = field(default_factory=Model)
    fault: Fault = ""
    speakers: list[str] = field(default_factory=lambda: list(PITCH_HZ))
    local_model: bool = True
    """Of an api-server: only with one it streams."""
    key: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request."""
    wishes: list[dict[str, Any]] = field(default_factory=list)
    """The parameters of every request to speak."""
    work: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, text: str, speaker: str) -> asyncio.Queue[bytes | None]:
        steps: asyncio.Queue[bytes | None] = asyncio.Queue()
        task = asyncio.create_task(self.model.speak(text, speaker, steps))
        self.work.add(task)
        task.add_done_callback(self.work.discard)
        return steps

    def give_up(self) -> None:
        """An error ends the synthesis under way."""
        for task in self.work:
            task.cancel()


async def _until_end(steps: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
    while (step := await steps.get()) is not None:
        yield step


async def whole(server: Server, text: str, speaker: str) -> bytes:
    sound = b"".join([step async for step in _until_end(server.begin(text, speaker))])
    return wav_bytes(np.frombuffer(sound, "<i2").astype(np.int16), RATE_HZ)


def streamed(server: Server, head: bytes, text: str, speaker: str) -> Response:
    """Sound as it is made. What breaks on the way cuts the connection: the status was sent long before."""
    fault, known = server.fault, speaker in server.speakers

    async def body() -> AsyncIterator[bytes]:
        if not known:
            raise _Broken
        yield head[:20]
        yield head[20:]
        if fault == "cut at once":
            raise _Broken
        if fault == "silent":
            server.model.begun.set()
            await server.model.gate.wait()
            return
        async for step in _until_end(server.begin(text, speaker)):
            for at in range(0, len(step), 3_001):  # samples come apart
                yield step[at : at + 3_001]
            if fault == "cut":
                server.give_up()
                raise _Broken

    return StreamingResponse(body(), media_type="audio/wav")


class _Broken(Exception):
    """An error in a synthesis under way."""


async def failed_as_asked(server: Server, whole: bool) -> Response | None:
    """The answer where a request to speak fails as `server.fault` says; a stream fails in its own way."""
    match server.fault:
        case "page":
            return HTMLResponse("<!doctype html><title>Welcome</title><p>It works, all of it.</p>")
        case "error":
            return JSONResponse({"error": "TTS synthesis failed: CUDA out of memory"}, 500)
        case "cut" | "cut at once" if whole:
            return _cut_whole()
    return None


def _cut_whole() -> Response:
    async def body() -> AsyncIterator[bytes]:
        yield wav_bytes(np.full(24_000, 99, np.int16), RATE_HZ)[:1000]
        raise _Broken

    return StreamingResponse(body(), headers={"content-length": "48044"})
