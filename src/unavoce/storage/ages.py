"""How old something that is kept may become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAY_S: Final = 86_400.0
RELEASED: Final = 1_790_000_000.0
"""A clock before September 2026 is one that has not been set yet: by it nothing is too old."""


@dataclass(frozen=True, slots=True)
class MaxAge:
    """A greatest age."""

    age_s: float

    def oldest(self, now: float) -> float:
        """What was made before is too old. Unix time, as `now` is."""
        return now - self.age_s if now > RELEASED else float("-inf")

    def latest(self, now: float) -> float:
        """What claims to be made later was dated by a wrong clock: it is not kept, since it might never grow old."""
        return now + DAY_S if now > RELEASED else float("inf")

    def passed(self, made_at: float, now: float) -> bool:
        return not self.oldest(now) <= made_at <= self.latest(now)
