"""Piper in this process: ONNX voices on the machine's own cores, off the event loop, stoppable in mid-sentence.

A sentence that has the engine to itself gets a session over all cores; sentences side by side, or beside an
embedded language model that is writing, get one thread each, in the latter case at a lower priority.
Measurements behind this: docs/decisions/ and docs/performance.md.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Emit, Engine, EngineContext, EngineOptions, Voice
from unavoce.engines.piper_sessions import REMEDY, Sessions
from unavoce.engines.piper_voices import (
    WHERE_VOICES_COME_FROM,
    Manner,
    VoiceFiles,
    find_voices,
    fingerprints,
    packaged_voice,
    read_voice,
)
from unavoce.errors import EngineRefused, EngineUnavailable, NotThere

if TYPE_CHECKING:
    from unavoce.engines.piper_onnx import LoadedVoice, Run

T = TypeVar("T")
NICENESS = 10
"""Of speech beside an embedded model: measured to cost the model nothing, where 0 cost it 3 %."""


class PiperOptions(EngineOptions):
    """Section `piper` of the settings."""

    max_concurrency: int | None = Field(default=None, ge=1)
    voice: str = ""
    """A model file, or the name of one in `DATA_DIR/voices`; empty for the packaged voice."""
    speaker: str = Field(default="", coerce_numbers_to_str=True)
    """Of a model with several speakers: a name or number from its config."""
    length_scale: float | None = Field(default=None, ge=0.25, le=4.0)
    """Above 1 is slower; the voice's own where not given."""
    threads: int | None = Field(default=None, ge=1)
    """For every sentence; chosen from what else is running where not given."""


class PiperEngine(Engine):
    """Piper voices: the configured one first, then those in `DATA_DIR/voices` and the packaged one."""

    name = "piper"
    Options = PiperOptions
    max_concurrency = 2
    in_process = True

    def __init__(self, options: PiperOptions, context: EngineContext) -> None:
        super().__init__(options, context)
        self._options = options
        self._context = context
        self._files = _find(options.voice, context.data_dir / "voices")
        self._manner = Manner(self._speaker_id(), options.length_scale)
        self._digests: dict[str, str] = {}
        self._sessions = Sessions()
        self._pool = ThreadPoolExecutor(self.max_concurrency, "piper")
        self._niced_pool = ThreadPoolExecutor(self.max_concurrency, "piper-niced", _lower_priority)
        self._runs: set[Run] = set()
        self._calls = 0
        self._closed = False

    @property
    def running(self) -> int:
        """Computations under way."""
        return len(self._runs)

    @property
    def sessions(self) -> list[tuple[str, int]]:
        """Voice and threads of each ONNX session in memory, least recently used first."""
        return self._sessions.keys

    def voices(self) -> Sequence[Voice]:
        return [self._voice(files) for files in self._files.values()]

    async def start(self) -> None:
        if not self._files:
            places = f"put one into {self._context.data_dir / 'voices'} ({WHERE_VOICES_COME_FROM})"
            raise EngineUnavailable(f"no Piper voice is installed; remedy: {REMEDY}, or {places}")
        store = self._context.data_dir / "piper" / "fingerprints.json"
        self._digests = await asyncio.to_thread(fingerprints, list(self._files.values()), store)
        default = next(iter(self._files.values()))
        await self._loaded(default, self._options.threads or self._context.cores.count)
        self._sessions.get(default, self._options.threads or 1)  # goes on loading behind

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        files = self._files.get(voice.name)
        if files is None:
            raise EngineRefused(f"the piper engine has no voice {voice.name!r}")
        if len(spoken) > self.max_chars:
            raise EngineRefused(f"{len(spoken)} characters; piper takes {self.max_chars} at a time")
        self._calls += 1
        try:
            loaded = await self._loaded(files, self._threads())
            pcm = await self._compute(loaded, spoken, self._manner_of(voice))
        finally:
            self._calls -= 1
        emit(pcm)

    async def close(self) -> None:
        self._closed = True
        for run in self._runs:
            run.stop()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        for pool in (self._pool, self._niced_pool):
            pool.shutdown()
        self._sessions.close()

    def _threads(self) -> int:
        """For a call that has just begun."""
        if self._options.threads:
            return self._options.threads
        return self._context.cores.speech_threads() if self._calls == 1 else 1

    async def _loaded(self, files: VoiceFiles, threads: int) -> LoadedVoice:
        self._check_open()
        loading = _awaitable(self._sessions.get(files, threads))
        return await asyncio.shield(loading)  # others may want it even if this caller does not any more

    async def _compute(self, loaded: LoadedVoice, spoken: str, manner: Manner) -> Pcm:
        self._check_open()
        run = loaded.run()
        self._runs.add(run)
        try:
            # A session's own threads are not reached by niceness, a single thread is the pool's.
            pool = self._niced_pool if self._context.cores.generating else self._pool
            return await _stoppable(pool.submit(loaded.speak, spoken, manner, run), run.stop)
        finally:
            self._runs.discard(run)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailable("the piper engine is closed")

    def _voice(self, files: VoiceFiles) -> Voice:
        is_default = files is next(iter(self._files.values()))
        speaker = self._options.speaker if is_default else ""
        return Voice(self.name, files.name, files.language, self._model(files), speaker)

    def _model(self, files: VoiceFiles) -> str:
        """Whatever changes the sound and has no field of its own; empty before `start`."""
        digest = self._digests.get(files.name)
        if digest is None:
            return ""
        scale = f"length_scale={self._options.length_scale:g}" if self._options.length_scale else ""
        return ";".join(filter(None, (digest, scale, self._options.revision)))

    def _manner_of(self, voice: Voice) -> Manner:
        speaker_id = self._manner.speaker_id if voice.speaker else None
        return Manner(speaker_id, self._manner.length_scale, voice.speed)

    def _speaker_id(self) -> int | None:
        speaker = self._options.speaker
        if not speaker or not self._files:
            return None
        files = next(iter(self._files.values()))
        speaker_id = files.speaker_id(speaker)
        if speaker_id is None or files.speaker_count <= 1:
            raise NotThere("piper.speaker", speaker, _speakers(files))
        return speaker_id


