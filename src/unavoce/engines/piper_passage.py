"""One text on its way to Piper's sound, a step at a time. Runs on worker threads, one step after the other."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Progress
from unavoce.engines.piper_voices import Manner
from unavoce.engines.piper_windows import ALONE_S, next_window
from unavoce.errors import EngineRefused

if TYPE_CHECKING:
    from unavoce.engines.onnx_runs import Run
    from unavoce.engines.piper_onnx import Ids, LoadedVoice


class Passage:
    """Text, then the sentences that Piper finds in it, then each one's latent, then its samples.

    Each step may be done by another session of the same voice. One that was stopped changed nothing, and may be done
    once more.
    """

    def __init__(self, spoken: str, manner: Manner) -> None:
        self._spoken = spoken
        self._manner = manner
        self._sentences: list[Ids] | None = None
        """Those whose sound is not whole yet."""
        self._latent: Any = None
        """Of the first of them."""
        self._decoded = 0
        """Frames of it that have become samples."""
        self._made = 0
        """Frames of the sentences before it that have."""

    def step(self, voice: LoadedVoice, in_hand_s: float, run: Run, wait_s: float = ALONE_S) -> Progress:
        """The next part of the sound, for a listener with `in_hand_s` seconds in hand. `wait_s`: until the next step
        begins, about.

        Raises `EngineRefused` when there is nothing to pronounce, `Stopped` after `run.stop()`, and `EngineError` when
        the computation fails.
        """
        if self._sentences is None:
            self._sentences = voice.sentences(self._spoken)
            if not self._sentences:
                raise EngineRefused("Piper finds nothing to pronounce in this text")
        began_s = perf_counter()
        latent = self._latent = self._latent or voice.latent(self._sentences[0], self._manner, run)
        left = latent.frames - self._decoded
        in_hand_s -= perf_counter() - began_s
        frames = next_window(left, self._made + self._decoded, in_hand_s, voice.costs, wait_s)
        samples = voice.samples(latent, self._decoded, self._decoded + frames, run)
        self._decoded += frames
        if frames == left:
            self._sentences, self._latent = self._sentences[1:], None
            self._made, self._decoded = self._made + latent.frames, 0
        return Progress(Pcm(samples, voice.rate_hz), whole=not self._sentences)


def warm(voice: LoadedVoice, run: Run) -> None:
    """The first inference of a session is slow; let no listener wait for it. Raises EngineError."""
    passage = Passage("One, two.", Manner())
    with suppress(EngineRefused):  # a voice for another script; its first sentence warms it
        while not passage.step(voice, 0.0, run).whole:
            pass
