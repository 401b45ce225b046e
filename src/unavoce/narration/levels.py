"""One gain per voice, measured once, so that all its sentences are equally loud, streamed or not."""

from __future__ import annotations

from dataclasses import replace

from unavoce.audio.loudness import gain_for
from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Voice

ENOUGH_S = 1.0
"""Loudness of less sound than this says little (BS.1770 gates in blocks of 0.4 s)."""


class Levels:
    """The gain of each voice. Speed does not change a voice's loudness, so all speeds share one."""

    def __init__(self) -> None:
        self._gains: dict[Voice, float] = {}

    def learn(self, voice: Voice, clip: Pcm) -> None:
        """Measure a voice that has none yet on `clip`; too short a clip teaches nothing."""
        # Measuring stalls the event loop for 2 ms per second of sound: never for a voice that is known.
        if clip.duration_s >= ENOUGH_S and _at_rest(voice) not in self._gains:
            self._gains[_at_rest(voice)] = gain_for(clip.samples, clip.rate_hz)

    def known(self, voice: Voice) -> float | None:
        """The voice's linear gain, if it was measured."""
        return self._gains.get(_at_rest(voice))

    def gain(self, voice: Voice, first_piece: Pcm) -> float:
        """The voice's linear gain; for one never measured, what its first piece suggests."""
        self.learn(voice, first_piece)
        known = self.known(voice)
        return gain_for(first_piece.samples, first_piece.rate_hz) if known is None else known


def _at_rest(voice: Voice) -> Voice:
    return replace(voice, speed=1.0)
