"""`/api/cache`, as `cache/report.py` writes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unavoce.server.openapi.health import Count
from unavoce.server.openapi.operation import Answer, Described, Operation, json_of
from unavoce.server.openapi.refusals import UNAUTHORISED


class CachedVoice(Described):
    """Clips of one voice."""

    engine: str
    voice: str
    entries: Count
    bytes: Count


class MemoryTier(Described):
    """The clips in the server's memory."""

    entries: Count
    bytes: Count
    max_bytes: Count


class CacheReport(Described):
    """What is kept, how often it was of use, and what it saved."""

    status: Literal["ok", "degraded", "off"]
    """`off`: nothing is kept on disk."""
    detail: str
    """For a person."""
    remedy: str | None
    folder: str | None
    entries: Count | None
    """Clips on disk; null where the disk gave no answer."""
    max_entries: Count
    bytes: Count | None
    max_bytes: Count
    voices: list[CachedVoice]
    """The largest first."""
    hits: dict[str, Count]
    """Sentences heard by where they came from: `memory`, `disk`, `none`."""
    hit_rate: Annotated[float, Field(ge=0, le=1)] | None
    """The part that no engine had to speak; null before any."""
    saved_synthesis_s: Annotated[float, Field(ge=0)] | None
    saved_cost: Annotated[float, Field(ge=0)] | None
    memory: MemoryTier | None


EXAMPLE = {
    "status": "ok",
    "detail": "ready",
    "remedy": None,
    "folder": "/var/lib/unavoce/cache",
    "entries": 1180,
    "maxEntries": 10_000,
    "bytes": 141_900_544,
    "maxBytes": 1_073_741_824,
    "voices": [{"engine": "piper", "voice": "joe", "entries": 1180, "bytes": 141_900_544}],
    "hits": {"memory": 311, "disk": 120, "none": 1690},
    "hitRate": 0.2032,
    "savedSynthesisS": 97.412,
    "savedCost": 0.0,
    "memory": {"entries": 64, "bytes": 4_912_034, "maxBytes": 67_108_864},
}

OPERATIONS = (
    Operation(
        "get",
        "/api/cache",
        "Operating",
        "What is kept of what was said",
        "What `unavoce cache stats --json` prints, and what this server holds in memory.",
        [Answer(200, "The figures.", json_of(CacheReport, EXAMPLE)), UNAUTHORISED],
    ),
)
