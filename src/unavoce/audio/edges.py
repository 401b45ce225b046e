"""The edges of a clip: silence around the speech is trimmed, with a margin, and what is left is faded in and out."""

from __future__ import annotations

import numpy as np

from unavoce.audio.pcm import Samples
from unavoce.audio.resample import to_int16

LOUD = 104
"""Samples above this (-50 dBFS, after gain) are speech. The loudest sample of a stream is not known at its start, so
the threshold is absolute; the margins keep the softer start of an "f" or "h" and the end of an "s"."""
LEAD_MARGIN_S = 0.030
TAIL_MARGIN_S = 0.040
FADE_S = 0.004
"""Of the fades at both edges: short enough to leave a "p" or "t" whole, long enough not to click."""
MAX_HELD_S = 2.0
"""Silence held back because it may be the end. A longer pause leaves as it comes, so that memory stays bounded."""


class Edges:
    """Streaming; any split of the input gives the same output. A pause inside the sentence keeps its length."""

    def __init__(self, rate_hz: int) -> None:
        self._lead = round(LEAD_MARGIN_S * rate_hz)
        self._tail = round(TAIL_MARGIN_S * rate_hz)
        self._max_held = round(MAX_HELD_S * rate_hz)
        self._rise = _raised_cosine(round(FADE_S * rate_hz))
        self._held: Samples = np.empty(0, np.int16)
        self._begun = False
        self._sent = 0
        """Samples that left so far: the first of them are faded in."""

    def feed(self, samples: Samples) -> Samples:
        """What can leave now: all but the silence at the end and the last few milliseconds of speech."""
        self._hold(samples)
        if not self._begun:
            return self._held[:0]
        loud = np.flatnonzero(_is_loud(self._held))
        quiet = len(self._held) - (int(loud[-1]) + 1 if len(loud) else 0)
        keep = max(min(quiet, self._max_held), len(self._rise))
        return self._leave(len(self._held) - keep)

    def end(self) -> Samples:
        """The rest, faded out; empty when there was nothing but silence."""
        if not self._begun:
            return self._held[:0]
        loud = np.flatnonzero(_is_loud(self._held))
        last = int(loud[-1]) + 1 if len(loud) else 0
        self._held = self._held[: last + self._tail]
        rest = self._leave(len(self._held))
        fade = min(len(rest), len(self._rise))
        rest[len(rest) - fade :] = to_int16(rest[len(rest) - fade :] * self._rise[:fade][::-1])
        return rest

    def _hold(self, samples: Samples) -> None:
        """Add to what is held; before the speech begins that is the margin only."""
        self._held = np.concatenate([self._held, samples])
        if self._begun:
            return
        loud = np.flatnonzero(_is_loud(self._held))
        self._begun = len(loud) > 0
        onset = int(loud[0]) if self._begun else len(self._held)
        self._held = self._held[max(0, onset - self._lead) :]

    def _leave(self, count: int) -> Samples:
        out, self._held = self._held[: max(count, 0)].copy(), self._held[max(count, 0) :]
        rising = self._rise[self._sent : self._sent + len(out)]
        out[: len(rising)] = to_int16(out[: len(rising)] * rising)
        self._sent += len(out)
        return out


def _is_loud(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    # Compared on both sides: the absolute value of -32768 is no int16.
    return np.asarray((samples > LOUD) | (samples < -LOUD))


def _raised_cosine(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """From just above 0 to just below 1."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1)))
