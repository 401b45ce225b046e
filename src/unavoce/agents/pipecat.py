"""unavoce as the voice of a Pipecat bot (docs/agents.md). Written for pipecat-ai 1.14."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

try:
    from pipecat.frames.frames import CancelFrame, EndFrame, ErrorFrame, Frame, TTSAudioRawFrame, TTSStoppedFrame
    from pipecat.services.settings import TTSSettings
    from pipecat.services.tts_service import TextAggregationMode
    from pipecat.services.tts_service import TTSService as PipecatTTSService
except ImportError as error:
    raise ImportError("this adapter needs Pipecat: pip install 'unavoce[pipecat]'") from error

from unavoce.agents.source import ReplySound, Source, Speaks
from unavoce.errors import UnavoceError

QUIET_S = 120.0
"""Pipecat ends a reply's sound that has been quiet for this long. unavoce itself ends every reply, sooner than that."""


class _Reply:
    """A reply's text on its way, and the task that speaks it."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self._tokens: asyncio.Queue[str | None] = asyncio.Queue()

    def put(self, token: str | None) -> None:
        """The next piece of text; None ends it."""
        self._tokens.put_nowait(token)

    async def tokens(self) -> AsyncIterator[str]:
        while (token := await self._tokens.get()) is not None:
            yield token


class TTSService(PipecatTTSService):
    """Each answer of the language model is one reply: spoken while it is written, in one voice.

    Spoken by `narrator` if given (its `close` stays yours), else by the server at `url`, http://127.0.0.1:8010 without
    one. `voice` and `speed` as in docs/protocol.md. `sample_rate`: in Hz, of the frames that come out; the pipeline's
    without it. `options` go to Pipecat's own TTSService.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        api_key: str | None = None,
        voice: str | None = None,
        speed: float = 1.0,
        narrator: Speaks | None = None,
        sample_rate: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            # unavoce finds the sentences, over the whole of the answer.
            text_aggregation_mode=TextAggregationMode.TOKEN,
            push_start_frame=True,
            push_text_frames=False,  # each word follows when it is heard
            stop_frame_timeout_s=QUIET_S,
            sample_rate=sample_rate,
            settings=TTSSettings(model=None, voice=voice, language=None),
            **options,
        )
        self._source = Source(narrator, url, api_key)
        self._speed = speed
        self._spoken: dict[str, _Reply] = {}

    def can_generate_metrics(self) -> bool:
        return True

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """The next piece of the reply `context_id`, whose sound comes by itself."""
        reply = self._spoken.get(context_id)
        if reply is None:
            reply = self._spoken[context_id] = _Reply()
            reply.task = self.create_task(self._speak_reply(reply, context_id))
        reply.put(text)
        if context_id != self._turn_context_id:
            reply.put(None)  # text outside a turn: no end of a turn will come for it
        yield None

    async def flush_audio(self, context_id: str | None = None) -> None:
        """The reply's text is complete."""
        if (reply := self._spoken.get(context_id or self._turn_context_id or "")) is not None:
            reply.put(None)

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        await self._silence(context_id)
        await super().on_audio_context_interrupted(context_id)

    async def stop(self, frame: EndFrame) -> None:
        await super().stop(frame)
        await self._close()

    async def cancel(self, frame: CancelFrame) -> None:
        await super().cancel(frame)
        await self._close()

    async def cleanup(self) -> None:
        await super().cleanup()  # type: ignore[no-untyped-call]  # theirs
        await self._close()

    async def _close(self) -> None:
        for context_id in tuple(self._spoken):
            await self._silence(context_id)
        await self._source.close()

    async def _silence(self, context_id: str) -> None:
        """Nothing of the reply is synthesised any more, on the server either."""
        reply = self._spoken.pop(context_id, None)
        if reply is not None and reply.task is not None:
            await self.cancel_task(reply.task)

    async def _speak_reply(self, reply: _Reply, context_id: str) -> None:
        try:
            await self._sound(reply, context_id)
        except UnavoceError as error:
            fault = ErrorFrame(error=f"unavoce: {error}", exception=error)
            await self.append_to_audio_context(context_id, fault)
        finally:
            self._spoken.pop(context_id, None)
        await self.append_to_audio_context(context_id, TTSStoppedFrame(context_id=context_id))
        await self.remove_audio_context(context_id)

    async def _sound(self, reply: _Reply, context_id: str) -> None:
        sound, voice = ReplySound(self.sample_rate), self._settings.voice
        chunks = self._source.speak(reply.tokens(), voice if isinstance(voice, str) else None, self._speed)
        async with aclosing(chunks):
            async for chunk in chunks:
                audio, words = sound.feed(chunk)
                await self._play(audio, context_id)
                await self.add_word_timestamps([(word.text, word.start_s) for word in words], context_id)
        await self._play(sound.end(), context_id)

    async def _play(self, audio: bytes, context_id: str) -> None:
        if audio:
            await self.append_to_audio_context(
                context_id, TTSAudioRawFrame(audio, self.sample_rate, 1, context_id=context_id)
            )
