"""What each engine's voices were when it last started, kept in a small file.

An engine that cannot start does not know its voices, or not their fingerprints, and without those what was spoken in
them cannot be found again. Believed only as long as the engine's section of the settings is what it was then.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unavoce.engines.base import Voice

log = logging.getLogger(__name__)

MAX_BYTES: Final = 8 << 20
MAX_ENTRIES: Final = 32
"""Engines, each with one section of settings; those written longest ago go."""
MAX_VOICES: Final = 1000
MAX_CHARS: Final = 500
"""Of each text; a voice that has a longer one is left out."""

Text = Annotated[str, Field(max_length=MAX_CHARS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class _KeptVoice(_Strict):
    name: Text
    language: Text
    model: Text
    speaker: Text
    speed: float = Field(gt=0, le=100)
    gain: float | None = Field(default=None, ge=0.1, le=10)
    """Linear; none until measured. The bounds are `MAX_GAIN_DB` of audio/loudness.py."""


class _Entry(_Strict):
    engine: Text
    section: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of its section of the settings."""
    voices: tuple[_KeptVoice, ...] = Field(min_length=1, max_length=MAX_VOICES)


class _File(_Strict):
    format: Literal[1] = 1
    engines: tuple[_Entry, ...] = Field(max_length=MAX_ENTRIES)
    """Written longest ago first."""


class KnownVoices:
    """The voices and gains of the engines in `sections`, which holds a digest of each one's section of the settings.

    Several processes may share the file: each puts its own engines in the place of what stood there for the same
    section, and leaves the others. Of two that write at the same instant one may be lost, until its next start.
    """

    def __init__(self, path: Path, sections: Mapping[str, str], entries: Iterable[_Entry] = ()) -> None:
        """Reads nothing; see `read`."""
        self._path = path
        self._sections = dict(sections)
        self._voices: dict[str, tuple[Voice, ...]] = {}
        self._gains: dict[Voice, float] = {}
        self._changed: set[str] = set()
        self._complained = False
        self._writing = threading.Lock()
        for entry in entries:
            if self._sections.get(entry.engine) == entry.section:
                self._believe(entry)

    @classmethod
    def read(cls, path: Path, sections: Mapping[str, str]) -> KnownVoices:
        """As the file says; a file that is damaged, or not ours, is named in the log and taken for empty.

        Blocks for a few milliseconds: not for the event loop.
        """
        try:
            return cls(path, sections, _entries(path))
        except (OSError, ValueError) as error:
            log.warning("known_voices_ignored", extra={"path": str(path), "reason": _reason(error)})
            return cls(path, sections)

    def voices(self, engine: str) -> tuple[Voice, ...]:
        """Its voices when it last started, the default first; empty where nothing is known."""
        return self._voices.get(engine, ())

    @property
    def gains(self) -> Mapping[Voice, float]:
        """The linear gain of each voice, at speed 1, that was measured."""
        return self._gains

    def offers(self, engine: str, voices: Sequence[Voice]) -> None:
        """`engine` has started, with these voices."""
        # Without its default there is no telling who speaks where no voice is named.
        found = _keepable(engine, voices) if _keepable(engine, voices[:1]) else ()
        if engine in self._sections and found != self.voices(engine):
            self._voices[engine] = found
            self._changed.add(engine)

    def measured(self, voice: Voice, gain: float) -> None:
        """`voice` was found to need this linear gain. Not kept where nobody can tell whether its model has changed."""
        at_rest = voice.at_rest
        if voice.engine in self._sections and voice.model and self._gains.get(at_rest) != gain:
            self._gains[at_rest] = gain
            self._changed.add(voice.engine)

    async def keep(self) -> None:
        """Write down what has changed, off the event loop. Where that fails it is logged once, and all goes on."""
        changed = frozenset(self._changed)
        if not changed:
            return
        self._changed.clear()
        try:
            await asyncio.to_thread(self._write, changed)
        except asyncio.CancelledError:
            self._changed |= changed  # perhaps not even begun
            raise

    def _believe(self, entry: _Entry) -> None:
        pairs = [(_voice(entry.engine, kept), kept.gain) for kept in entry.voices]
        self._voices[entry.engine] = tuple(voice for voice, _ in pairs)
        self._gains |= {voice.at_rest: gain for voice, gain in pairs if gain is not None}

    def _write(self, changed: Iterable[str]) -> None:
        places = {(engine, self._sections[engine]) for engine in changed}
        with self._writing:  # and only now look what is to be written: what comes last is the newest
            mine = [self._entry(*place) for place in sorted(places) if self.voices(place[0])]
            try:
                others = [entry for entry in self._others() if (entry.engine, entry.section) not in places]
                _replace(self._path, _encoded([*others, *mine]))
            except OSError as error:
                self._complain(error)

    def _others(self) -> Sequence[_Entry]:
        try:
            return _entries(self._path)
        except ValueError:
            return ()  # logged when it was first read

    def _entry(self, engine: str, section: str) -> _Entry:
        gains = dict(self._gains)
        kept = [_kept(voice, gains.get(voice.at_rest)) for voice in self.voices(engine)]
        return _Entry(engine=engine, section=section, voices=tuple(kept))

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            log.warning("known_voices_not_kept", extra={"path": str(self._path), "reason": _reason(error)})
        self._complained = True


def _keepable(engine: str, voices: Sequence[Voice]) -> tuple[Voice, ...]:
    """Those that can be written down, at most as many as are kept."""
    return tuple(voice for voice in voices if voice.engine == engine and _fits(voice))[:MAX_VOICES]


def _fits(voice: Voice) -> bool:
    try:
        _kept(voice)
    except ValidationError:
        return False
    return True


def _kept(voice: Voice, gain: float | None = None) -> _KeptVoice:
    return _KeptVoice(
        name=voice.name,
        language=voice.language,
        model=voice.model,
        speaker=voice.speaker,
        speed=voice.speed,
        gain=gain,
    )


def _voice(engine: str, kept: _KeptVoice) -> Voice:
    return Voice(engine, kept.name, kept.language, kept.model, kept.speaker, kept.speed)


def _entries(path: Path) -> Sequence[_Entry]:
    """Empty where there is no such file. Raises OSError, and ValueError for one that cannot be ours."""
    if not path.exists():
        return ()
    if not path.is_file():  # a pipe would be waited for
        raise ValueError("not a file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return _File.model_validate_json(content).engines


def _encoded(entries: Sequence[_Entry]) -> bytes:
    """The last of `entries`, as many as the file may hold."""
    newest = list(entries)[-MAX_ENTRIES:]
    while len(content := _json(newest)) > MAX_BYTES:
        newest = newest[1:]
    return content


def _json(entries: Sequence[_Entry]) -> bytes:
    return _File(engines=tuple(entries)).model_dump_json(indent=1, exclude_none=True).encode()


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all, also for whoever reads it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _reason(error: Exception) -> str:
    """Without anything that stands in the file."""
    if isinstance(error, ValidationError):
        return "not a list of voices as this version writes it"
    return (isinstance(error, OSError) and error.strerror) or str(error)
