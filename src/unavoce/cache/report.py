"""What the cache says of itself: one document for `unavoce cache stats --json` and for `GET /api/cache`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from unavoce.cache.cache import Source
from unavoce.cache.disk.tier import DiskCache
from unavoce.errors import REMEDY, CacheError

TIERS: Final[tuple[Source, ...]] = ("memory", "disk", "none")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the disk tier counts."""

    sums: Mapping[str, float]
    voices: Sequence[tuple[str, str, int, int]]
    """Engine, voice, entries, bytes; the largest first."""
    problem: str = ""
    """Why nothing is written, with the remedy."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory tier of a server."""

    entries: int
    bytes: int
    max_bytes: int


def figures(disk: DiskCache) -> Figures:
    """Read them; makes no folder where there is none. Blocks. Raises CacheError."""
    if not disk.folder.path.exists():
        return Figures({}, ())
    sums, voices = disk.sums(), disk.by_voice()
    return Figures(sums, voices, disk.problem or unwritable(disk) or nearly_full(disk))


def unwritable(disk: DiskCache) -> str:
    """Why nothing can be written into its folder, with the remedy; empty where it can. Blocks."""
    path = disk.folder.path
    there = [folder for folder in (path, path / "clips") if folder.exists()]
    if all(os.access(folder, os.W_OK | os.X_OK) for folder in there):
        return ""
    return f"the cache in {path} is read-only{REMEDY}make it writable, or set UNAVOCE_CACHE_DIR to another"


def nearly_full(disk: DiskCache) -> str:
    """That too little room is left on its disk to keep more, with the remedy; empty where there is enough. Blocks."""
    free, reserve = shutil.disk_usage(disk.folder.path).free, disk.limits.reserve_bytes
    if free > reserve:
        return ""
    return (
        f"the disk is nearly full ({free >> 20} MiB left){REMEDY}make room: below {reserve >> 20} MiB no more is kept"
    )


def document(disk: DiskCache, found: Figures | None, problem: str = "", memory: Memory | None = None) -> Document:
    """All of it, in the wire's names. `found` None: the disk could not be asked, and `problem` says why."""
    sums = found.sums if found else {}
    return {
        **_state(problem or (found.problem if found else "")),
        "folder": str(disk.folder.path),
        "entries": _whole(found, "entries"),
        "maxEntries": disk.limits.max_entries,
        "bytes": _whole(found, "bytes"),
        "maxBytes": disk.limits.max_bytes,
        "voices": [_voice(*row) for row in found.voices] if found else [],
        **_heard({tier: int(sums.get(f"hits_{tier}", 0)) for tier in TIERS}),
        "savedSynthesisS": round(sums.get("saved_s", 0.0), 3),
        "savedCost": round(sums.get("saved_cost", 0.0), 6),
        "memory": _memory(memory),
    }


def document_without_disk(hits: Mapping[Source, int], memory: Memory) -> Document:
    """The same where settings keep nothing on disk: sentences are counted since the server's start."""
    return {
        **_state(""),
        "status": "off",
        "detail": "nothing is kept on disk",
        "folder": None,
        **dict.fromkeys(("entries", "maxEntries", "bytes", "maxBytes"), 0),
        "voices": [],
        **_heard({tier: hits.get(tier, 0) for tier in TIERS}),
        **dict.fromkeys(("savedSynthesisS", "savedCost")),
        "memory": _memory(memory),
    }


def turned_off(max_entries: int, max_bytes: int) -> str:
    """Which setting turns the disk tier off; empty where none does."""
    if max_entries and max_bytes:
        return ""
    return "UNAVOCE_CACHE_MAX_BYTES=0" if max_entries else "UNAVOCE_CACHE_MAX_ENTRIES=0"


def told(error: CacheError) -> str:
    """The error's line; that another process holds the index is no fault of the disk's."""
    if "database is locked" not in str(error):
        return str(error)
    cause = str(error).partition(REMEDY)[0]
    return f"{cause}{REMEDY}another process is writing there just now: try again, or stop it"


def _state(problem: str) -> Document:
    cause, _, remedy = problem.partition(REMEDY)
    return {"status": "degraded" if problem else "ok", "detail": cause or "ready", "remedy": remedy or None}


def _whole(found: Figures | None, name: str) -> int | None:
    return None if found is None else int(found.sums.get(name, 0))


def _voice(engine: str, voice: str, entries: int, size: int) -> Document:
    return {"engine": engine, "voice": voice, "entries": entries, "bytes": size}


def _heard(hits: Mapping[Source, int]) -> Document:
    """Sentences heard by where they came from, and the part of them that no engine had to speak."""
    total = sum(hits.values())
    return {"hits": dict(hits), "hitRate": round(1 - hits["none"] / total, 4) if total else None}


def _memory(memory: Memory | None) -> Document | None:
    if memory is None:
        return None
    return {"entries": memory.entries, "bytes": memory.bytes, "maxBytes": memory.max_bytes}
