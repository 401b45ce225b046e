"""The cache in front of the engines: what was spoken once comes back at once, in the same voice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from unavoce.audio.pcm import Pcm
from unavoce.cache.key import key_of
from unavoce.cache.memory import MemoryCache
from unavoce.engines.base import Voice

Source = Literal["memory", "disk", "none"]
"""Where a clip came from; `none`: an engine."""


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """A clip that was kept."""

    clip: Pcm
    source: Source


class Cache:
    """Serves a clip for exactly the voice and the spoken text it was made from."""

    def __init__(self, memory: MemoryCache) -> None:
        self._memory = memory
        self.hits: Counter[Source] = Counter()
        """Clips served, by where they came from; `none`: looked for in vain."""

    def __contains__(self, wanted: tuple[Voice, str]) -> bool:
        """Whether a voice's clip of a text is at hand; does not count as a use."""
        return key_of(*wanted) in self._memory

    @property
    def entries(self) -> int:
        return len(self._memory)

    @property
    def bytes(self) -> int:
        return self._memory.bytes

    def recall(self, voice: Voice, spoken: str) -> Recalled | None:
        clip = self._memory.get(key_of(voice, spoken))
        source: Source = "none" if clip is None else "memory"
        self.hits[source] += 1
        return None if clip is None else Recalled(clip, source)

    def keep(self, voice: Voice, spoken: str, clip: Pcm) -> None:
        """Keep a clip that is whole and plausible."""
        self._memory.put(key_of(voice, spoken), clip)
