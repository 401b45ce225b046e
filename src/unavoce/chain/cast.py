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
    """`voices`: in the chain's order, the wanted one first, at most one of each engine. `asking`: those whose engines
    may be asked, in the order in which they are; the others rest, and are heard only in clips that are at hand.
    """

    def __init__(
        self, voices: Sequence[Voice], voice_switch: VoiceSwitch = "once", asking: Sequence[Voice] | None = None
    ) -> None:
        self._voices = tuple(voices)
        self._switch = voice_switch
        self._asking = tuple(voices if asking is None else asking)
        self._heard: list[Voice] = []
        self.voice = self._asking[0]
        """Who is asked now."""

    @property
    def rests(self) -> bool:
        """Nobody may be asked any more: the lock holds the reply to a voice whose engine rests."""
        return self.voice not in self._asking

    @property
    def understudy(self) -> Voice | None:
        """Whom the reply may move to; None where the lock or the chain's end forbids it."""
        return self.after(self.voice)

    def after(self, voice: Voice) -> Voice | None:
        """Whom it may move to if `voice` does not speak."""
        if voice not in self._asking:
            return None
        later = self._asking[self._asking.index(voice) + 1 :]
        return next((one for one in later if self._allowed(one)), None)

    @property
    def audible(self) -> tuple[Voice, ...]:
        """Every voice that the lock allows to be heard next, resting ones too, in the chain's order."""
        return tuple(voice for voice in self._voices if self._allowed(voice))

    @property
    def begun(self) -> bool:
        """Something was heard."""
        return bool(self._heard)

    def heard(self, voice: Voice) -> None:
        """A chunk in `voice` has left. Raises ValueError where the lock forbids it."""
        if not self._allowed(voice):
            raise ValueError(f"the reply may not be heard in {voice.name} any more")
        if voice not in self._heard:
            self._heard.append(voice)
        if not self._allowed(self.voice):
            self.voice = self.understudy or voice

    def move(self) -> Voice:
        """Go on with the understudy, for all that was not heard yet. Raises ValueError where there is none."""
        understudy = self.understudy
        if understudy is None:
            raise ValueError("the reply may not change its voice any more")
        self.voice = understudy
        return understudy

    def _allowed(self, voice: Voice) -> bool:
        """Whether a chunk may be heard in `voice`."""
        if not self._heard or voice == self._heard[-1]:
            return True
        later = self._voices.index(voice) > self._voices.index(self._heard[0])
        return self._switch == "once" and len(self._heard) == 1 and later
