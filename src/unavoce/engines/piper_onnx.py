"""A Piper voice in an ONNX session: loading, speaking, stopping. Runs on worker threads.

Imports Piper and ONNX Runtime, so it is itself imported only when a voice is loaded. Piper's own `synthesize`
takes no run options, without which a computation cannot be stopped, so its few lines of arithmetic stand here
again.
"""

from __future__ import annotations

import logging
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from piper import PiperConfig, PiperVoice

from unavoce.audio.pcm import Pcm, Samples
from unavoce.engines.piper_voices import Manner, VoiceFiles, read_config
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

logging.getLogger("piper").setLevel(logging.ERROR)  # below that it logs texts and phonemes

_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_BRACKETS = re.compile(r"([\[\]])\1+")
ESPEAK = threading.Lock()
"""espeak has one voice per process: choosing it and reading a text belong together."""


class Stopped(EngineUnavailable):
    """The computation ended because it was told to."""


class Run:
    """One computation's off switch; `stop` may be called from any thread, before or during it."""

    def __init__(self) -> None:
        self.options: Any = onnxruntime.RunOptions()
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True
        self.options.terminate = True


class LoadedVoice:
    """A voice in one ONNX session. Several threads may speak with it at once."""

    def __init__(self, piper: PiperVoice) -> None:
        self._piper = piper

    @staticmethod
    def run() -> Run:
        return Run()

    def speak(self, spoken: str, manner: Manner, run: Run) -> Pcm:
        """One clip at the voice's natural level, however many sentences Piper finds in `spoken`.

        Raises `EngineRefused` when there is nothing to pronounce, `Stopped` after `run.stop()`, and
        `EngineError` when the computation fails.
        """
        sentences = [ids for ids in map(self._ids, self._phonemes(spoken)) if ids]
        if not sentences:
            raise EngineRefused("Piper finds nothing to pronounce in this text")
        parts = [int16(self._infer(ids, manner, run)) for ids in sentences]
        return Pcm(np.concatenate(parts), self._piper.config.sample_rate)

    def _phonemes(self, spoken: str) -> list[list[str]]:
        try:
            with ESPEAK:
                return self._piper.phonemize(harmless(spoken))
        except Exception as error:
            raise EngineError(f"Piper's phonemes failed: {type(error).__name__}") from error

    def _ids(self, phonemes: list[str]) -> list[int]:
        """Empty where the phonemes are punctuation only, of which Piper makes a grunt."""
        if not any(phoneme[:1].isalnum() for phoneme in phonemes):
            return []
        return self._piper.phonemes_to_ids(phonemes)

    def _infer(self, ids: list[int], manner: Manner, run: Run) -> NDArray[np.float32]:
        if run.stopped:
            raise Stopped("stopped before its computation")
        try:
            result = self._piper.session.run(None, self._inputs(ids, manner), run.options)
        except Exception as error:
            if run.stopped:
                raise Stopped("stopped in mid-sentence") from error
            raise EngineError(f"Piper could not speak: {error}") from error
        return np.asarray(result[0], dtype=np.float32).reshape(-1)

    def _inputs(self, ids: list[int], manner: Manner) -> dict[str, NDArray[Any]]:
        """As in `PiperVoice.phoneme_ids_to_audio` of piper-tts 1.8: noise, length and noise of the lengths."""
        config = self._piper.config
        length_scale = (manner.length_scale or config.length_scale) / manner.speed
        scales = [config.noise_scale, length_scale, config.noise_w_scale]
        inputs: dict[str, NDArray[Any]] = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array(scales, dtype=np.float32),
        }
        if config.num_speakers > 1:
            speaker_id = config.default_speaker_id if manner.speaker_id is None else manner.speaker_id
            inputs["sid"] = np.array([speaker_id], dtype=np.int64)
        return inputs


def harmless(spoken: str) -> str:
    """`spoken` without what espeak cannot take and without `[[`, which Piper would read as raw phonemes."""
    return _BRACKETS.sub(r"\1", _UNSPEAKABLE.sub(" ", spoken))


def int16(audio: NDArray[np.float32]) -> Samples:
    """Piper's scaling, without `normalize_audio`, which would give every clip another level."""
    return (np.clip(audio, -1.0, 1.0) * 32767).astype(np.int16)


def load(files: VoiceFiles, threads: int) -> LoadedVoice:
    """Load and warm a voice (0.7 s or so) in a session of `threads` threads.

    Raises `EngineUnavailable` naming what is missing or damaged.
    """
    _check_unchanged(files)
    try:
        config = PiperConfig.from_dict(read_config(files.config))
        voice = LoadedVoice(PiperVoice(session=session(files.model, threads), config=config))
        _warm(voice)
    except EngineUnavailable:
        raise
    except Exception as error:
        reason = f"{files.model} cannot be loaded as a Piper voice ({error})"
        raise EngineUnavailable(f"{reason}; replace it and its .json with whole copies") from error
    return voice


def _check_unchanged(files: VoiceFiles) -> None:
    try:
        unchanged = files.unchanged()
    except OSError as error:
        raise EngineUnavailable(f"{files.model} cannot be read ({error})") from error
    if not unchanged:  # else its clips would be cached under the old model's fingerprint
        raise EngineUnavailable(f"{files.model} has changed since the start; restart to use it")


def session(model: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads that spin save no time here but cost a sixth more CPU.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _warm(voice: LoadedVoice) -> None:
    """The first inference of a session is slow; let no listener wait for it."""
    try:
        voice.speak("One, two.", Manner(), Run())
    except EngineRefused:
        return  # a voice for another script; its first sentence warms it
