"""unavoce as the voice of a LiveKit agent (docs/agents.md). Written for livekit-agents 1.8."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

try:
    from livekit.agents import APIConnectionError, APIError, APIStatusError, tts, utils
    from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, TimedString
except ImportError as error:
    raise ImportError("this adapter needs LiveKit's agents: pip install 'unavoce[livekit]'") from error

from unavoce.agents.source import ReplySound, Source, Speaks
from unavoce.errors import EngineError, EngineUnavailable, RequestError, UnavoceError

_STATUSES = {"unauthorised": 401, "busy": 429, "too_many": 429, "internal": 500}
"""By the code of a RequestError; any other is 400. LiveKit tries again where that may help."""


class TTS(tts.TTS[str]):
    """Each answer of the language model is one reply: spoken while it is written, in one voice.

    Spoken by `narrator` if given (its `close` stays yours), else by the server at `url`, http://127.0.0.1:8010 without
    one. `voice` and `speed` as in docs/protocol.md. `sample_rate`: in Hz, of the frames that come out.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        api_key: str | None = None,
        voice: str | None = None,
        speed: float = 1.0,
        narrator: Speaks | None = None,
        sample_rate: int = 24_000,
    ) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=True, aligned_transcript=True),
            sample_rate=sample_rate,
            num_channels=1,
        )
        self._source = Source(narrator, url, api_key)
        self._voice = voice
        self._speed = speed

    @property
    def model(self) -> str:
        return self._voice or "default"

    @property
    def provider(self) -> str:
        return "unavoce"

    def update_options(self, *, voice: str | None = None, speed: float | None = None) -> None:
        """Another voice or speed, from the next reply on; None leaves one as it is."""
        self._voice = voice or self._voice
        self._speed = speed or self._speed

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return self._synthesize_with_stream(text, conn_options=conn_options)

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> SynthesizeStream:
        return SynthesizeStream(self, conn_options)

    async def aclose(self) -> None:
        await self._source.close()


class SynthesizeStream(tts.SynthesizeStream):
    """One reply. Closing it stops the synthesis, on the server too."""

    def __init__(self, speaker: TTS, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=speaker, conn_options=conn_options)
        self._speaker = speaker

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=self._speaker.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
            stream=True,
        )
        try:
            await self._speak(output_emitter)
        except UnavoceError as error:
            raise _api_error(error) from error

    async def _speak(self, output_emitter: tts.AudioEmitter) -> None:
        speaker, sound = self._speaker, ReplySound(self._speaker.sample_rate)
        async with aclosing(speaker._source.speak(self._tokens(), speaker._voice, speaker._speed)) as chunks:
            async for chunk in chunks:
                if sound.empty:
                    output_emitter.start_segment(segment_id=utils.shortuuid())
                audio, words = sound.feed(chunk)
                output_emitter.push(audio)
                output_emitter.push_timed_transcript(
                    [TimedString(f"{word.text} ", start_time=word.start_s, end_time=word.end_s) for word in words]
                )
        if self._pushed_text:
            if sound.empty:
                output_emitter.start_segment(segment_id=utils.shortuuid())
            output_emitter.push(sound.end())
            output_emitter.end_segment()

    async def _tokens(self) -> AsyncIterator[str]:
        """What is pushed, until the end of the input. A flush says nothing here: a stream is one segment."""
        async for token in self._input_ch:
            if isinstance(token, str):
                self._mark_started()
                yield token


def _api_error(error: UnavoceError) -> APIError:
    if isinstance(error, EngineUnavailable):
        return APIConnectionError(str(error))
    if isinstance(error, RequestError):
        return APIStatusError(error.message, status_code=_STATUSES.get(error.code, 400), body={"code": error.code})
    return APIError(str(error), retryable=isinstance(error, EngineError) and error.retryable)
