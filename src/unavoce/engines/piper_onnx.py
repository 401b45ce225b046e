"""A Piper voice in an ONNX session: loading, speaking, stopping. Runs on worker threads.

Imports Piper and ONNX Runtime, so it is itself imported only when a voice is loaded. Piper's own `synthesize`
takes no run options, without which a computation cannot be stopped, so its few lines of arithmetic stand here
again.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from piper import PiperConfig, PiperVoice

from unavoce.audio.pcm import Samples
from unavoce.engines.espeak import ESPEAK, harmless
from unavoce.engines.onnx_runs import Run, infer, int16, session
from unavoce.engines.piper_decoder import Decoder, Latent, encode
from unavoce.engines.piper_voices import Manner, VoiceFiles, read_config
from unavoce.engines.piper_windows import Costs
from unavoce.errors import EngineError, EngineUnavailable

if TYPE_CHECKING:
    from unavoce.engines.piper_parts import Halves

logging.getLogger("piper").setLevel(logging.ERROR)  # below that it logs texts and phonemes


Ids = list[int]
"""A sentence's phonemes, as the model knows them."""
UNKNOWN_FACTOR = 0.2
"""Seconds of decoding per second of sound, until a window has been measured."""
SLOWER, FASTER = 0.6, 0.2
"""Weight of the newest measurement of a decoder that has become slower, or faster: better a little too careful."""


@dataclass(frozen=True, slots=True)
class Unencoded:
    """A sentence that is computed in one go: one frame, as it were."""

    inputs: Mapping[str, NDArray[Any]]
    frames: int = 1


class LoadedVoice(ABC):
    """A voice in memory. Several threads may speak with it at once.

    `latent` and `samples` raise `Stopped` after `run.stop()`, and `EngineError` when the computation fails.
    """

    costs: Costs
    """Of a frame, as measured last."""

    def __init__(self, piper: PiperVoice) -> None:
        self._piper = piper

    @property
    def rate_hz(self) -> int:
        rate_hz: int = self._piper.config.sample_rate
        return rate_hz

    def sentences(self, spoken: str) -> list[Ids]:
        """The sentences that Piper finds in `spoken`; none where there is nothing to pronounce. Raises EngineError."""
        return [ids for ids in map(self._ids, self._phonemes(spoken)) if ids]

    @abstractmethod
    def latent(self, ids: Ids, manner: Manner, run: Run) -> Any:
        """A sentence as `samples` takes it; its `frames` can be made into samples window by window."""

    @abstractmethod
    def samples(self, latent: Any, start: int, stop: int, run: Run) -> Samples:
        """Of the frames from `start` up to `stop`, at the voice's own level."""

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


class WholeVoice(LoadedVoice):
    """In one session, which speaks a sentence in one go."""

    costs = Costs(sound_s=1.0, work_s=1.0, overhead=0.0)

    def latent(self, ids: Ids, manner: Manner, run: Run) -> Unencoded:
        return Unencoded(self._inputs(ids, manner))

    def samples(self, latent: Unencoded, start: int, stop: int, run: Run) -> Samples:
        # Piper's own `normalize_audio` would give every clip another level.
        return int16(infer(self._piper.session, latent.inputs, run))


class PartedVoice(LoadedVoice):
    """In parts, each in a session: a sentence is heard while the rest of it is computed."""

    def __init__(self, piper: PiperVoice, decoder: Decoder, halves: Halves) -> None:
        super().__init__(piper)
        self._halves = halves
        self._decoder = decoder
        sound_s = halves.samples_per_frame / self.rate_hz
        flow = halves.flow.weight if halves.flow else 0.0
        self.costs = Costs(sound_s, UNKNOWN_FACTOR * sound_s, halves.overhead, flow)

    def latent(self, ids: Ids, manner: Manner, run: Run) -> Latent:
        return encode(self._piper.session, self._halves, self._inputs(ids, manner), run)

    def samples(self, latent: Latent, start: int, stop: int, run: Run) -> Samples:
        work, began_s = self._decoder.work(latent, start, stop), perf_counter()
        samples = int16(self._decoder.decode(latent, start, stop, run))
        self._learn((perf_counter() - began_s) / work)
        return samples

    def _learn(self, work_s: float) -> None:
        known_s = self.costs.work_s
        weight = SLOWER if work_s > known_s else FASTER
        self.costs = replace(self.costs, work_s=known_s + weight * (work_s - known_s))


def load(files: VoiceFiles, threads: int, halves: Halves | None = None) -> LoadedVoice:
    """Load a voice (half a second or so) in sessions of `threads` threads; parted, where its halves are given.

    Raises `EngineUnavailable` naming what is missing or damaged.
    """
    _check_unchanged(files)
    try:
        config = PiperConfig.from_dict(read_config(files.config))
        voice = _parted(config, halves, threads) if halves else _whole(config, files, threads)
    except EngineUnavailable:
        raise
    except Exception as error:
        reason = f"{files.model} cannot be loaded as a Piper voice ({error})"
        raise EngineUnavailable(f"{reason}; replace it and its .json with whole copies") from error
    return voice


def _whole(config: PiperConfig, files: VoiceFiles, threads: int) -> LoadedVoice:
    return WholeVoice(PiperVoice(session=session(files.model, threads), config=config))


def _parted(config: PiperConfig, halves: Halves, threads: int) -> LoadedVoice:
    piper = PiperVoice(session=session(halves.encoder, threads), config=config)
    flow = session(halves.flow.model, threads) if halves.flow else None
    return PartedVoice(piper, Decoder(session(halves.decoder, threads), halves, flow), halves)


def _check_unchanged(files: VoiceFiles) -> None:
    try:
        unchanged = files.unchanged()
    except OSError as error:
        raise EngineUnavailable(f"{files.model} cannot be read ({error})") from error
    if not unchanged:  # else its clips would be cached under the old model's fingerprint
        raise EngineUnavailable(f"{files.model} has changed since the start; restart to use it")
