"""A LiveKit agent session without a room: a scripted language model, the adapter, and an output that captures sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import Agent, AgentSession, llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities
from numpy.typing import NDArray

from unavoce.agents.livekit import TTS

Step = str | asyncio.Event


class ScriptedLLM(llm.LLM):
    """Answers everything with `steps`: says a piece, or waits for an event."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self.steps = steps

    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, **_: Any) -> llm.LLMStream:
        return _Stream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=DEFAULT_API_CONNECT_OPTIONS)


class _Stream(llm.LLMStream):
    async def _run(self) -> None:
        assert isinstance(self._llm, ScriptedLLM)
        for step in self._llm.steps:
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                delta = llm.ChoiceDelta(role="assistant", content=step)
                self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))
                await asyncio.sleep(0)


class Capture(AudioOutput):
    """Takes sound as fast as it comes. What is captured counts as played when the segment is complete."""

    def __init__(self) -> None:
        super().__init__(label="capture", capabilities=AudioOutputCapabilities(pause=False), sample_rate=None)
        self.frames: list[rtc.AudioFrame] = []
        self.news = asyncio.Event()
        self._segment_s = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.frames.append(frame)
        self._segment_s += frame.duration
        self.news.set()

    def flush(self) -> None:
        super().flush()
        self._played(interrupted=False)

    def clear_buffer(self) -> None:
        self._played(interrupted=True)

    def _played(self, *, interrupted: bool) -> None:
        if self._segment_s:
            played_s, self._segment_s = self._segment_s, 0.0
            self.on_playback_finished(playback_position=played_s, interrupted=interrupted)

    @property
    def samples(self) -> NDArray[np.int16]:
        return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in self.frames])


@asynccontextmanager
async def talking(tts: TTS, steps: Sequence[Step], **options: Any) -> AsyncIterator[tuple[AgentSession, Capture]]:
    """A running session whose model answers with `steps`, and what is heard of it."""
    capture = Capture()
    session: AgentSession = AgentSession(llm=ScriptedLLM(steps), tts=tts, **options)
    session.output.audio = capture
    await session.start(Agent(instructions="Answer."))
    try:
        yield session, capture
    finally:
        await session.aclose()
        await tts.aclose()
