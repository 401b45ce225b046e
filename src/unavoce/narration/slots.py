"""Engine slots: they go to the sentence whose listener runs dry first, and to another one between two steps of an
engine that computes in steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from unavoce.chain.chain import Chain
from unavoce.narration.synthesis import NEVER_DUE, Synthesis


class Load(NamedTuple):
    """Sentences that wait for an engine, those it is making, and how many it makes at a time."""

    waiting: int
    running: int
    slots: int


class Slots:
    """Who waits for an engine and who has it. `run` begins a synthesis that got a slot; `give_way` ends one that nobody
    listens for, so that its slot comes free."""

    def __init__(
        self,
        chain: Chain,
        run: Callable[[Synthesis], asyncio.Task[None]],
        give_way: Callable[[Synthesis], None],
    ) -> None:
        self._chain = chain
        self._run = run
        self._give_way = give_way
        self._waiting: dict[str, list[Synthesis]] = {engine.name: [] for engine in chain.engines}
        self._running: dict[str, list[Synthesis]] = {engine.name: [] for engine in chain.engines}

    @property
    def running(self) -> int:
        """Sentences in synthesis."""
        return sum(map(len, self._running.values()))

    @property
    def waiting(self) -> int:
        """Sentences that wait for a slot."""
        return sum(map(len, self._waiting.values()))

    def load(self, name: str) -> Load:
        """How busy an engine is."""
        slots = self._chain.engine(name).max_concurrency
        return Load(len(self._waiting[name]), len(self._running[name]), slots)

    def late_s(self, name: str) -> float:
        """How long the most urgent sentence that waits for an engine is overdue; 0 where none is."""
        due_s = min((synthesis.due_s for synthesis in self._waiting[name]), default=NEVER_DUE)
        return max(0.0, asyncio.get_running_loop().time() - due_s)

    def ask(self, synthesis: Synthesis) -> None:
        """Stand in line; `grant` gives out what is free."""
        self._waiting[synthesis.voice.engine].append(synthesis)

    def leave(self, synthesis: Synthesis) -> None:
        """Stand in line no longer."""
        self._waiting[synthesis.voice.engine].remove(synthesis)

    def grant(self, name: str) -> None:
        """Give the engine's free slots to those who are due first, and see that listeners get theirs."""
        waiting, running = self._waiting[name], self._running[name]
        slots = self._chain.engine(name).max_concurrency
        while waiting and len(running) < slots:
            synthesis = min(waiting, key=_due_s)
            waiting.remove(synthesis)
            running.append(synthesis)
            self._set_going(synthesis)
        self._take_back(waiting, running)

    def _set_going(self, synthesis: Synthesis) -> None:
        if synthesis.paused is not None:
            if not synthesis.paused.done():  # as it is when it was cancelled a moment ago
                synthesis.paused.set_result(None)
            return
        synthesis.task = self._run(synthesis)
        # Also when the task is cancelled before it ever ran.
        synthesis.task.add_done_callback(partial(self._release, synthesis))

    async def turn(self, synthesis: Synthesis) -> None:
        """Between two steps of `synthesis`, which has a slot: returns when it is its turn, at once unless a sentence
        that waits is due sooner. That one goes first then, and the time does not count as the engine's."""
        name = synthesis.voice.engine
        waiting = self._waiting[name]
        if not waiting or min(map(_due_s, waiting)) >= synthesis.due_s:
            return
        loop = asyncio.get_running_loop()
        synthesis.paused, paused_at_s = loop.create_future(), loop.time()
        self._running[name].remove(synthesis)
        waiting.append(synthesis)
        self.grant(name)
        await synthesis.paused
        synthesis.paused = None
        if synthesis.engaged_at_s is not None:
            synthesis.engaged_at_s += loop.time() - paused_at_s

    def _take_back(self, waiting: list[Synthesis], running: list[Synthesis]) -> None:
        """Listeners wait for a slot: what nobody listens for (late clips, our own phrases) gives its slot up."""
        needed = sum(one.due_s < NEVER_DUE for one in waiting) - sum(not one.claims for one in running)
        for synthesis in [one for one in running if one.claims and one.due_s == NEVER_DUE][: max(0, needed)]:
            self._give_way(synthesis)

    def _release(self, synthesis: Synthesis, _: asyncio.Task[None]) -> None:
        name = synthesis.voice.engine
        held = self._running[name] if synthesis in self._running[name] else self._waiting[name]
        held.remove(synthesis)
        self.grant(name)

    def silent_since_s(self, synthesis: Synthesis) -> float | None:
        """Since when its engine has kept silent, loop time; None where it has not been asked. While every slot is held
        by calls that nobody waits for any more, since the last of those was granted."""
        if synthesis.paused is not None:
            return None
        if synthesis.engaged_at_s is not None:
            return synthesis.engaged_at_s
        holding = self._running[synthesis.voice.engine]
        if any(one.engaged_at_s is None or one.due_s < NEVER_DUE or one.pieces for one in holding):
            return None
        return max((one.engaged_at_s for one in holding if one.engaged_at_s is not None), default=None)

    def taken_for_s(self, name: str) -> float:
        """Expected seconds until an engine is free of a call that nobody waits for any more but that it will not stop,
        where such calls hold its last slots; else 0."""
        running = self._running[name]
        if len(running) < self._chain.engine(name).max_concurrency:
            return 0.0
        now_s = asyncio.get_running_loop().time()
        ends_s = [
            one.engaged_at_s + self._chain.synthesis_s(one.voice, len(one.spoken))
            for one in running
            if not one.claims and one.engaged_at_s is not None
        ]
        return max(0.0, min(ends_s, default=now_s) - now_s)

    def hurry(self) -> None:
        """Cancel what runs once more: nobody waits any more until a server has finished."""
        for running in self._running.values():
            for synthesis in running:
                if synthesis.task is not None:
                    synthesis.task.cancel()


def _due_s(synthesis: Synthesis) -> float:
    return synthesis.due_s
