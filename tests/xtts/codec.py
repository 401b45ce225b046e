"""Lets the servers read and write sound files without ffmpeg, which torchaudio wants for it."""

from __future__ import annotations

import io

import soundfile
import torch
import torchaudio


def use_soundfile() -> None:
    torchaudio.load, torchaudio.save = _load, _save


def _load(file: object, *_: object, **__: object) -> tuple[torch.Tensor, int]:
    samples, rate_hz = soundfile.read(_openable(file), dtype="float32", always_2d=True)
    return torch.from_numpy(samples.T.copy()), rate_hz


def _save(file: object, samples: torch.Tensor, rate_hz: int, *_: object, **__: object) -> None:
    soundfile.write(_openable(file), samples.numpy().T, rate_hz)


def _openable(file: object) -> object:
    return file if isinstance(file, io.IOBase) else str(file)
