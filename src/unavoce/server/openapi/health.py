"""`/healthz` and `/api/health`, as `server/health.py` answers them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from unavoce.server.openapi.operation import TEXT, Answer, Content, Described, Operation, json_of
from unavoce.server.openapi.refusals import RETRY_AFTER, UNAUTHORISED

Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[int, Field(ge=0)]


class EngineHealth(Described):
    """One engine of the chain."""

    status: Literal["healthy", "slow", "down", "loading"]
    since: int
    """Of the last change, Unix time in ms."""
    latency_ms: Milliseconds | None
    """To the first sound of an everyday sentence; null before any."""
    detail: str
    """For a person."""
    remedy: str = ""
    """What helps; only where it is known."""
    voices: Annotated[list[str], Field(max_length=100)]
    """The first hundred of its voices."""
    real_time_factor: Annotated[float, Field(ge=0)] | None
    """Seconds of synthesis per second of sound; null before any."""
    clips: Count
    characters: Count
    """It was asked to speak so many."""
    cost: Annotated[float, Field(ge=0)]
    """Of these characters, in the currency of its setting."""
    failures: dict[str, Count]
    """By kind: `unavailable`, `refused`, `implausible`, `late`, `failed`."""
    changes: dict[str, Count]
    """Of status, by the new one."""


class ModelHealth(Described):
    """The language model; asked at most every 5 s."""

    status: Literal["ok", "loading", "down"]
    latency_ms: Milliseconds
    detail: str
    """For a person."""
    remedy: str = ""
    """What helps; only where it is known."""
    model: str
    """Its name."""


class CacheHealth(Described):
    """The clips that are kept."""

    status: Literal["ok", "degraded"]
    latency_ms: Annotated[float, Field(ge=0)] | None
    """Of a look on disk; null before any, and where nothing is kept there."""
    detail: str
    """For a person."""
    remedy: str = ""
    """What helps; only where it is known."""
    bytes: Count
    """In memory."""
    hits: dict[str, Count]
    """By tier: `memory`, `disk`, `none`."""


class HistoryHealth(Described):
    """What was said, where it is kept on disk."""

    status: Literal["ok", "degraded"]
    latency_ms: None
    detail: str
    """For a person."""
    remedy: str = ""
    """What helps; only where it is known."""


class SchedulerHealth(Described):
    """What is going on."""

    status: Literal["ok", "stopping"]
    """`stopping`: it takes no new replies, and ends when those that run have ended."""
    latency_ms: Annotated[float, Field(ge=0)]
    """Of a turn of the event loop: so long everything else waits for its own."""
    detail: str
    """For a person."""
    running: Count
    """Sentences in synthesis."""
    waiting: Count
    """Sentences that wait for an engine."""
    load: dict[str, Annotated[float, Field(ge=0)] | None]
    """By engine: the share of what it can make that replies want; null before that is known."""
    capacity: dict[str, Annotated[float, Field(ge=0)] | None]
    """By engine: listeners that it can serve at a time; null before that is known."""


class CoresHealth(Described):
    """This machine's cores, and whether speech leaves some to a language model."""

    status: Literal["ok"]
    latency_ms: None
    detail: str
    """What was chosen, and why; for a person."""
    count: Annotated[int, Field(ge=1)]
    leave_room: Literal["auto", "always", "never"]
    """As it was set."""
    leaves_room: bool
    """It does so now."""


class HealthReport(Described):
    """How every part is, why, and what helps."""

    status: Literal["ok", "degraded", "down"]
    """`degraded`: there is speech, but something is not as configured; `down`: no engine can speak."""
    engines: dict[str, EngineHealth]
    """By name."""
    model: ModelHealth
    cache: CacheHealth
    history: HistoryHealth
    scheduler: SchedulerHealth
    cores: CoresHealth


def _report(status: str, /, **engine: Any) -> dict[str, Any]:
    """An example."""
    known = {
        "since": 1764000000000,
        "voices": ["joe"],
        "clips": 212,
        "characters": 11873,
        "cost": 0.0,
        "failures": {},
        "changes": {"healthy": 1},
    }
    return {
        "status": status,
        "engines": {"piper": {**known, **engine}},
        "model": {"status": "ok", "latencyMs": 0, "model": "embedded", "detail": "ready"},
        "cache": {
            "status": "ok",
            "latencyMs": 0.4,
            "detail": "64 clips in memory",
            "bytes": 4_912_034,
            "hits": {"memory": 31, "disk": 12, "none": 169},
        },
        "history": {"status": "ok", "latencyMs": None, "detail": "in memory only"},
        "scheduler": {
            "status": "ok",
            "latencyMs": 0.1,
            "detail": "1 replies, 2 sentences in synthesis, 0 waiting",
            "running": 2,
            "waiting": 0,
            "load": {"piper": 0.054},
            "capacity": {"piper": 17.6},
        },
        "cores": {
            "status": "ok",
            "latencyMs": None,
            "detail": "speech takes one of 2 cores, at low priority, while the embedded language model writes, "
            "else all 2 cores",
            "count": 2,
            "leaveRoom": "auto",
            "leavesRoom": False,
        },
    }


WELL = _report("ok", status="healthy", latencyMs=140, detail="ready", realTimeFactor=0.114)
MUTE = _report(
    "down",
    status="down",
    latencyMs=None,
    detail="the voice file is not there",
    remedy="see docs/configuration.md",
    realTimeFactor=None,
)

OPERATIONS = (
    Operation(
        "get",
        "/healthz",
        "Operating",
        "The process can serve",
        "For a supervisor. Says nothing about engines, and asks for no key.",
        [
            Answer(200, "It can.", {"text/plain": Content(TEXT, "ok\n")}),
            Answer(503, "It is stopping.", {"text/plain": Content(TEXT, "stopping\n")}, RETRY_AFTER),
        ],
        keys=(),
    ),
    Operation(
        "get",
        "/api/health",
        "Operating",
        "How every part is",
        "Engines, language model, cache and scheduler, each with its state, the reason and what helps.",
        [
            Answer(200, "There is speech.", json_of(HealthReport, WELL)),
            UNAUTHORISED,
            Answer(503, "No engine can speak.", json_of(HealthReport, MUTE)),
        ],
    ),
)
