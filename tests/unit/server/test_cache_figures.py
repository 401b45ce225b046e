"""`GET /api/cache` whatever the disk does."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from unavoce.cache.cache import Cache
from unavoce.cache.disk.background import BackgroundDisk
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.memory import MemoryCache
from unavoce.server import cache_figures
from unavoce.server.cache_figures import CacheFigures


class HangingDisk(DiskCache):
    """Gives no figures before it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Limits())
        self.go = threading.Event()
        self.asked = 0

    def sums(self) -> dict[str, float]:
        self.asked += 1
        self.go.wait()
        return {"entries": 1.0, "bytes": 2.0}

    def by_voice(self) -> list[tuple[str, str, int, int]]:
        return []


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of callers are answered with what is known, and the disk is asked once; then it answers again."""
    monkeypatch.setattr(cache_figures, "LIMIT_S", 0.05)
    disk = await asyncio.to_thread(HangingDisk, tmp_path)
    tier = BackgroundDisk(disk)
    figures = CacheFigures(Cache(MemoryCache(1000), tier))
    try:
        documents = await asyncio.gather(*(figures.document() for _ in range(20)))
        assert [(document["status"], document["entries"]) for document in documents] == [("degraded", None)] * 20
        assert documents[0]["memory"] == {"entries": 0, "bytes": 0, "maxBytes": 1000}
        assert "no answer" in documents[0]["detail"]
        assert documents[0]["remedy"]
        assert disk.asked == 1
    finally:
        disk.go.set()
    monkeypatch.setattr(cache_figures, "LIMIT_S", 60.0)
    document = await figures.document()
    assert (document["status"], document["entries"], document["bytes"]) == ("ok", 1, 2)
    await tier.close()


async def test_without_a_disk_the_memory_is_told() -> None:
    """Settings may keep nothing on disk."""
    document = await CacheFigures(Cache(MemoryCache(1000))).document()
    assert (document["status"], document["folder"]) == ("off", None)
    assert document["memory"] == {"entries": 0, "bytes": 0, "maxBytes": 1000}
