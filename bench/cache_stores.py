"""Three ways to keep clips on disk behind one face: ours, `diskcache`, and plain files. All of it blocks."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

import diskcache  # type: ignore[import-untyped]
import numpy as np

from unavoce.audio.pcm import Pcm, Samples
from unavoce.cache.disk.clip_file import pack
from unavoce.cache.disk.folder import ClipFolder
from unavoce.cache.disk.index import Index, Row
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.kept import Kept
from unavoce.engines.base import Voice

RATE_HZ: Final = 24_000
VOICE: Final = Voice("bench", "noise", "en", model="0" * 64)
UNBOUNDED_BYTES: Final = 1 << 50
BATCH: Final = 1000
"""Clips in one transaction when a store is filled beforehand."""


class Store(Protocol):
    """Opened by making it; `close` ends what the calling thread has opened."""

    def put(self, key: str, kept: Kept) -> None: ...
    def get(self, key: str) -> Samples | None: ...
    def fill(self, keys: list[str], kept: Kept) -> None:
        """Keep the same sound under every key, in fewer transactions than one by one."""

    def close(self) -> None: ...


class Ours:
    """The disk tier as it is, with a bound in bytes."""

    def __init__(self, folder: Path, max_bytes: int = UNBOUNDED_BYTES) -> None:
        self.disk = DiskCache(folder, Limits(max_bytes=max_bytes, max_entries=1 << 40, reserve_bytes=0))

    def put(self, key: str, kept: Kept) -> None:
        if not self.disk.put(key, kept):
            raise RuntimeError(f"the clip was not kept: {self.disk.problem}")

    def get(self, key: str) -> Samples | None:
        kept = self.disk.read(key)
        return kept.clip.samples if kept else None

    def fill(self, keys: list[str], kept: Kept) -> None:
        folder = ClipFolder(self.disk.folder.path)
        folder.create()
        index = Index(folder.path / "index.sqlite")
        for begin in range(0, len(keys), BATCH):
            with index.writing():
                for key in keys[begin : begin + BATCH]:
                    data = pack(key, kept)
                    index.add(Row(key, len(data), VOICE.engine, VOICE.name, kept.made_at))
                    folder.write(key, data)
        index.close()

    def close(self) -> None:
        self.disk.close()


class DiskcacheStore:
    """`diskcache.Cache`, the least recently used going first, as the issue asks; else its defaults.

    Every clip is a file, as it is from 32 KB on by default, so that small ones stand for large ones.
    """

    policy = "least-recently-used"

    def __init__(self, folder: Path, max_bytes: int = UNBOUNDED_BYTES) -> None:
        self._cache = diskcache.Cache(
            str(folder), size_limit=max_bytes, eviction_policy=self.policy, disk_min_file_size=0
        )

    def put(self, key: str, kept: Kept) -> None:
        self._cache.set(key, kept.clip.samples.tobytes(), retry=True)

    def get(self, key: str) -> Samples | None:
        data = self._cache.get(key, retry=True)
        return None if data is None else np.frombuffer(data, np.int16)

    def fill(self, keys: list[str], kept: Kept) -> None:
        for begin in range(0, len(keys), BATCH):
            with self._cache.transact(retry=True):
                for key in keys[begin : begin + BATCH]:
                    self.put(key, kept)

    def close(self) -> None:
        self._cache.close()


class DiskcacheByDefault(DiskcacheStore):
    """The one stored longest ago goes first, however often it is used: a `get` then writes nothing."""

    policy = "least-recently-stored"


class Plain:
    """A file per clip in 256 folders, and nothing else: no index, no bound, no check, torn by a kill."""

    def __init__(self, folder: Path, max_bytes: int = UNBOUNDED_BYTES) -> None:
        self._folder = folder

    def put(self, key: str, kept: Kept) -> None:
        path, data = self._path(key), kept.clip.samples.tobytes()
        try:
            path.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def get(self, key: str) -> Samples | None:
        try:
            return np.frombuffer(self._path(key).read_bytes(), np.int16)
        except FileNotFoundError:
            return None

    def fill(self, keys: list[str], kept: Kept) -> None:
        for key in keys:
            self.put(key, kept)

    def close(self) -> None:
        pass

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


OURS, DISKCACHE, BY_DEFAULT, PLAIN = "unavoce", "diskcache", "diskcache, by default", "plain files"
STORES: Final[Mapping[str, Callable[..., Store]]] = {OURS: Ours, DISKCACHE: DiskcacheStore, PLAIN: Plain}
WITH_DEFAULT: Final[Mapping[str, Callable[..., Store]]] = {
    OURS: Ours,
    DISKCACHE: DiskcacheStore,
    BY_DEFAULT: DiskcacheByDefault,
    PLAIN: Plain,
}


def key(name: object) -> str:
    """A key as clips have it."""
    return hashlib.sha256(str(name).encode()).hexdigest()


def noise(size_bytes: int) -> Kept:
    """A clip of so many bytes of sound; always the same."""
    samples = np.random.default_rng(size_bytes).integers(-9000, 9000, size_bytes // 2, np.int16)
    return Kept(Pcm(samples, RATE_HZ), VOICE, time.time(), synthesis_s=1.0)
