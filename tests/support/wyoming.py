"""Wyoming clients over the package's own: one that keeps every event, and one that does as Home Assistant does."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from tests.support.server import PATIENCE_S, Server, running_server
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info, TtsProgram
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import EngineUnavailable


def second_engine(start_error: EngineUnavailable | None = None, **options: Any) -> FakeEngine:
    """Another engine of tones, for the chain's second place."""
    made = FakeOptions(**{"s_per_char": 0.03, "delay_s": 0, "real_time_factor": 0, **options})
    return FakeEngine.named("second")(made, start_error=start_error)


PLAIN_END, STREAM_END = "audio-stop", "synthesize-stopped"


@dataclass(slots=True)
class Heard:
    """The events that answered one request, the last one its end."""

    events: list[Event] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        """Their types, repeated ones once."""
        types = [event.type for event in self.events]
        return [kind for kind, before in zip(types, ["", *types], strict=False) if kind != before]

    @property
    def errors(self) -> list[Error]:
        return [Error.from_event(event) for event in self.events if Error.is_type(event.type)]

    @property
    def codes(self) -> list[str | None]:
        return [error.code for error in self.errors]

    @property
    def chunks(self) -> list[AudioChunk]:
        return [AudioChunk.from_event(event) for event in self.events if AudioChunk.is_type(event.type)]

    @property
    def formats(self) -> set[tuple[int, int, int]]:
        """Rate, width and channels of everything that names them."""
        told = [event.data for event in self.events if event.type in ("audio-start", "audio-chunk")]
        return {(data["rate"], data["width"], data["channels"]) for data in told}

    @property
    def samples(self) -> NDArray[np.int16]:
        return np.frombuffer(b"".join(chunk.audio for chunk in self.chunks), "<i2")


class Talker(AsyncTcpClient):
    """The package's own client, with what a test asks again and again."""

    async def next(self) -> Event:
        async with asyncio.timeout(PATIENCE_S):
            event = await self.read_event()
        assert event is not None, "the connection was closed"
        return event

    async def until(self, kind: str) -> Heard:
        """Events up to one of that type."""
        heard = Heard([await self.next()])
        while heard.events[-1].type != kind:
            heard.events.append(await self.next())
        return heard

    async def tell(self, *events: Eventable) -> None:
        for event in events:
            await self.write_event(event.event())

    async def say(self, text: str, voice: SynthesizeVoice | None = None) -> Heard:
        await self.tell(Synthesize(text, voice))
        return await self.until(PLAIN_END)

    async def stream(self, *pieces: str, voice: SynthesizeVoice | None = None) -> Heard:
        chunks = [SynthesizeChunk(piece) for piece in pieces]
        await self.tell(SynthesizeStart(voice), *chunks, Synthesize("".join(pieces), voice), SynthesizeStop())
        return await self.until(STREAM_END)

    async def program(self) -> TtsProgram:
        await self.tell(Describe())
        (program,) = Info.from_event(await self.next()).tts
        return program

    async def closed(self) -> list[Event]:
        """What still comes before the other end closes; fails when it never does."""
        events = []
        async with asyncio.timeout(PATIENCE_S):
            while (event := await self.read_event()) is not None:
                events.append(event)
        return events


def place(address: str) -> tuple[str, int]:
    """Host and port of the door."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


@asynccontextmanager
async def door(data_dir: Path, **server: Any) -> AsyncIterator[Server]:
    """A running server with the door open on a free port."""
    async with running_server(data_dir, wyoming_port=0, **server) as running:
        yield running


@asynccontextmanager
async def talking(server: Server) -> AsyncIterator[Talker]:
    async with Talker(*place(server.app.wyoming)) as talker:
        yield talker


class HomeAssistant:
    """Does on the wire what Home Assistant's integration does, in its order: `components/wyoming/data.py` and `tts.py`,
    2025.7 and later. It knows the server only by what `describe` says."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self.program: TtsProgram | None = None

    async def set_up(self) -> None:
        """Asks for the info within a second of its own, and takes the first installed program."""
        async with AsyncTcpClient(*self._place) as client:
            await client.write_event(Describe().event())
            while True:
                event = await client.read_event()
                assert event is not None
                if Info.is_type(event.type):
                    break
        self.program = next(one for one in Info.from_event(event).tts if one.installed)

    @property
    def languages(self) -> set[str]:
        assert self.program
        return {language for voice in self.program.voices if voice.installed for language in voice.languages}

    async def speak(self, text: str, voice: str | None = None) -> bytes:
        """`async_get_tts_audio`: a connection for each text, a WAV made of the chunks; empty where none came."""
        wanted = SynthesizeVoice(name=voice) if voice is not None else None
        wav = io.BytesIO()
        file: wave.Wave_write | None = None
        async with AsyncTcpClient(*self._place) as client:
            await client.write_event(Synthesize(text, wanted).event())
            while (event := await client.read_event()) is not None and not AudioStop.is_type(event.type):
                if AudioChunk.is_type(event.type):
                    chunk = AudioChunk.from_event(event)
                    if file is None:
                        file = _wav(wav, chunk)
                    file.writeframes(chunk.audio)
        assert event is not None, "Home Assistant says: connection lost"
        if file is not None:
            file.close()
        return wav.getvalue()

    async def stream(self, pieces: AsyncIterator[str], voice: str | None = None) -> AsyncIterator[bytes]:
        """`async_stream_tts_audio`: text is written by a task of its own while sound is read; first a WAV header."""
        client = AsyncTcpClient(*self._place)
        await client.connect()
        writing = asyncio.create_task(self._write(client, pieces, voice))
        begun = False
        try:
            while event := await client.read_event():
                if begun and AudioChunk.is_type(event.type):
                    yield AudioChunk.from_event(event).audio
                elif not begun and AudioStart.is_type(event.type):
                    header = io.BytesIO()
                    _wav(header, AudioStart.from_event(event)).close()
                    begun = True
                    yield header.getvalue()
                elif SynthesizeStopped.is_type(event.type):
                    break
        finally:
            await client.disconnect()
            await asyncio.wait([writing])

    async def _write(self, client: AsyncTcpClient, pieces: AsyncIterator[str], voice: str | None) -> None:
        wanted = SynthesizeVoice(name=voice) if voice is not None else None
        written: list[str] = []
        try:
            await client.write_event(SynthesizeStart(wanted).event())
            async for piece in pieces:
                written.append(piece)
                await client.write_event(SynthesizeChunk(piece).event())
            await client.write_event(Synthesize("".join(written), wanted).event())
            await client.write_event(SynthesizeStop().event())
        except OSError:
            pass  # it warns of an unexpected disconnection, and goes on


def _wav(into: io.BytesIO, format: AudioStart | AudioChunk) -> wave.Wave_write:
    file = wave.open(into, "wb")  # noqa: SIM115 - closed by the caller
    file.setframerate(format.rate)
    file.setsampwidth(format.width)
    file.setnchannels(format.channels)
    return file


def pcm(parts: Sequence[bytes]) -> NDArray[np.int16]:
    """The samples of a streamed WAV: its header, then sound."""
    return np.frombuffer(b"".join(parts)[44:], "<i2")
