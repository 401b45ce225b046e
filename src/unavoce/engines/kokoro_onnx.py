"""Kokoro-82M in an ONNX session: loading, speaking, stopping. Runs on worker threads, imports what is heavy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from piper.phonemize_espeak import EspeakPhonemizer

from unavoce.audio.pcm import Pcm
from unavoce.engines.kokoro_files import MODEL, REMEDY, VOCABULARY
from unavoce.engines.kokoro_phonemes import in_kokoro, runs_of, tokens
from unavoce.engines.piper_onnx import ESPEAK, Run, Stopped, harmless, int16, session
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

RATE_HZ = 24_000
STYLE_SIZE = 256


@dataclass(frozen=True, slots=True)
class Manner:
    """Who speaks, and how fast."""

    style: str
    speed: float = 1.0

    @property
    def british(self) -> bool:
        return self.style.startswith("b")


class LoadedKokoro:
    """The model in one session, with all styles of the folder. Several threads may speak with it at once."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._vocabulary: dict[str, int] = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))["vocab"]
        self._session = session(folder / MODEL, threads)
        self._espeak = EspeakPhonemizer()
        self._styles: dict[str, NDArray[np.float32]] = {}

    @staticmethod
    def run() -> Run:
        return Run()

    def speak(self, spoken: str, manner: Manner, run: Run) -> Pcm:
        """One clip. `EngineRefused` when nothing is pronounced, `Stopped` after `run.stop()`, else `EngineError`."""
        ids = [ids for part in self._parts(spoken, manner) if (ids := tokens(part, self._vocabulary))]
        if not ids:
            raise EngineRefused("Kokoro finds nothing to pronounce in this text")
        return Pcm(np.concatenate([int16(self._infer(part, manner, run)) for part in ids]), RATE_HZ)

    def _parts(self, spoken: str, manner: Manner) -> list[str]:
        accent = "en-gb-x-rp" if manner.british else "en-us"
        try:
            with ESPEAK:
                sentences = self._espeak.phonemize(accent, harmless(spoken))
        except Exception as error:
            raise EngineError(f"Kokoro's phonemes failed: {type(error).__name__}") from error
        # The model reads several sentences in one breath better than each alone.
        whole = " ".join(in_kokoro("".join(one), british=manner.british) for one in sentences)
        return runs_of(whole)

    def _infer(self, ids: list[int], manner: Manner, run: Run) -> NDArray[np.float32]:
        if run.stopped:
            raise Stopped("stopped before its computation")
        try:
            result = self._session.run(None, self._inputs(ids, manner), run.options)
        except Exception as error:
            if run.stopped:
                raise Stopped("stopped in mid-sentence") from error
            raise EngineError(f"Kokoro could not speak: {error}") from error
        return np.asarray(result[0], dtype=np.float32).reshape(-1)

    def _inputs(self, ids: list[int], manner: Manner) -> dict[str, NDArray[Any]]:
        """As in `generate_from_ids` of kokoro-js 1.2: a style has one row for each number of tokens."""
        return {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": self._style(manner.style)[len(ids) - 1],
            "speed": np.array([manner.speed], dtype=np.float32),
        }

    def _style(self, name: str) -> NDArray[np.float32]:
        if name not in self._styles:
            styles = np.fromfile(self._folder / f"{name}.bin", dtype="<f4")
            self._styles[name] = styles.reshape(-1, 1, STYLE_SIZE)
        return self._styles[name]


def load(folder: Path, threads: int, style: str) -> LoadedKokoro:
    """Load and warm the model (a second or two). Raises `EngineUnavailable` with the remedy."""
    try:
        loaded = LoadedKokoro(folder, threads)
        loaded.speak("One, two.", Manner(style), Run())
    except Exception as error:
        raise EngineUnavailable(f"Kokoro cannot be loaded ({error}); remedy: {REMEDY}") from error
    return loaded
