"""Settings under which nothing is heard twice: what a part measures is synthesis, not the cache."""

from __future__ import annotations

from typing import Final

UNCACHED: Final = {"cache_memory_bytes": 0, "cache_max_bytes": 0, "prewarm_phrases": "", "prewarm_frequent": 0}
UNCACHED_ENVIRONMENT: Final = {f"UNAVOCE_{name.upper()}": str(value) for name, value in UNCACHED.items()}
CACHED_ENVIRONMENT: Final = {"UNAVOCE_CACHE_MEMORY_BYTES": str(64 << 20), "UNAVOCE_CACHE_MAX_BYTES": str(1 << 30)}
"""The defaults again, for a part that is about the cache."""
