"""PCM: mono 16-bit sound with its rate, the one form in which sound moves between rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""Shape (n,), mono, native-endian int16."""


@dataclass(frozen=True, slots=True, eq=False)
class Pcm:
    """A stretch of mono sound."""

    samples: Samples
    rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz
