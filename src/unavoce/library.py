"""unavoce as a library: text in, chunks of one steady voice out. No server, no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from types import TracebackType
from typing import Self

from unavoce.composition import MakeEngine, build_stage, cores_for, sound_settings
from unavoce.engines.base import Voice
from unavoce.narration.encoder import Format
from unavoce.narration.events import Chunk
from unavoce.narration.hand import Hand, pieces
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.planner import Planner
from unavoce.narration.stage import Stage
from unavoce.settings import Settings


class Narrator:
    """Speaks replies, one after the other or several at once. An async context manager.

    async with Narrator.from_settings(load_settings()) as narrator:
        async for chunk in narrator.speak(tokens):
            play(chunk.audio)
    """

    def __init__(self, settings: Settings, stage: Stage) -> None:
        self._stage = stage
        self._planner = Planner(stage, sound_settings(settings))
        self._tasks = asyncio.TaskGroup()
        self._running: set[ReplyNarrator] = set()

    @classmethod
    def from_settings(cls, settings: Settings, *, own_engines: Sequence[MakeEngine] = ()) -> Narrator:
        """A narrator with the configured engines; `own_engines`, made in code, stand before them in the chain.

        Each is called with an `EngineContext` and returns an `Engine` (docs/writing-an-engine.md). Raises
        SettingsError, or EngineUnavailable where no engine at all is installed.
        """
        return cls(settings, build_stage(settings, cores_for(settings), own_engines))

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

        `voice`: a voice, an engine, or `engine/voice`; the first engine's default without it. `speed`: 0.5 to 2.0.
        `format`: `wav` or `opus`; the settings' without it. Sound is made as fast as the loop takes it, a few
        sentences ahead. Leaving the loop early cancels the rest. An exception of `tokens` is raised after what came
        before it was spoken; EngineError when a sentence could not be spoken, after the others were. RequestError:
        `unknown_voice`, or `invalid` for a speed out of range.
        """
        plan = self._planner.plan(voice, speed, format=format, sent_ahead_s=None)
        hand = Hand()
        narrator = ReplyNarrator(self._stage, plan, hand)
        self._running.add(narrator)
        task = self._tasks.create_task(narrator.run(pieces(tokens)))
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
