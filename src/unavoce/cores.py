"""Who computes on this machine's cores: the embedded language model and in-process engines keep out of each
other's way through this one small object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class Cores:
    """Counts running generations of the embedded language model. Event-loop thread only."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or _usable_cores()
        self._generating = 0

    @property
    def generating(self) -> bool:
        return self._generating > 0

    @contextmanager
    def generation(self) -> Iterator[None]:
        """Held by the embedded language model while it writes."""
        self._generating += 1
        try:
            yield
        finally:
            self._generating -= 1

    def speech_threads(self) -> int:
        """Threads one synthesis may use now: all cores when no embedded model is writing, else one.

        Measured in docs/performance.md: two speech threads beside a writing model bring no sooner sound.
        """
        return 1 if self.generating else self.count


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
