"""A disk tier that takes its time on a virtual clock: what it does is scripted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from unavoce.cache.kept import Kept, Which


class ScriptedDisk:
    """`delay_s` gives what each look takes; a look over `limit_s` is a miss at `limit_s`, as the real tier has it."""

    def __init__(self, delay_s: Callable[[], float] = lambda: 0.0, limit_s: float = 0.25) -> None:
        self.clips: dict[str, Kept] = {}
        self.phrases: set[str] = set()
        self.looks: list[str] = []
        self.looking = 0
        self.uses: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.problem = ""
        self._delay_s = delay_s
        self._limit_s = limit_s

    async def fetch(self, key: str) -> Kept | None:
        self.looks.append(key)
        self.looking += 1
        try:
            delay_s = self._delay_s()
            await asyncio.sleep(min(delay_s, self._limit_s))
            return None if delay_s > self._limit_s else self.clips.get(key)
        finally:
            self.looking -= 1

    def keep(self, key: str, kept: Kept, *, phrase: bool = False) -> None:
        self.clips.setdefault(key, kept)
        if phrase:
            self.phrases.add(key)

    def used(self, key: str) -> None:
        self.uses[key] += 1

    def count(self, counts: dict[str, float]) -> None:
        self.counts.update(counts)

    async def most_used(self, count: int, least: int) -> list[str]:
        return [key for key, uses in self.uses.most_common(count) if uses >= least]

    async def run(self, on_clearing: Callable[[Which], None]) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None: ...
