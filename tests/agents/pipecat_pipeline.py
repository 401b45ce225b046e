"""A Pipecat pipeline without a transport to anybody: a scripted language model, the adapter, and an output that keeps
what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from unavoce.agents.pipecat import TTSService

Step = str | asyncio.Event


class ScriptedLLM(FrameProcessor):
    """Answers every context with `steps`: says a piece, or waits for an event. What is answered can be interrupted."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self.steps = steps
        self.errors: list[ErrorFrame] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, ErrorFrame):
            self.errors.append(frame)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        for step in self.steps:
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                await self.push_frame(LLMTextFrame(step))
        await self.push_frame(LLMFullResponseEndFrame())


class Capture(FrameProcessor):
    """Keeps the frames that reach the end of the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.news = asyncio.Condition()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        async with self.news:
            self.frames.append(frame)
            self.news.notify_all()
        await self.push_frame(frame, direction)

    def of(self, kind: type[Frame]) -> list[Frame]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    @property
    def samples(self) -> NDArray[np.int16]:
        sound = [frame.audio for frame in self.frames if isinstance(frame, TTSAudioRawFrame)]
        return np.frombuffer(b"".join(sound), np.int16)

    @property
    def words(self) -> str:
        return " ".join(frame.text for frame in self.frames if isinstance(frame, TTSTextFrame))


@dataclass
class Bot:
    """A running pipeline."""

    worker: PipelineWorker
    llm: ScriptedLLM
    heard: Capture

    async def hear(self, message: str) -> None:
        """Someone says something; the model answers."""
        await self.worker.queue_frame(LLMContextFrame(LLMContext([{"role": "user", "content": message}])))

    async def interrupt(self) -> None:
        """Someone speaks while the bot does."""
        await self.worker.queue_frame(InterruptionFrame())

    async def until(self, kind: type[Frame], count: int = 1) -> None:
        """Returns when `count` frames of this kind have come out."""
        async with self.heard.news:
            await self.heard.news.wait_for(lambda: len(self.heard.of(kind)) >= count)

    async def answer(self, message: str, count: int = 1) -> None:
        """The same, to the end of the answer, which is the `count`th."""
        await self.hear(message)
        await self.until(TTSStoppedFrame, count)


@asynccontextmanager
async def talking(tts: TTSService, steps: Sequence[Step], rate_hz: int = 24_000) -> AsyncIterator[Bot]:
    """A running bot whose model answers with `steps`."""
    llm, capture = ScriptedLLM(steps), Capture()
    worker = PipelineWorker(
        Pipeline([llm, tts, capture]),
        params=PipelineParams(audio_out_sample_rate=rate_hz),
        cancel_on_idle_timeout=False,
        enable_rtvi=False,
    )
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    try:
        yield Bot(worker, llm, capture)
    finally:
        await worker.cancel()
        await running
