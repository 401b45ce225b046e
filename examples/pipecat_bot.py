"""A Pipecat bot that answers in unavoce's voice. Without a transport: its answer becomes a WAV file.

unavoce serve &
python pipecat_bot.py answer.wav http://127.0.0.1:8010
"""

import asyncio
import sys
import wave

from pipecat.frames.frames import (
    EndFrame,
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from unavoce.agents.pipecat import TTSService

ANSWER = "Good evening, sir. Dr. Smith paid $3.50 at 10 a.m. for it. The car waits outside."


class Butler(FrameProcessor):
    """Stands in for a language model: `OpenAILLMService`, for one."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        for word in ANSWER.split(" "):
            await self.push_frame(LLMTextFrame(f"{word} "))
            await asyncio.sleep(0.05)
        await self.push_frame(LLMFullResponseEndFrame())


class FileOutput(FrameProcessor):
    """Stands in for a transport: `transport.output()`."""

    def __init__(self, file: wave.Wave_write) -> None:
        super().__init__()
        self._file = file

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            if not self._file.getnframes():
                self._file.setparams((frame.num_channels, 2, frame.sample_rate, 0, "NONE", ""))
            self._file.writeframesraw(frame.audio)
        await self.push_frame(frame, direction)


async def main(path: str, url: str) -> None:
    with wave.open(path, "wb") as file:
        worker = PipelineWorker(Pipeline([Butler(), TTSService(url=url), FileOutput(file)]), enable_rtvi=False)
        context = LLMContext([{"role": "user", "content": "Is everything ready?"}])
        await worker.queue_frames([LLMContextFrame(context), EndFrame()])
        runner = WorkerRunner()
        await runner.add_workers(worker)
        await runner.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