def _find(wanted: str, folder: Path) -> dict[str, VoiceFiles]:
    """All voices by name, the wanted one first. Raises `NotThere` when it is not there."""
    packaged = packaged_voice()
    known = {files.name: files for files in [packaged, *find_voices(folder)] if files}
    if not wanted:
        default = packaged and known[packaged.name]  # a voice of that name in the folder takes its place
    elif wanted in known:
        default = known[wanted]
    else:
        default = _voice_file(wanted, folder, sorted(known))
    if default is None:
        return known
    others = {name: files for name, files in known.items() if name != default.name}
    return {default.name: default, **others}


def _voice_file(wanted: str, folder: Path, names: Sequence[str]) -> VoiceFiles:
    path = Path(wanted).expanduser()
    if path.suffix != ".onnx":
        expected = f"a .onnx file or the name of a voice in {folder} (there are: {', '.join(names) or 'none'})"
        raise NotThere("piper.voice", wanted, expected)
    try:
        return read_voice(path)
    except EngineUnavailable as problem:
        raise NotThere("piper.voice", wanted, f"a readable voice, but {problem}") from problem


def _speakers(files: VoiceFiles) -> str:
    if files.speaker_count <= 1:
        return f"no speaker, since {files.name} has only one"
    names = ", ".join(list(files.speakers)[:10])
    return f"a number below {files.speaker_count}" + (f" or a name such as {names}" if names else "")


def _lower_priority() -> None:
    """Of the calling thread. Only Linux has a priority per thread that needs no privilege to lower."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _awaitable(future: Future[T]) -> asyncio.Future[T]:
    """A thread's result, whose failure may go unread because the caller has left."""
    work = asyncio.wrap_future(future)
    work.add_done_callback(lambda done: done.cancelled() or done.exception())
    return work


async def _stoppable(future: Future[T], stop: Callable[[], None]) -> T:
    """Wait for a thread's result; when cancelled, stop it, and return only when it has really stopped."""
    work = _awaitable(future)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop()
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                continue  # a second cancellation makes it no faster
        raise
