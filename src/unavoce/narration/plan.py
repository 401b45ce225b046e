"""How a reply is to be spoken, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from unavoce.chain.cast import VoiceSwitch
from unavoce.chain.chain import Casting
from unavoce.engines.base import Engine
from unavoce.narration.encoder import Encoder
from unavoce.narration.events import Chunk, Event
from unavoce.narration.renditions import Renditions

SENT_AHEAD_S = 30.0
"""Sound is sent at most this far ahead of the playback clock; it bounds what a listener must hold."""


LONGEST_SENTENCE = 300
"""Code points; a longer one is cut at its best clause."""


def longest_sentence(engines: Iterable[Engine]) -> int:
    """Displayed characters of a sentence, so that its spoken form (numbers grow) fits every engine in one call."""
    return min([LONGEST_SENTENCE, *(engine.max_chars * 3 // 4 for engine in engines)])


class Listener(Protocol):
    """Whoever a reply is for."""

    def tell(self, event: Event) -> None:
        """Takes an event of the reply at once."""

    async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
        """Takes a chunk, waiting while the listener cannot take more.

        Calls `taken` at the moment the chunk leaves; when cancelled before that, the chunk must not leave.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """Fixed when the reply begins."""

    casting: Casting | None
    """Who may speak it (`Chain.casting`); None: text only."""
    encoder: Encoder
    voice_switch: VoiceSwitch = "once"
    primary_timeout_s: float = 3.0
    """How long the first sentence may wait for the first voice, while there is another."""
    hedge: bool = True
    """Start the next voice before the deadline, so that it is ready at it."""
    pace_check: bool = True
    """Move a reply whole, before it is heard, from an engine that will not hold the pace."""
    early_clauses: bool = True
    """Speak the beginning of a long sentence before the rest is known, where that brings sound sooner and no gap."""
    rate_hz: int = 24_000
    max_parallel: int = 2
    """Sentences in synthesis at a time."""
    max_chars: int = 100_000
    """Longest text of one reply, in code points; more ends it as failed."""
    language: str = "en"
    renditions: Renditions = field(default_factory=Renditions)
    """How sentences left before, of whatever reply."""
    sent_ahead_s: float | None = SENT_AHEAD_S
    """None: as fast as the listener takes it."""
