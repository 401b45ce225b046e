"""What one engine has done since the start, counted. For the health report and the metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from unavoce.errors import EngineError, EngineRefused, EngineUnavailable, ImplausibleAudio


@dataclass(slots=True)
class Tally:
    """Counts only grow. Seconds, code points."""

    clips: int = 0
    """Whole and believed."""
    sound_s: float = 0.0
    synthesis_s: float = 0.0
    characters: int = 0
    """Asked for, whole or not: what is paid for."""
    failures: Counter[str] = field(default_factory=Counter)
    """By kind: `unavailable`, `refused`, `implausible`, `late`, `failed`."""
    changes: Counter[str] = field(default_factory=Counter)
    """How often it became `healthy`, `slow`, `down`."""


def kind_of(error: EngineError) -> str:
    """The kind under which a failure is counted."""
    kinds = {EngineUnavailable: "unavailable", EngineRefused: "refused", ImplausibleAudio: "implausible"}
    return next((kind for error_class, kind in kinds.items() if isinstance(error, error_class)), "failed")
