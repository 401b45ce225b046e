"""`GET /api/cache`: what `unavoce cache stats --json` prints, and what this server holds in memory."""

from __future__ import annotations

import asyncio
from typing import Final

from unavoce.cache import report
from unavoce.cache.cache import Cache
from unavoce.cache.disk.background import BackgroundDisk
from unavoce.cache.report import Document, Figures, Memory
from unavoce.errors import REMEDY, CacheError

LIMIT_S: Final = 2.0
"""How long the disk is waited for."""


class CacheFigures:
    """Asks the disk tier, for one caller at a time: while it hangs, no more than one question waits there."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._asking = asyncio.Lock()

    async def document(self) -> Document:
        """Within LIMIT_S, whatever the disk does; its figures are null where it gave no answer."""
        cache = self._cache
        memory = Memory(cache.entries, cache.bytes, cache.max_bytes)
        if not isinstance(cache.disk, BackgroundDisk):
            return report.document_without_disk(cache.hits, memory)
        found, problem = await self._ask(cache.disk)
        return report.document(cache.disk.disk, found, problem or cache.problem, memory)

    async def _ask(self, disk: BackgroundDisk) -> tuple[Figures | None, str]:
        """The figures, or why there are none."""
        try:
            async with asyncio.timeout(LIMIT_S), self._asking:
                return await disk.do(report.figures, disk.disk), ""
        except TimeoutError:
            return None, f"the cache's disk gave no answer within {LIMIT_S:g} s{REMEDY}see to that disk"
        except CacheError as error:
            return None, report.told(error)
