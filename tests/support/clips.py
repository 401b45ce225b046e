"""Clips for tests of the cache: each number has a key and a sound of its own, so that a wrong one is told at once."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unavoce.audio.pcm import Pcm, Samples
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.kept import Kept
from unavoce.engines.base import Voice

VOICE = Voice("fake", "tone", "en")
RATE_HZ = 8_000
MADE_AT = 1_800_000_000.0
"""When clips of tests are made, unless told: in 2027."""
ANY_SIZE = Limits(reserve_bytes=0)


def key(number: int) -> str:
    """A key as the cache makes them; all of its shards are used."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def samples(number: int, count: int = 40) -> Samples:
    """A sound that no other number has."""
    return np.random.default_rng(number).integers(-9_000, 9_000, count).astype(np.int16)


def kept(number: int = 0, count: int = 40, *, voice: Voice = VOICE, made_at: float = MADE_AT) -> Kept:
    return Kept(Pcm(samples(number, count), RATE_HZ), voice, made_at, 0.5, 0.001)


def same(one: Kept | None, other: Kept | None) -> bool:
    """Whether it is the same clip, in every sample and in all that is said of it."""
    if one is None or other is None:
        return one is other
    said = [(clip.voice, clip.clip.rate_hz, clip.made_at, clip.synthesis_s, clip.cost) for clip in (one, other)]
    return said[0] == said[1] and np.array_equal(one.clip.samples, other.clip.samples)


def fingerprint(clip: Kept) -> int:
    """Of the samples: what tells one clip from another."""
    return zlib.crc32(clip.clip.samples.tobytes())


def path_of(folder: Path, name: str) -> Path:
    """Where the clip of a key lies."""
    return folder / "clips" / name[:2] / f"{name}.wav"


def files(folder: Path) -> dict[str, int]:
    """What clips really lie on the disk: sizes by key."""
    return {path.stem: path.stat().st_size for path in (folder / "clips").glob("*/*.wav")}


def tidied(disk: DiskCache) -> DiskCache:
    """After everything that is to be done to the folder was done."""
    while disk.tidy():
        pass
    return disk


@dataclass(slots=True)
class Clock:
    """Both clocks of a disk cache, to be set by hand: of the day (`now_s`, Unix time) and since the start."""

    now_s: float = MADE_AT
    since_start_s: float = 1_000.0

    def now(self) -> float:
        return self.now_s

    def monotonic(self) -> float:
        return self.since_start_s
