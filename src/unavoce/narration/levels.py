"""One gain per voice, measured once, so that all its sentences are equally loud, streamed or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unavoce.audio.loudness import gain_for
from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Voice

ENOUGH_S = 1.0
"""Loudness of less sound than this says little (BS.1770 gates in blocks of 0.4 s)."""


class Levels:
    """The gain of each voice. Speed does not change a voice's loudness, so all speeds share one.

    `remembered`: of voices, at speed 1, that were measured by an earlier process. `tell`: called with each voice that
    is measured, and its linear gain.
    """

    def __init__(
        self,
        remembered: Mapping[Voice, float] | None = None,
        tell: Callable[[Voice, float], None] = lambda _voice, _gain: None,
    ) -> None:
        self._gains = dict(remembered or {})
        self._measured: set[Voice] = set()
        self._tell = tell

    def learn(self, voice: Voice, clip: Pcm) -> None:
        """Measure a voice on `clip`, once in this process; too short a clip teaches nothing."""
        # Measuring stalls the event loop for 2 ms per second of sound: never for a voice that was measured.
        at_rest = voice.at_rest
        if clip.duration_s < ENOUGH_S or at_rest in self._measured:
            return
        self._measured.add(at_rest)
        self._gains[at_rest] = gain_for(clip.samples, clip.rate_hz)
        self._tell(at_rest, self._gains[at_rest])

    def known(self, voice: Voice) -> float | None:
        """The voice's linear gain, if it was measured."""
        return self._gains.get(voice.at_rest)

    def gain(self, voice: Voice, first_piece: Pcm) -> float:
        """The voice's linear gain; for one never measured, what its first piece suggests."""
        if self.known(voice) is None:
            self.learn(voice, first_piece)
        known = self.known(voice)
        return gain_for(first_piece.samples, first_piece.rate_hz) if known is None else known
