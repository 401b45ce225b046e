"""The memory tier: clips by key, the least recently used going first. Bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict

from unavoce.cache.kept import Kept

OVERHEAD = 256
"""Bytes an entry takes beside its samples, about."""


class MemoryCache:
    """`max_bytes` 0 keeps nothing. Clips are handed out as they are kept: nobody may change their samples."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._clips: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._clips)

    def __contains__(self, key: str) -> bool:
        return key in self._clips

    @property
    def bytes(self) -> int:
        return self._bytes

    def get(self, key: str) -> Kept | None:
        """The clip, which is now the most recently used."""
        kept = self._clips.get(key)
        if kept is not None:
            self._clips.move_to_end(key)
        return kept

    def items(self) -> list[tuple[str, Kept]]:
        """Everything that is kept now."""
        return list(self._clips.items())

    def put(self, key: str, kept: Kept) -> None:
        """Keep a clip, unless it is larger than the whole tier."""
        self.remove(key)
        if _size(kept) > self.max_bytes:
            return
        kept.clip.samples.flags.writeable = False
        self._clips[key] = kept
        self._bytes += _size(kept)
        while self._bytes > self.max_bytes:
            self.remove(next(iter(self._clips)))

    def remove(self, key: str) -> None:
        kept = self._clips.pop(key, None)
        if kept is not None:
            self._bytes -= _size(kept)


def _size(kept: Kept) -> int:
    return kept.clip.samples.nbytes + OVERHEAD
