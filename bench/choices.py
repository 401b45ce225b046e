"""What decided the constants: threads per sentence, sentences side by side, speech's priority beside a writing model.

docs/performance.md says which of these rows became which default.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from unittest.mock import patch

from bench.choices_windows import windows
from bench.figures import tokens_per_second
from bench.first_sound import cut
from bench.replies import PACE, REPLIES, tokens_of
from bench.report import Report
from bench.speakers import ByNarrator, clip_s, listen, piper_voice
from bench.tables import Table, add, grid, plain
from bench.uncached import UNCACHED
from unavoce import Narrator, Settings
from unavoce.cores import Cores
from unavoce.engines import in_process
from unavoce.engines.base import EngineContext
from unavoce.engines.piper import PiperEngine, PiperOptions
from unavoce.llm.base import Message
from unavoce.llm.embedded import EmbeddedModel
from unavoce.llm.options import LlmSettings

SENTENCE = "They borrowed a cart, a horse and a great deal of patience from the farmer next door."
STORY = Message("user", "Write a long story of twenty sentences about a lighthouse keeper and his dog.")


async def run(repeat: int) -> Report:
    threads = await asyncio.to_thread(_threads, repeat)
    with tempfile.TemporaryDirectory() as folder:
        parallel = await _parallel(Path(folder), repeat)
        slow = await _slow_engine(Path(folder))
        beside = await _beside_model(Path(folder), repeat)
        of_windows = await windows(Path(folder), repeat)
    grids = [
        grid("One sentence alone: threads of its session", threads),
        grid("Eight sentences, tokens all at once: how many side by side", parallel),
        grid(
            "Eight sentences at 30 tokens/s from an engine that takes 0.3 s + 0.9 x sound: how many side by side", slow
        ),
        grid("Speech beside the writing embedded model (one thread)", beside),
        grid("Windows of a streamed sentence, tokens all at once", of_windows),
    ]
    figures = {
        "threads": threads,
        "parallel": parallel,
        "slow_engine": slow,
        "beside_model": beside,
        "windows": of_windows,
    }
    return Report({name: plain(table) for name, table in figures.items()}, grids)


# -- threads


def _threads(repeat: int) -> Table:
    voices = {
        "1 thread": piper_voice(1),
        "2 threads": piper_voice(2, spin=False),
        "2 threads that spin while idle": piper_voice(2),
    }
    table: Table = {}
    for _ in range(repeat * 3):
        for name, voice in voices.items():
            began_s, cpu_before_s = perf_counter(), process_time()
            sound_s = clip_s(voice, SENTENCE)
            add(table, name, "real-time factor", (perf_counter() - began_s) / sound_s)
            add(table, name, "CPU s per s of sound", (process_time() - cpu_before_s) / sound_s)
    return table


# -- sentences side by side


async def _parallel(folder: Path, repeat: int) -> Table:
    table: Table = {f"{count} at a time": {} for count in (1, 2, 3)}
    shuffled = random.Random(1)  # noqa: S311 - not for secrets: an order that favours nobody
    async with _narrator(folder, 1) as one, _narrator(folder, 2) as two, _narrator(folder, 3) as three:
        narrators = [(1, one), (2, two), (3, three)]
        for turn in range(repeat * 2 + 1):
            for count, narrator in shuffled.sample(narrators, len(narrators)):
                heard = await listen(ByNarrator(narrator), tokens_of(REPLIES["eight"]), None)
                if turn:  # the first one warms
                    add(table, f"{count} at a time", "first sound, s", heard.first_sound_s)
                    add(table, f"{count} at a time", "real-time factor", heard.real_time_factor)
                    add(table, f"{count} at a time", "CPU s per s of sound", heard.cpu_per_sound)
    return table


@asynccontextmanager
async def _narrator(folder: Path, parallel: int) -> AsyncIterator[Narrator]:
    settings = {"data_dir": folder, "tts_max_parallel": parallel, **UNCACHED}
    sections = {"piper": {"max_concurrency": parallel}}
    async with Narrator.from_settings(Settings.model_validate({**settings, "engine_sections": sections})) as narrator:
        yield narrator


async def _slow_engine(folder: Path) -> Table:
    """Costs no CPU, so all counts run at once: a server elsewhere that barely keeps the pace, and takes four calls."""
    table: Table = {f"{count} at a time": {} for count in (1, 2, 3)}

    async def listen_with(count: int) -> None:
        slow = {"delay_s": 0.3, "real_time_factor": 0.9, "max_concurrency": 4}
        sections = {"engines": ["fake"], "engine_sections": {"fake": slow}}
        settings = Settings.model_validate({"data_dir": folder, "tts_max_parallel": count, **UNCACHED, **sections})
        async with Narrator.from_settings(settings) as narrator:
            heard = await listen(ByNarrator(narrator), tokens_of(REPLIES["eight"]), PACE)
        add(table, f"{count} at a time", "silent gaps, s", heard.underrun_s)
        add(table, f"{count} at a time", "first sound, s", heard.first_sound_s)

    await asyncio.gather(*(listen_with(count) for count in (1, 2, 3)))
    return table


# -- beside the model


@dataclass(frozen=True, slots=True)
class Way:
    """How speech runs while the model writes. `in_hand_s`: what its listener has, who is lifted with less than 1 s."""

    niceness: int
    threads: int
    in_hand_s: float = 10.0

    def __str__(self) -> str:
        lifted = ", lifted" if self.in_hand_s < in_process.LIFT_S else ""
        return f"{self.threads} thread{'s' * (self.threads > 1)}, nice {self.niceness}{lifted}"


WAYS = (Way(0, 1), Way(10, 1), Way(19, 1), Way(19, 1, 0.0), Way(0, 2))


async def _beside_model(folder: Path, repeat: int) -> Table:
    cores = Cores()
    model = EmbeddedModel(LlmSettings(max_tokens=200), cores)
    context = EngineContext(folder, cores)
    table: Table = {}
    try:
        await model.start()
        for _ in range(repeat):
            for way in WAYS:
                alone = await _write(model)  # right before, so that a busy minute hits both
                rate, sentences_s = await _speak_and_write(model, context, way)
                add(table, str(way), "model's speed ÷ alone", rate / alone)
                add(table, str(way), "first sentence, s", sentences_s[0])
                add(table, str(way), "all sentences, mean s", sum(sentences_s) / len(sentences_s))
    finally:
        await model.close()
    return table


async def _write(model: EmbeddedModel) -> float:
    """Tokens a second of one story."""
    times_s = [perf_counter() async for _ in model.stream([STORY])]
    return tokens_per_second(len(times_s), times_s[0], times_s[-1])


async def _speak_and_write(model: EmbeddedModel, context: EngineContext, way: Way) -> tuple[float, Sequence[float]]:
    """The model's tokens a second, and the seconds that each sentence spoken meanwhile took."""
    engine = PiperEngine(PiperOptions(threads=way.threads), context)
    await engine.start()
    writing = asyncio.create_task(_write(model))
    try:
        with patch.object(in_process, "NICENESS", way.niceness):
            await asyncio.sleep(0.5)  # by then the first sentence is written
            return await _speak_meanwhile(engine, writing, way.in_hand_s)
    finally:
        writing.cancel()
        await engine.close()


async def _speak_meanwhile(
    engine: PiperEngine, writing: asyncio.Task[float], in_hand_s: float
) -> tuple[float, Sequence[float]]:
    sentences = [sentence.spoken for sentence in cut(tokens_of(REPLIES["eight"]))]
    sentences_s: list[float] = []
    while not writing.done() or not sentences_s:
        began_s = perf_counter()
        async for _ in engine.steps(
            sentences[len(sentences_s) % len(sentences)], engine.voices()[0], lambda: in_hand_s
        ):
            pass
        sentences_s.append(perf_counter() - began_s)
    return await writing, sentences_s
