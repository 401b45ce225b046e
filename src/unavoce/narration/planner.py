"""How replies are to be spoken here: what the operator set, and what the caller asks for, as a plan for one reply."""

from __future__ import annotations

from dataclasses import dataclass

from unavoce.chain.cast import VoiceSwitch
from unavoce.narration.encoder import Encoder, Format
from unavoce.narration.plan import SENT_AHEAD_S, Plan
from unavoce.narration.renditions import Renditions
from unavoce.narration.stage import Stage


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """How sound leaves unless a caller asks otherwise."""

    rate_hz: int = 24_000
    format: Format = "wav"
    opus_bitrate: int = 32_000
    rendition_bytes: int = 0
    """Kept of sentences as they left, so that they need not be encoded again."""
    max_parallel: int = 2
    voice_switch: VoiceSwitch = "once"
    primary_timeout_s: float = 3.0
    hedge: bool = True
    pace_check: bool = True
    early_clauses: bool = True
    max_chars: int = 100_000
    """Of a reply's text, in code points."""


class Planner:
    """Makes the plan of each reply; all of them share the sentences that left before."""

    def __init__(self, stage: Stage, sound: SoundSettings) -> None:
        self._chain = stage.chain
        self._sound = sound
        self._renditions = Renditions(sound.rendition_bytes)
        stage.cache.watch(self._renditions.clear)

    def plan(
        self,
        voice: str | None = None,
        speed: float = 1.0,
        *,
        format: Format | None = None,
        speak: bool = True,
        rate_hz: int | None = None,
        sent_ahead_s: float | None = SENT_AHEAD_S,
    ) -> Plan:
        """A plan for a reply in `voice` (`Chain.find_voice`). `rate_hz`: another rate than the operator's.

        Raises RequestError `unknown_voice` or `invalid`.
        """
        sound = self._sound
        casting = self._chain.casting(self._chain.find_voice(voice, speed), speed)
        return Plan(
            casting=casting if speak else None,
            encoder=Encoder(format or sound.format, sound.opus_bitrate),
            voice_switch=sound.voice_switch,
            primary_timeout_s=sound.primary_timeout_s,
            hedge=sound.hedge,
            pace_check=sound.pace_check,
            early_clauses=sound.early_clauses,
            rate_hz=rate_hz or sound.rate_hz,
            max_parallel=sound.max_parallel,
            max_chars=sound.max_chars,
            language=casting.voices[0].language,
            renditions=self._renditions,
            sent_ahead_s=sent_ahead_s,
        )
