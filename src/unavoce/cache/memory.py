"""The memory tier: clips by key, the least recently used going first. Bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict

from unavoce.audio.pcm import Pcm

OVERHEAD = 256
"""Bytes an entry takes beside its samples, about."""


class MemoryCache:
    """`max_bytes` 0 keeps nothing. Clips are handed out as they are kept: nobody may change their samples."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._clips: OrderedDict[str, Pcm] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._clips)

    def __contains__(self, key: str) -> bool:
        return key in self._clips

    @property
    def bytes(self) -> int:
        return self._bytes

    def get(self, key: str) -> Pcm | None:
        """The clip, which is now the most recently used."""
        clip = self._clips.get(key)
        if clip is not None:
            self._clips.move_to_end(key)
        return clip

    def put(self, key: str, clip: Pcm) -> None:
        """Keep a clip, unless it is larger than the whole tier."""
        self.remove(key)
        if _size(clip) > self._max_bytes:
            return
        clip.samples.flags.writeable = False
        self._clips[key] = clip
        self._bytes += _size(clip)
        while self._bytes > self._max_bytes:
            self.remove(next(iter(self._clips)))

    def remove(self, key: str) -> None:
        clip = self._clips.pop(key, None)
        if clip is not None:
            self._bytes -= _size(clip)


def _size(clip: Pcm) -> int:
    return clip.samples.nbytes + OVERHEAD
