"""Re-checks every clip on disk, and brings files and index into agreement. Blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unavoce.cache.disk.clip_file import DamagedClip
from unavoce.cache.disk.folder import SHARDS
from unavoce.cache.disk.tier import DiskCache
from unavoce.errors import CacheError


@dataclass(slots=True)
class Verdict:
    """What was found."""

    checked: int = 0
    """Clips read and compared with their digest."""
    damaged: int = 0
    """Of these: not what was written, or not to be read; removed."""
    adopted: int = 0
    """Whole files that the index did not know of."""
    missing: int = 0
    """Entries of the index whose file is gone."""
    strangers: int = 0
    """Files that are none of the cache's; left alone."""


def count_files(disk: DiskCache) -> int:
    """How many clips `verify` will read."""
    return sum(1 for shard in disk.folder.shards() for _ in disk.folder.keys(shard))


def verify(disk: DiskCache, *, step: Callable[[], None], damaged: Callable[[str, str], None]) -> Verdict:
    """Read every clip, remove those that are damaged, and set the index right.

    `step` is called for each clip, `damaged` with the key of one that is and why. Safe beside running servers: what
    they write or remove meanwhile is neither damaged nor missing. Raises CacheError.
    """
    verdict = Verdict()
    disk.check_index()
    for shard in SHARDS:
        for key in list(disk.folder.keys(shard)):
            if reason := _check(disk, key, verdict):
                damaged(key, reason)
            step()
        missing, adopted = disk.reconcile(shard)
        verdict.missing += missing
        verdict.adopted += adopted
    verdict.strangers = sum(1 for _ in disk.folder.strangers())
    return verdict


def _check(disk: DiskCache, key: str, verdict: Verdict) -> str:
    """Why the clip is damaged, and was removed; empty where it is whole."""
    try:
        if disk.read(key) is None and not disk.has(key):
            return ""  # a running server has made room of it since
    except DamagedClip as error:
        disk.discard(key)
        _raise_trouble(disk)
        verdict.checked += 1
        verdict.damaged += 1
        return str(error)
    verdict.checked += 1
    return ""


def _raise_trouble(disk: DiskCache) -> None:
    """What the disk cache keeps to itself for the sake of speech is told to a person."""
    if disk.problem:
        raise CacheError(disk.problem)
