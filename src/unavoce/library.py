"""unavoce as a library: text in, chunks of one steady voice out. No server, no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Self

from unavoce.composition import build_stage
from unavoce.cores import Cores
from unavoce.engines.base import Voice
from unavoce.errors import EngineError
from unavoce.narration.encoder import Encoder, Format
from unavoce.narration.events import AudioDone, Chunk, Event, Skipped
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.renditions import RENDITIONS_SHARE, Renditions
from unavoce.narration.stage import Stage
from unavoce.settings import Settings


class Narrator:
    """Speaks replies, one after the other or several at once. An async context manager.

    async with Narrator.from_settings(load_settings()) as narrator:
        async for chunk in narrator.speak(tokens):
            play(chunk.audio)
    """

    def __init__(self, settings: Settings, stage: Stage) -> None:
        self._settings = settings
        self._stage = stage
        self._renditions = Renditions(settings.cache_memory_bytes // RENDITIONS_SHARE)
        stage.cache.watch(self._renditions.clear)
        self._tasks = asyncio.TaskGroup()
        self._running: set[ReplyNarrator] = set()

    @classmethod
    def from_settings(cls, settings: Settings) -> Narrator:
        """A narrator with the configured engines. Raises SettingsError or EngineUnavailable."""
        return cls(settings, build_stage(settings, Cores()))

    async def __aenter__(self) -> Self:
        await self._stage.__aenter__()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for narrator in self._running:
            narrator.abort()
        try:
            # Not given the caller's error: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self._stage.__aexit__(kind, error, trace)

    async def ready(self) -> None:
        """Returns when the first engine has started, or could not. A reply begun before that may be spoken by the next
        engine, because the listener's patience with the first one runs already."""
        await self._stage.chain.started(self._stage.chain.engines[0].name)

    def voices(self) -> Sequence[Voice]:
        """Every voice of the configured engines, the default first."""
        return self._stage.chain.voices()

    async def speak(
        self,
        tokens: AsyncIterable[str] | str,
        *,
        voice: str | None = None,
        speed: float = 1.0,
        format: Format | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """The reply's sound, chunk by chunk, while `tokens` are still being written.

        Leaving the loop early cancels the rest. An exception of `tokens` is raised after what came before it was
        spoken; EngineError when a sentence could not be spoken, after the others were. RequestError: unknown voice.
        """
        plan = self._plan(voice, speed, format)
        hand = _Hand()
        narrator = ReplyNarrator(self._stage, plan, hand)
        self._running.add(narrator)
        task = self._tasks.create_task(narrator.run(_stream(tokens)))
        task.add_done_callback(lambda _: hand.close())
        try:
            async for chunk in hand:
                yield chunk
        finally:
            narrator.abort()
            self._running.discard(narrator)
        if narrator.source_error is not None:
            raise narrator.source_error
        hand.check()

    def _plan(self, voice: str | None, speed: float, format: Format | None) -> Plan:
        settings = self._settings
        chosen = self._stage.chain.find_voice(voice, speed)
        default: Format = "opus" if settings.opus_enabled else "wav"
        return Plan(
            casting=self._stage.chain.casting(chosen, speed),
            voice_switch=settings.voice_switch,
            primary_timeout_s=settings.primary_timeout_s,
            hedge=settings.hedge,
            pace_check=settings.pace_check,
            encoder=Encoder(format or default, settings.opus_bitrate),
            renditions=self._renditions,
            rate_hz=settings.sample_rate_hz,
            max_parallel=settings.tts_max_parallel,
            max_chars=settings.max_reply_chars,
            language=chosen.language,
            sent_ahead_s=None,
        )


class _Hand:
    """Passes chunks from a narrator to a loop, one at a time: the loop's own pace is the listener's."""

    def __init__(self) -> None:
        # One place: `hear` returns when the loop has come for the chunk.
        self._offered: tuple[Chunk, Callable[[], None], asyncio.Future[None]] | None = None
        self._change = asyncio.Event()
        self._closed = False
        self._skipped: Sequence[Skipped] = ()

    def tell(self, event: Event) -> None:
        if isinstance(event, AudioDone):
            self._skipped = event.skipped

    async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
        fetched = asyncio.get_running_loop().create_future()
        self._offered = chunk, taken, fetched
        self._change.set()
        try:
            await fetched
        finally:
            self._offered = None

    def close(self) -> None:
        self._closed = True
        self._change.set()

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while True:
            await self._change.wait()
            self._change.clear()
            if self._offered is not None:
                chunk, taken, fetched = self._offered
                self._offered = None
                taken()
                fetched.set_result(None)
                yield chunk
            elif self._closed:
                return

    def check(self) -> None:
        """Raises EngineError when a sentence was not spoken."""
        if self._skipped:
            first = self._skipped[0]
            raise EngineError(f"{len(self._skipped)} sentence(s) not spoken; number {first.sentence}: {first.reason}")


async def _stream(tokens: AsyncIterable[str] | str) -> AsyncGenerator[str, None]:
    if isinstance(tokens, str):
        yield tokens
        return
    async for token in tokens:
        yield token
