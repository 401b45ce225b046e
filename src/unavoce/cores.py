"""Who computes on this machine's cores: the embedded language model and in-process engines keep out of each
other's way through this one small object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

LeaveRoom = Literal["auto", "always", "never"]
"""When speech leaves these cores to a language model: while the embedded one writes; always, for one that runs beside
this process; never."""


class Cores:
    """Counts running generations of the embedded language model. Event-loop thread only.

    `count`: cores to share; those this process may use where not given. `model_here`: a language model is embedded.
    """

    def __init__(self, count: int | None = None, *, leave_room: LeaveRoom = "auto", model_here: bool = False) -> None:
        self.count = count or _usable_cores()
        self.leave_room = leave_room
        self.model_here = model_here
        self._generating = 0

    @property
    def generating(self) -> bool:
        return self._generating > 0

    @property
    def leaves_room(self) -> bool:
        """Speech keeps to one thread now, at a lower priority while its listener has enough in hand."""
        return self.generating if self.leave_room == "auto" else self.leave_room == "always"

    @property
    def choice(self) -> str:
        """What speech may use of these cores, and why; for a person."""
        cores = "the only core" if self.count == 1 else f"all {self.count} cores"
        one = "one thread at low priority" if self.count == 1 else f"one of {self.count} cores, at low priority,"
        if self.leave_room == "always":
            return f"speech always takes {one} as it was set to"
        if not self.model_here:
            return f"speech takes {cores}: no language model is embedded here"
        if self.leave_room == "never":
            return f"speech takes {cores} also while the embedded language model writes, as it was set to"
        return f"speech takes {one} while the embedded language model writes, else {cores}"

    @contextmanager
    def generation(self) -> Iterator[None]:
        """Held by the embedded language model while it writes."""
        self._generating += 1
        try:
            yield
        finally:
            self._generating -= 1

    def speech_threads(self) -> int:
        """Threads one synthesis may use now: all cores, or one where room is to be left.

        Measured in docs/performance.md: two speech threads beside a writing model take a third of its speed.
        """
        return 1 if self.leaves_room else self.count


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
