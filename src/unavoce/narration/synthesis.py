"""One running synthesis and the claims that replies hold on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import numpy as np

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.cache.cache import Recalled, Source
from unavoce.chain.health import Measured
from unavoce.engines.base import Voice
from unavoce.errors import EngineError, ImplausibleAudio

MAX_CLIP_S = 180.0
"""No sentence is this long; an engine that sends more is broken and would fill the memory."""

FIRST_PART_S = 0.6
"""Of a clip at hand: how much of it leaves first. It takes 1 ms to shape, and gives a listener enough to go on with."""

NEVER_DUE = float("inf")
"""The deadline of what nobody listens for."""

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
        self.recalled: Recalled | None = None
        """As the cache had it, where no engine was asked."""
        self.sought = False
        """It is looked for on disk."""
        self.phrase = False
        """It is one that is kept warm."""
        self.warming = False
        """It is made before anybody wants it, and gives way to whoever wants something."""
        self.silent = False
        """It was given up in mid-sentence: who wants the clip next asks anew."""
        self.late = False
        """No reply waits for it any more; it goes on for the cache, as long as nobody needs its slot."""
        self.granted_at_s: float | None = None
        """When it first got its slot, loop time."""
        self.engaged_at_s: float | None = None
        """The same as if it had kept it since: its engine's health counts from here."""
        self.paused: asyncio.Future[None] | None = None
        """Done when it gets its slot back; None where it has it, or never had it."""
        self.work_s = 0.0
        """Told of its steps; 0 where its engine has none."""
        self.start_s: float | None = None
        """From its slot to its first sound."""
        self.awaited = True
        """Its engine began it for somebody who waits."""
        self.finished_at_s: float | None = None
        self._duration_s = 0.0
        self._changed = asyncio.Event()

    def recall(self, found: Recalled) -> None:
        """It was made before: no engine need be asked."""
        self.recalled = found
        self.pieces, self._duration_s = in_parts(found.clip), found.clip.duration_s
        self.finish(None)

    @property
    def due_s(self) -> float:
        """The most urgent claimant's deadline, loop time."""
        return min((claim.due_s + claim.in_hand_s for claim in self.claims), default=NEVER_DUE)

    def in_hand_s(self) -> float:
        """Seconds until the first of its listeners runs dry (`unavoce.engines.base.InHand`).

        One who has heard nothing of the reply yet has nothing in hand but what is there of its first sentence.
        """
        in_hand_s = self.due_s - asyncio.get_running_loop().time()
        waiting = [claim.in_hand_s for claim in self.claims if claim.waits]
        return min([in_hand_s, *waiting])

    def emit(self, piece: Pcm) -> None:
        """Takes the engine's sound (`unavoce.engines.base.Emit`). Raises ImplausibleAudio."""
        if self.pieces and piece.rate_hz != self.pieces[0].rate_hz:
            raise ImplausibleAudio(f"the rate changed from {self.pieces[0].rate_hz} to {piece.rate_hz} Hz in mid-clip")
        self._duration_s += piece.duration_s
        if self._duration_s > MAX_CLIP_S:
            raise ImplausibleAudio(f"more than {MAX_CLIP_S:g} s of sound for {len(self.spoken)} characters")
        if len(piece.samples):
            if self.start_s is None and self.engaged_at_s is not None:
                self.start_s = asyncio.get_running_loop().time() - self.engaged_at_s
            self.pieces.append(piece)
            self._wake()

    def finish(self, error: EngineError | None) -> None:
        """No more sound comes; without an error the clip is whole."""
        self.error = error
        self.finished = True
        self.finished_at_s = asyncio.get_running_loop().time()
        self._wake()
        for claim in tuple(self.claims):
            claim.when_done()

    def measured(self) -> Measured | None:
        """How it went, counted from its slot to now; None where it made no sound."""
        if self.engaged_at_s is None or self.start_s is None:
            return None
        synthesis_s = asyncio.get_running_loop().time() - self.engaged_at_s
        sound_s, work_s = self.duration_s, self.work_s
        return Measured(len(self.spoken), self.start_s, synthesis_s, sound_s, work_s, self.awaited)

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
        withdraw: Callable[[Claim, bool], None],
    ) -> None:
        self._synthesis = synthesis
        self._withdraw = withdraw
        self._taken = 0
        self._taken_s = 0.0
        self.due_s = due_s
        """When its listener has heard all that was taken of it, and all that comes before."""
        self.waits = False
        """Its listener has heard nothing of the reply yet."""
        self.when_done = when_done

    @property
    def synthesis(self) -> Synthesis:
        return self._synthesis

    @property
    def voice(self) -> Voice:
        return self._synthesis.voice

    @property
    def source(self) -> Source:
        recalled = self._synthesis.recalled
        return recalled.source if recalled else "none"

    @property
    def in_hand_s(self) -> float:
        """Seconds of its sound that are there and were not given out yet."""
        return self._synthesis.duration_s - self._taken_s

    @property
    def done(self) -> bool:
        """Nothing is being computed for it any more: the clip is whole, or it failed."""
        return self._synthesis.finished

    @property
    def sounds(self) -> bool:
        """There is sound that `parts` has not given out yet, and nothing is known to be wrong with it."""
        return len(self._synthesis.pieces) > self._taken and not self.failed

    @property
    def failed(self) -> bool:
        return self._synthesis.error is not None

    @property
    def taken(self) -> bool:
        """All of its sound is there and was given out, and nothing is known to be wrong with it."""
        return self.done and not self.failed and not self.sounds

    @property
    def more(self) -> bool:
        """There is a piece that `parts` has not given out yet, or nothing more will come."""
        return len(self._synthesis.pieces) > self._taken or self._synthesis.finished

    def take(self) -> None:
        """The sound is known already: all of it counts as given out."""
        self._taken, self._taken_s = len(self._synthesis.pieces), self._synthesis.duration_s

    async def wait(self, until_s: float | None = None) -> None:
        """Returns when there is `more`, at the latest at `until_s` (loop time)."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until_s):
                while not self.more:
                    await self._synthesis.change()

    def withdraw(self, *, late: bool = False) -> None:
        """The clip is not wanted here any more. The last claim to go cancels the synthesis. May be called again.

        `late`: it would have been welcome earlier, so one that is running may go on for the cache.
        """
        self._withdraw(self, late)

    async def parts(self) -> AsyncIterator[tuple[Pcm, bool]]:
        """The sound as it is made, with True beside the last piece where that is known already. To be asked for once.

        Raises the engine's EngineError where the sound breaks off; at once, where nothing of it was taken yet or the
        sound turned out not to be the text.
        """
        synthesis = self._synthesis
        while True:
            while self._taken < len(synthesis.pieces):
                error = synthesis.error
                if error is not None and (self._taken == 0 or isinstance(error, ImplausibleAudio)):
                    raise error
                piece = synthesis.pieces[self._taken]
                self._taken += 1
                self._taken_s += piece.duration_s
                whole = synthesis.finished and error is None
                yield piece, whole and self._taken == len(synthesis.pieces)
            if synthesis.finished:
                if synthesis.error is not None:
                    raise synthesis.error
                return
            await synthesis.change()


def in_parts(clip: Pcm) -> list[Pcm]:
    """The clip in parts, each twice as long as the one before, so that a listener gets the first one soon and has every
    other one in time at twice the pace of its own playing."""
    parts: list[Pcm] = []
    start, length = 0, round(FIRST_PART_S * clip.rate_hz)
    # What would be a short last part goes with the one before it.
    while (left := len(clip.samples) - start) > length * 3 // 2:
        parts.append(Pcm(clip.samples[start : start + length], clip.rate_hz))
        start, length = start + length, 2 * length
    return [*parts, Pcm(clip.samples[start:], clip.rate_hz)] if left or not parts else parts
