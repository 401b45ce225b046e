"""The cast of one reply: which of the chain's voices speaks. Holds the voice lock (invariant 3). Pure.

Over a reply's chunks the voices read p…p or p…pf…f: the reply may move along the chain freely while nothing was heard,
once after it was heard in one voice, and never back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from unavoce.engines.base import Voice

VoiceSwitch = Literal["once", "never"]
"""`once`: a reply that was heard may move to a later engine one time. `never`: it keeps the voice it was heard in."""


class Cast:
    """`voices`: at least one, the wanted one first, at most one of each engine."""

    def __init__(self, voices: Sequence[Voice], voice_switch: VoiceSwitch = "once") -> None:
        self._voices = tuple(voices)
        self._switch = voice_switch
        self._at = 0
        self._heard: list[int] = []

    @property
    def voice(self) -> Voice:
        """Who speaks now."""
        return self._voices[self._at]

    @property
    def understudy(self) -> Voice | None:
        """Whom the reply may move to; None where the lock or the chain's end forbids it."""
        if self._locked or self._at + 1 == len(self._voices):
            return None
        return self._voices[self._at + 1]

    def heard(self) -> None:
        """A chunk in the present voice has left."""
        if self._at not in self._heard:
            self._heard.append(self._at)

    def move(self) -> Voice:
        """Go on with the understudy, for all that was not heard yet. Raises ValueError where there is none."""
        if self.understudy is None:
            raise ValueError("the reply may not change its voice any more")
        self._at += 1
        return self.voice

    @property
    def _locked(self) -> bool:
        return len(self._heard) >= (1 if self._switch == "never" else 2)
