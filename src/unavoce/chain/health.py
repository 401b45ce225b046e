"""One engine's health: a circuit breaker, and how fast the engine is. Pure; every call is given the time.

A refused connection opens the breaker at once, time-outs and sound that cannot be the text after a few in a row; what a
caller got wrong never counts. An open breaker closes when a probe has spoken.
"""

from __future__ import annotations

from dataclasses import dataclass

from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

FAILURES = 3
"""In a row, until the breaker opens."""
WEIGHT = 0.3
"""Of the newest measurement in the running averages."""
SECONDS_PER_CHARACTER = 0.065
"""Speech of English prose, until an engine has been measured."""
UNKNOWN_START_S = 0.5
"""Until an engine has spoken, its first sound is expected after this time."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole clip, as it went."""

    characters: int
    start_s: float
    """From the slot's grant to the first sound."""
    synthesis_s: float
    """From the slot's grant to the end."""
    sound_s: float


class Breaker:
    """Open: the engine is down, and nobody waits for it."""

    def __init__(self) -> None:
        self._failures = 0
        self.reason: str | None = None
        """Why it is open; None while it is closed."""

    def failed(self, error: EngineError) -> None:
        if isinstance(error, EngineRefused):
            return
        self._failures += 1
        if isinstance(error, EngineUnavailable) or self._failures >= FAILURES:
            self.reason = str(error)

    def spoke(self) -> None:
        self._failures, self.reason = 0, None


class Pace:
    """How fast an engine speaks: running averages of what was measured."""

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._real_time_factor: float | None = None
        self._seconds_per_character: float | None = None

    def measured(self, clip: Measured) -> None:
        self._start_s = _average(self._start_s, clip.start_s)
        if clip.sound_s > 0:
            self._real_time_factor = _average(self._real_time_factor, clip.synthesis_s / clip.sound_s)
        if clip.characters:
            self._seconds_per_character = _average(self._seconds_per_character, clip.sound_s / clip.characters)

    def sound_s(self, characters: int) -> float:
        """Expected seconds of sound for a text of that length."""
        known = self._seconds_per_character
        return characters * (SECONDS_PER_CHARACTER if known is None else known)

    @property
    def start_s(self) -> float:
        """Expected seconds from a slot's grant to the first sound."""
        return UNKNOWN_START_S if self._start_s is None else self._start_s

    def keeps_up(self, slots: int) -> bool:
        """Whether `slots` calls at a time make sound faster than it is heard. An engine never measured does."""
        return self._real_time_factor is None or self._real_time_factor <= slots


def _average(known: float | None, new: float) -> float:
    return new if known is None else known + WEIGHT * (new - known)
