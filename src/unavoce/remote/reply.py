"""One reply on the server, as its listener here sees it: the server's events in, chunks out in order, one end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from unavoce.audio.opus import opus_samples
from unavoce.audio.wav import parse_wav
from unavoce.errors import AudioError, EngineError, EngineUnavailable, RequestError
from unavoce.narration.encoder import WAV_TYPE
from unavoce.narration.events import Chunk

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Sound that may wait for the loop, encoded: some 20 minutes of WAV."""
LAG_S = 20.0
"""Sound that waits for the loop beyond this makes the server hear that it is not played yet."""


class _Wired(BaseModel):
    model_config = ConfigDict(strict=True, alias_generator=to_camel, extra="ignore")


class _Chunk(_Wired):
    index: Annotated[int, Field(ge=0)]
    sentence: Annotated[int, Field(ge=0)]
    last: bool
    content_type: Annotated[str, Field(max_length=100)]
    audio: bytes
    sample_rate: Annotated[int, Field(ge=4_000, le=192_000)]
    engine: Annotated[str, Field(max_length=200)]
    voice: Annotated[str, Field(max_length=500)]
    cache: Literal["memory", "disk", "none"]
    text: Annotated[str, Field(max_length=10_000)]


class _Skipped(_Wired):
    sentence: int
    reason: Annotated[str, Field(max_length=2_000)]


class _AudioDone(_Wired):
    skipped: Annotated[list[_Skipped], Field(max_length=100_000)]


class RemoteReply:
    """Iterate over it for its chunks, then `check`. Its owner calls the other methods as the server's events come."""

    def __init__(self) -> None:
        self.id = ""
        self.session_id = ""
        self.abandoned = False
        """Nobody listens any more."""
        self.text_complete = False
        """The server has all of its text: it can go on without us."""
        self.over = False
        """Nothing more of it will come here."""
        self.ended = False
        """Nor is there anything of it left on the server."""
        self.next_index = 0
        self._chunks: deque[Chunk] = deque()
        self._waiting_bytes = 0
        self._waiting_s = 0.0
        self._news = asyncio.Event()
        self._skipped: list[_Skipped] = []
        self._fault: RequestError | None = None
        self._error: Exception | None = None

    @property
    def taken_index(self) -> int:
        """The chunk that the loop took last, or will take first."""
        return max(0, self.next_index - len(self._chunks) - 1)

    @property
    def lags(self) -> bool:
        """The loop takes its sound more slowly than it would be played."""
        return self._waiting_s > LAG_S

    # -- what the server sends

    def chunk(self, data: dict[str, Any]) -> None:
        """The next chunk; one that comes twice, after a lost connection, is passed over."""
        try:
            wired = _Chunk.model_validate(data)
            if wired.index < self.next_index or self.over:
                return
            if wired.index > self.next_index:
                raise EngineError(f"chunk {self.next_index} of the reply is missing")
            self._take(_decoded(wired))
        except ValidationError:
            self.fail(EngineError("the server sent a chunk that is none; is it of another version?"))
        except (AudioError, EngineError) as error:
            self.fail(EngineError(str(error)))

    def fault(self, data: dict[str, Any]) -> None:
        """Something went wrong; the reply goes on as far as it can."""
        code, message = str(data.get("code", "internal"))[:100], str(data.get("message", ""))[:1000]
        self._fault = self._fault or RequestError(code, message)

    def audio_done(self, data: dict[str, Any]) -> None:
        try:
            self._skipped = _AudioDone.model_validate(data).skipped
        except ValidationError:
            self.fail(EngineError("the server's list of skipped sentences is none; is it of another version?"))

    def done(self, data: dict[str, Any]) -> None:
        self.ended = True
        match data.get("reason"):
            case "complete":
                pass
            case "aborted":
                self._error = self._error or EngineUnavailable("the server stopped the reply; is it shutting down?")
            case _:
                self._fault = self._fault or RequestError(
                    "internal", "the reply failed on the server, which did not say why"
                )
        self._end()

    def fail(self, error: Exception) -> None:
        """Nothing more of it will come, because of `error`; the loop gets what came before."""
        if not self.over:
            self._error = error
            self._end()

    # -- what the loop takes

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._waiting_bytes -= len(chunk.audio)
                self._waiting_s -= chunk.duration_s
                yield chunk
            if self.over:
                return
            self._news.clear()
            await self._news.wait()

    def check(self) -> None:
        """To be called after the last chunk. Raises what the reply ended with: EngineError for sentences that were not
        spoken, EngineUnavailable for a lost server, RequestError for what it did not take."""
        if self._error is not None:
            raise self._error
        if self._skipped:
            first = self._skipped[0]
            raise EngineError(f"{len(self._skipped)} sentence(s) not spoken; number {first.sentence}: {first.reason}")
        if self._fault is not None:
            raise self._fault

    def _take(self, chunk: Chunk) -> None:
        self.next_index += 1
        self._chunks.append(chunk)
        self._waiting_bytes += len(chunk.audio)
        self._waiting_s += chunk.duration_s
        if self._waiting_bytes > MAX_WAITING_BYTES:
            raise EngineError(f"more than {MAX_WAITING_BYTES} bytes of sound wait for the loop that should take it")
        self._news.set()

    def _end(self) -> None:
        self.over = True
        self._news.set()


def _decoded(wired: _Chunk) -> Chunk:
    """With its samples. Raises AudioError for sound that cannot be read, or is not what it says."""
    if wired.content_type == WAV_TYPE:
        pcm = parse_wav(wired.audio)
        if pcm.rate_hz != wired.sample_rate:
            raise AudioError(f"a chunk of {wired.sample_rate} Hz holds sound of {pcm.rate_hz} Hz")
        samples = pcm.samples
    else:
        samples = opus_samples(wired.audio, wired.sample_rate)
    return Chunk(
        wired.index,
        wired.sentence,
        wired.last,
        wired.content_type,
        wired.audio,
        samples,
        wired.sample_rate,
        wired.engine,
        wired.voice,
        wired.cache,
        wired.text,
    )
