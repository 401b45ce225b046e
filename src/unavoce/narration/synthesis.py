"""One running synthesis and the claims that replies hold on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.engines.base import Voice
from unavoce.errors import EngineError, ImplausibleAudio

MAX_CLIP_S = 180.0
"""No sentence is this long; an engine that sends more is broken and would fill the memory."""

Key = tuple[Voice, str]


class Synthesis:
    """The making of one clip. Belongs to the stage; many replies may hold claims on it."""

    def __init__(self, voice: Voice, spoken: str) -> None:
        self.key: Key = (voice, spoken)
        self.voice = voice
        self.spoken = spoken
        self.pieces: list[Pcm] = []
        self.claims: list[Claim] = []
        self.task: asyncio.Task[None] | None = None
        self.finished = False
        self.error: EngineError | None = None
        self.granted_at_s: float | None = None
        """When it got its slot, loop time; its engine's health counts from here."""
        self.first_sound_at_s: float | None = None
        self._duration_s = 0.0
        self._changed = asyncio.Event()

    @property
    def due_s(self) -> float:
        """The most urgent claimant's deadline, loop time."""
        return min((claim.due_s for claim in self.claims), default=float("inf"))

    def emit(self, piece: Pcm) -> None:
        """Takes the engine's sound (`unavoce.engines.base.Emit`). Raises ImplausibleAudio."""
        if self.pieces and piece.rate_hz != self.pieces[0].rate_hz:
            raise ImplausibleAudio(f"the rate changed from {self.pieces[0].rate_hz} to {piece.rate_hz} Hz in mid-clip")
        self._duration_s += piece.duration_s
        if self._duration_s > MAX_CLIP_S:
            raise ImplausibleAudio(f"more than {MAX_CLIP_S:g} s of sound for {len(self.spoken)} characters")
        if len(piece.samples):
            if self.first_sound_at_s is None:
                self.first_sound_at_s = asyncio.get_running_loop().time()
            self.pieces.append(piece)
            self._wake()

    def finish(self, error: EngineError | None) -> None:
        """No more sound comes; without an error the clip is whole."""
        self.error = error
        self.finished = True
        self._wake()
        for claim in tuple(self.claims):
            claim.when_done()

    @property
    def duration_s(self) -> float:
        """Seconds of sound so far."""
        return self._duration_s

    def clip(self) -> Pcm:
        """All of the sound so far; needs at least one piece."""
        return Pcm(np.concatenate([piece.samples for piece in self.pieces]), self.pieces[0].rate_hz)

    async def change(self) -> None:
        """Returns at the next piece, or at the end."""
        await self._changed.wait()

    def implausible(self) -> EngineError | None:
        """Why the sound there is cannot be the text; None when it can."""
        if not self.pieces:
            return ImplausibleAudio("no sound came")
        reason = implausible(self.clip(), self.spoken)
        return ImplausibleAudio(reason) if reason else None

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Claim:
    """One reply's wish for a clip. Withdraw it when the clip is no longer wanted."""

    def __init__(
        self,
        synthesis: Synthesis,
        due_s: float,
        when_done: Callable[[], None],
        withdraw: Callable[[Claim], None],
    ) -> None:
        self._synthesis = synthesis
        self._withdraw = withdraw
        self.due_s = due_s
        self.when_done = when_done

    @property
    def synthesis(self) -> Synthesis:
        return self._synthesis

    @property
    def done(self) -> bool:
        """Nothing is being computed for it any more: the clip is whole, or it failed."""
        return self._synthesis.finished

    @property
    def sounds(self) -> bool:
        """There is sound to be heard, and nothing is known to be wrong with it."""
        return bool(self._synthesis.pieces) and not self.failed

    @property
    def failed(self) -> bool:
        return self._synthesis.error is not None

    async def sounding(self) -> None:
        """Returns at the first sound, or at the end without any."""
        while not (self._synthesis.pieces or self._synthesis.finished):
            await self._synthesis.change()

    def withdraw(self) -> None:
        """The clip is not wanted here any more. The last claim to go cancels the synthesis. May be called again."""
        self._withdraw(self)

    async def parts(self) -> AsyncIterator[tuple[Pcm, bool]]:
        """The sound as it is made, with True beside the last piece where that is known already.

        Raises the engine's EngineError where the sound breaks off.
        """
        synthesis, taken = self._synthesis, 0
        while True:
            while taken < len(synthesis.pieces):
                taken += 1
                whole = synthesis.finished and synthesis.error is None
                yield synthesis.pieces[taken - 1], whole and taken == len(synthesis.pieces)
            if synthesis.finished:
                if synthesis.error is not None:
                    raise synthesis.error
                return
            await synthesis.change()
