"""A LiveKit agent that answers in unavoce's voice. Without a room: its answer becomes a WAV file.

unavoce serve &
python livekit_agent.py answer.wav http://127.0.0.1:8010
"""

import asyncio
import sys
import wave
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, Agent, AgentSession, llm
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from unavoce.agents.livekit import TTS

ANSWER = "Good evening, sir. Dr. Smith paid $3.50 at 10 a.m. for it. The car waits outside."


class Butler(llm.LLM[Any]):
    """Stands in for a language model: `livekit.plugins.openai.LLM()`, for one."""

    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, **_: Any) -> llm.LLMStream:
        return Answer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=DEFAULT_API_CONNECT_OPTIONS)


class Answer(llm.LLMStream):
    async def _run(self) -> None:
        for word in ANSWER.split(" "):
            delta = llm.ChoiceDelta(role="assistant", content=f"{word} ")
            self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))
            await asyncio.sleep(0.05)


class FileOutput(AudioOutput):
    """Stands in for a room: `session.start(agent, room=ctx.room)` needs none of this."""

    def __init__(self, file: wave.Wave_write) -> None:
        super().__init__(label="file", capabilities=AudioOutputCapabilities(pause=False))
        self._file = file
        self._written_s = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._file.getnframes():
            self._file.setparams((frame.num_channels, 2, frame.sample_rate, 0, "NONE", ""))
        self._file.writeframesraw(frame.data)
        self._written_s += frame.duration

    def flush(self) -> None:
        super().flush()
        self.on_playback_finished(playback_position=self._written_s, interrupted=False)

    def clear_buffer(self) -> None:
        self.on_playback_finished(playback_position=self._written_s, interrupted=True)


async def main(path: str, url: str) -> None:
    async with TTS(url=url) as tts:
        session: AgentSession[None] = AgentSession(llm=Butler(), tts=tts)
        with wave.open(path, "wb") as file:
            session.output.audio = FileOutput(file)
            await session.start(Agent(instructions="You are a butler."))
            await session.generate_reply(user_input="Is everything ready?")
            await session.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
