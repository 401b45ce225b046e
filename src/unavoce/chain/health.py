"""One engine's health: a circuit breaker, and how fast the engine is. Pure.

A refused connection opens the breaker at once, time-outs and sound that cannot be the text after a few in a row; what a
caller got wrong never counts. An open breaker closes when a probe has spoken.
"""

from __future__ import annotations

from dataclasses import dataclass

from unavoce.chain.trend import Trend
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable, ImplausibleAudio

FAILURES = 3
"""In a row, until the breaker opens."""
WEIGHT = 0.3
"""Of the newest measurement in the running averages."""
SECONDS_PER_CHARACTER = 0.065
"""Speech of English prose, until a voice has been measured."""
UNKNOWN_START_S = 0.5
"""Until an engine has spoken, its first sound is expected after this time."""
TYPICAL_S = 4.0
"""Sound of an everyday sentence; the pace is judged on it."""
HOLDS_PACE, REGAINS_PACE = 0.95, 0.85
"""Seconds of work per second of sound and slot: up to the first an engine holds the pace, a slow one regains it at the
second, so that one on the edge does not change its state with every sentence."""
MOST_VOICES = 64
"""Of one engine whose speed is remembered; those measured longest ago go."""
KNOWN_AFTER = 8
"""Clips of a voice, until a clip is judged by those before it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole clip, as it went. Seconds."""

    characters: int
    start_s: float
    """From the slot's grant to the first sound."""
    synthesis_s: float
    """From the slot's grant to the end."""
    sound_s: float
    work_s: float = 0.0
    """Of computing, times the threads that did it; 0 where it is not known."""
    awaited: bool = True
    """It was begun for somebody who waits. Where there is time, an engine may make larger parts, which come later."""


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
    """How fast an engine works, and how fast its voices speak."""

    def __init__(self) -> None:
        self._start = Trend()
        self._unhurried_start = Trend()
        self._synthesis = Trend()
        self._voices: dict[str, _VoicePace] = {}
        self._slow = False

    def measured(self, voice: str, speed: float, clip: Measured) -> None:
        (self._start if clip.awaited else self._unhurried_start).add(clip.sound_s, clip.start_s)
        self._synthesis.add(clip.sound_s, clip.synthesis_s)
        self._voice(voice).measured(clip.characters, clip.sound_s * speed)

    def sound_s(self, voice: str, speed: float, characters: int) -> float:
        """Expected seconds of sound for a text of that length."""
        known = self._voices.get(voice)
        return characters * (known.seconds_per_character if known else SECONDS_PER_CHARACTER) / speed

    def start_s(self, sound_s: float) -> float:
        """Expected seconds from a slot's grant to the first sound of a clip that lasts `sound_s` and is waited for."""
        expected = self._start.at(sound_s)
        if expected is None:
            expected = self._unhurried_start.at(sound_s)
        return UNKNOWN_START_S if expected is None else expected

    def synthesis_s(self, sound_s: float) -> float:
        """Expected seconds from a slot's grant to the end of a clip that lasts `sound_s`; none, until measured."""
        return self._synthesis.at(sound_s) or 0.0

    @property
    def usual_start_s(self) -> float:
        """The same for an everyday sentence."""
        return self.start_s(TYPICAL_S)

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work per second of sound in an everyday sentence; None before anything was measured."""
        expected = self._synthesis.at(TYPICAL_S)
        return None if expected is None else expected / TYPICAL_S

    def keeps_up(self, slots: int) -> bool:
        """Whether `slots` calls at a time make sound faster than it is heard. An engine never measured does."""
        factor = self.real_time_factor
        if factor is not None:
            self._slow = factor / slots > (REGAINS_PACE if self._slow else HOLDS_PACE)
        return not self._slow

    def odd(self, voice: str, speed: float, characters: int, sound_s: float) -> ImplausibleAudio | None:
        """Why a clip is not believed after all that this voice has spoken; None when it is.

        Catches another request's sound. The voice learns from odd clips too, so that one that has really changed is
        believed again after a few.
        """
        known = self._voices.get(voice)
        if known is None or not known.odd(characters, sound_s * speed):
            return None
        expected_s = self.sound_s(voice, speed, characters)
        known.measured(characters, sound_s * speed)
        return ImplausibleAudio(f"{sound_s:.1f} s of sound where this voice takes {expected_s:.1f} s")

    def odd_rate(self, voice: str, rate_hz: int) -> ImplausibleAudio | None:
        """Why a voice's sound at that rate is not believed: it had another one before.

        Believed after as many refusals in a row as open the breaker: several sentences may bring the same false rate.
        """
        return self._voice(voice).odd_rate(rate_hz)

    def _voice(self, name: str) -> _VoicePace:
        known = self._voices.pop(name) if name in self._voices else _VoicePace()
        self._voices[name] = known
        while len(self._voices) > MOST_VOICES:
            self._voices.pop(next(iter(self._voices)))
        return known


class _VoicePace:
    """How fast one voice speaks at speed 1, and at which rate its sound comes."""

    def __init__(self) -> None:
        self.seconds_per_character = SECONDS_PER_CHARACTER
        self._clips = 0
        self._rate_hz = 0
        self._odd_rates = 0

    def measured(self, characters: int, sound_s: float) -> None:
        if not characters:
            return
        new = sound_s / characters
        self._clips += 1
        self.seconds_per_character += (1.0 if self._clips == 1 else WEIGHT) * (new - self.seconds_per_character)

    def odd(self, characters: int, sound_s: float) -> bool:
        """Wide bounds: numbers and names take longer than prose, and a short word may stand between long pauses."""
        expected_s = self.seconds_per_character * characters
        return self._clips >= KNOWN_AFTER and not 0.35 * expected_s - 0.5 <= sound_s <= 3 * expected_s + 2.0

    def odd_rate(self, rate_hz: int) -> ImplausibleAudio | None:
        if rate_hz == self._rate_hz or not self._rate_hz or self._odd_rates >= FAILURES:
            self._rate_hz, self._odd_rates = rate_hz, 0
            return None
        self._odd_rates += 1
        return ImplausibleAudio(f"sound at {rate_hz} Hz where this voice had {self._rate_hz} Hz")
