"""Piper in this process: ONNX voices on the machine's own cores, off the event loop, stoppable in mid-sentence.

Which threads it gets: `in_process.py`. Measurements behind this: docs/performance.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from unavoce.engines.base import EngineContext, InHand, Progress, Voice
from unavoce.engines.in_process import LocalEngine, LocalOptions
from unavoce.engines.piper_halves import halves
from unavoce.engines.piper_parts import Halves
from unavoce.engines.piper_passage import Passage, warm
from unavoce.engines.piper_reach import Uncuttable
from unavoce.engines.piper_voices import (
    WHERE_VOICES_COME_FROM,
    Manner,
    VoiceFiles,
    find_voices,
    fingerprints,
    packaged_voice,
    read_voice,
)
from unavoce.engines.piper_windows import ALONE_S, AMONG_OTHERS_S
from unavoce.engines.sessions import Sessions
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable, NotThere

if TYPE_CHECKING:
    from unavoce.engines.onnx_runs import Run
    from unavoce.engines.piper_onnx import LoadedVoice

log = logging.getLogger(__name__)

MAX_SESSIONS = 6
"""Three voices, each wide and narrow. What a voice takes in memory: docs/decisions/022-long-runs.md."""
AMPLE_S = 2.0
"""A window takes half of what is in hand by the session's own speed, so one thread is never too slow then."""
REMEDY = "pip install 'unavoce[piper]'"


class PiperOptions(LocalOptions):
    """Section `piper` of the settings."""

    voice: str = ""
    """A model file, or the name of one in `DATA_DIR/voices`; empty for the packaged voice."""
    speaker: str = Field(default="", coerce_numbers_to_str=True)
    """Of a model with several speakers: a name or number from its config."""
    length_scale: float | None = Field(default=None, ge=0.25, le=4.0)
    """Above 1 is slower; the voice's own where not given."""


class PiperEngine(LocalEngine[VoiceFiles, "LoadedVoice"]):
    """Piper voices: the configured one first, then those in `DATA_DIR/voices` and the packaged one."""

    name = "piper"
    Options = PiperOptions
    ample_s = AMPLE_S

    def __init__(self, options: PiperOptions, context: EngineContext) -> None:
        # A step for each core, and one that waits, so that no core stands idle while the event loop chooses the next.
        self.max_concurrency = context.cores.count + 1
        super().__init__(options, context, Sessions(self._load, name=self.name, limit=MAX_SESSIONS))
        self._options: PiperOptions = options
        self._files = _find(options.voice, context.data_dir / "voices")
        self._manner = Manner(self._speaker_id(), options.length_scale)
        self._digests: dict[str, str] = {}
        self._halves: dict[str, Halves | None] = {}

    def voices(self) -> Sequence[Voice]:
        return [self._voice(files) for files in self._files.values()]

    async def start(self) -> None:
        if not self._files:
            places = f"put one into {self._context.data_dir / 'voices'} ({WHERE_VOICES_COME_FROM})"
            raise EngineUnavailable(f"no Piper voice is installed; remedy: {REMEDY}, or {places}")
        store = self._context.data_dir / "piper" / "fingerprints.json"
        self._digests = await asyncio.to_thread(fingerprints, list(self._files.values()), store)
        await self._warm_up(next(iter(self._files.values())))

    async def steps(self, spoken: str, voice: Voice, in_hand_s: InHand) -> AsyncGenerator[Progress, None]:
        """Its text's encoding with the first window of sound, then window by window (`piper_windows.py`)."""
        files = self._files.get(voice.name)
        if files is None:
            raise EngineRefused(f"the piper engine has no voice {voice.name!r}")
        if len(spoken) > self.max_chars:
            raise EngineRefused(f"{len(spoken)} characters; piper takes {self.max_chars} at a time")
        passage, progress = Passage(spoken, self._manner_of(voice)), Progress(None)
        with self._sentence():
            while not progress.whole:
                step = partial(_step, passage, in_hand_s(), self._wait_s())
                progress, work_s = await self._compute(files, step, in_hand_s)
                yield progress._replace(work_s=work_s)

    def _wait_s(self) -> float:
        """From the end of a step to the same sentence's next."""
        return AMONG_OTHERS_S if self._sentences > self._context.cores.count else ALONE_S

    def _load(self, files: VoiceFiles, threads: int) -> LoadedVoice:
        try:
            from unavoce.engines.onnx_runs import Run  # noqa: PLC0415  # heavy, and may not be installed
            from unavoce.engines.piper_onnx import load  # noqa: PLC0415
        except ImportError as error:
            raise EngineUnavailable(f"the piper engine is not installed ({error}); remedy: {REMEDY}") from error
        voice = load(files, threads, self._halves_of(files))
        try:
            warm(voice, Run())
        except EngineError as error:
            raise EngineUnavailable(f"{files.model} cannot speak ({error}); replace it with a whole copy") from error
        return voice

    def _halves_of(self, files: VoiceFiles) -> Halves | None:
        """None where its model cannot be parted: it speaks whole sentences then, and says so. On the loading thread."""
        name, digest = files.name, self._digests.get(files.name)
        known = self._halves.get(name)
        if digest is not None and (name not in self._halves or (known and not known.are_there)):
            try:
                self._halves[name] = halves(files, digest, self._context.data_dir / "piper")
            except Uncuttable as reason:
                self._halves[name] = None
                log.warning("piper_speaks_whole_sentences", extra={"voice": name, "reason": str(reason)})
                if name == next(iter(self._files)):
                    self.detail = f"speaks whole sentences: its model cannot be parted, {reason}"
        return self._halves.get(name)

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


def _step(passage: Passage, in_hand_s: float, wait_s: float, voice: LoadedVoice, run: Run) -> Progress:
    return passage.step(voice, in_hand_s, run, wait_s)


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
