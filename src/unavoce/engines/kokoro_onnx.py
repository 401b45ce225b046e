"""Kokoro-82M in an ONNX session: from text to tokens, from tokens to sound. Runs on worker threads, imports what is
heavy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from piper.phonemize_espeak import EspeakPhonemizer

from unavoce.audio.pcm import Pcm
from unavoce.engines.espeak import ESPEAK, harmless
from unavoce.engines.kokoro_files import MODEL, REMEDY, VOCABULARY
from unavoce.engines.kokoro_phonemes import in_kokoro, pieces, tokens
from unavoce.engines.onnx_runs import Run, Sound, infer, int16, session
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

RATE_HZ = 24_000
STYLE_SIZE = 256
AUDIBLE = 0.003
"""-50 dBFS: what is softer at a piece's edge is silence."""
LEAD_S, TAIL_S = 0.03, 0.24
"""Silence left where two pieces meet. Kokoro puts 0.25 s before and 0.5 s behind whatever it says, and makes a pause of
0.23 to 0.32 s at a comma inside a sentence."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is computed in one go."""

    ids: Sequence[int]
    first: bool = True
    last: bool = True


@dataclass(frozen=True, slots=True)
class Manner:
    """Who speaks, and how fast."""

    style: str
    speed: float = 1.0

    @property
    def british(self) -> bool:
        return self.style.startswith("b")


class LoadedKokoro:
    """The model in one session, with the styles of its folder. Several threads may speak with it at once."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._vocabulary: dict[str, int] = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))["vocab"]
        self._session = session(folder / MODEL, threads)
        self._espeak = EspeakPhonemizer()
        self._styles: dict[str, NDArray[np.float32]] = {}

    def pieces(self, spoken: str, manner: Manner) -> list[Piece]:
        """What to say, in order; at least one. `EngineRefused` when nothing is pronounced."""
        parts = pieces(self._phonemes(spoken, manner))
        found = [ids for part in parts if (ids := tokens(part, self._vocabulary))]
        if not found:
            raise EngineRefused("Kokoro finds nothing to pronounce in this text")
        last = len(found) - 1
        return [Piece(ids, number == 0, number == last) for number, ids in enumerate(found)]

    def speak(self, piece: Piece, manner: Manner, run: Run) -> Pcm:
        """Its sound. `Stopped` after `run.stop()`, else `EngineError`."""
        sound = infer(self._session, self._inputs(piece.ids, manner), run)
        return Pcm(int16(_without_seams(sound, piece)), RATE_HZ)

    def _phonemes(self, spoken: str, manner: Manner) -> str:
        try:
            with ESPEAK:
                sentences = self._espeak.phonemize("en-gb-x-rp" if manner.british else "en-us", harmless(spoken))
        except Exception as error:
            raise EngineError(f"Kokoro's phonemes failed: {type(error).__name__}") from error
        return " ".join(in_kokoro("".join(one), british=manner.british) for one in sentences)

    def _inputs(self, ids: Sequence[int], manner: Manner) -> dict[str, NDArray[Any]]:
        """As in `KPipeline.infer` of kokoro 0.9: a style has one row for each number of tokens, from one on."""
        return {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": self._style(manner.style)[len(ids) - 1],
            "speed": np.array([manner.speed], dtype=np.float32),
        }

    def _style(self, name: str) -> NDArray[np.float32]:
        if name not in self._styles:
            try:
                styles = np.fromfile(self._folder / f"{name}.bin", dtype="<f4")
                self._styles[name] = styles.reshape(-1, 1, STYLE_SIZE)
            except (OSError, ValueError) as error:
                raise EngineUnavailable(f"Kokoro's voice {name} cannot be read; remedy: {REMEDY}") from error
        return self._styles[name]


def _without_seams(sound: Sound, piece: Piece) -> Sound:
    """`sound` without the silence that the model puts between two pieces and would not put inside a sentence."""
    audible = np.flatnonzero(np.abs(sound) > AUDIBLE)
    if not len(audible):
        return sound
    start = 0 if piece.first else max(0, int(audible[0]) - round(LEAD_S * RATE_HZ))
    end = len(sound) if piece.last else int(audible[-1]) + round(TAIL_S * RATE_HZ)
    return sound[start:end]


def load(folder: Path, threads: int, style: str) -> LoadedKokoro:
    """Load and warm the model (a second or two). Raises `EngineUnavailable` with the remedy."""
    try:
        loaded, manner = LoadedKokoro(folder, threads), Manner(style)
        for piece in loaded.pieces("One, two.", manner):
            loaded.speak(piece, manner, Run())
    except Exception as error:
        raise EngineUnavailable(f"Kokoro cannot be loaded ({error}); remedy: {REMEDY}") from error
    return loaded
