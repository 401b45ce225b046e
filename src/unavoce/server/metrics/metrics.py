"""Everything that a scrape answers. Read on the event loop in one go, written out in a thread."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller
from unavoce.chat.traces import TracedReply
from unavoce.narration.stage import Stage
from unavoce.server.cache_figures import CacheFigures
from unavoce.server.http import Guard
from unavoce.server.metrics import tallies
from unavoce.server.metrics.replies import DOORS, ReplyMetrics
from unavoce.server.refusals import Refusals

log = logging.getLogger(__name__)

Part = Callable[[], Iterable[Metric]]


class Metrics:
    """The metrics of one server, in a registry of their own.

    A part that fails is left out, counted and logged; the rest is answered all the same.
    """

    def __init__(self, stage: Stage, chat: Chat, cache: CacheFigures, refusals: Refusals) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series, and nobody asks for them
        self._chat = chat
        self._cache = cache
        self._registry = CollectorRegistry()
        self._replies = ReplyMetrics(self._registry, [engine.name for engine in stage.chain.engines])
        self._connections: dict[str, Callable[[], int]] = {}
        self._failures = 0
        self._parts: dict[str, Part] = {
            "replies": self._registry.collect,
            "engine_work": partial(tallies.engine_work, stage),
            "engine_states": partial(tallies.engine_states, stage),
            "engine_load": partial(tallies.engine_load, stage),
            "workload": partial(tallies.workload, chat.workload, stage),
            "cache_hits": partial(tallies.cache_hits, stage),
            "refusals": partial(tallies.refused, refusals),
            "server": self._load,
        }
        chat.watch(self._ended)

    def count_connections(self, door: str, count: Callable[[], int]) -> None:
        """`count` tells at any time how many connections `door` has."""
        self._connections[door] = count

    def routes(self, guard: Guard) -> list[BaseRoute]:
        return [guard.route("/metrics", self._scrape)]

    # -- what is read

    def _ended(self, traced: TracedReply) -> None:
        self._replies.observe(traced, asyncio.get_running_loop().time())

    def _load(self) -> Iterator[Metric]:
        running = GaugeMetricFamily("unavoce_replies_running", "Replies that are not over.", labels=["door"])
        at = self._chat.running_at
        for door in DOORS:
            running.add_metric([door], at[door])
        connections = GaugeMetricFamily("unavoce_connections", "Connections that are open.", labels=["door"])
        for name, count in self._connections.items():
            connections.add_metric([name], count())
        stopping = GaugeMetricFamily("unavoce_stopping", "1 once the server was told to stop.", self._chat.stopping)
        archive = self._chat.archive
        unkept = archive is not None and bool(archive.problem)
        history = GaugeMetricFamily("unavoce_history_degraded", "1 while history cannot be kept on disk.", unkept)
        tasks = GaugeMetricFamily("unavoce_asyncio_tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))
        yield from (running, connections, stopping, history, tasks)

    async def families(self) -> list[Metric]:
        """All but those of the process, as they are now. Never fails; takes at most as long as the cache's disk may."""
        found = [family for name, part in self._parts.items() for family in self._read(name, part)]
        try:
            document = await self._cache.document()
        except Exception:
            self._failed("cache")
        else:
            found += self._read("cache", partial(tallies.cache_sizes, document))
        found += await asyncio.to_thread(self._read, "process", _process)
        failures = CounterMetricFamily("unavoce_metrics_failures", "Parts of these metrics that could not be read.")
        failures.add_metric([], self._failures)
        return [*found, failures]

    def _read(self, name: str, part: Part) -> list[Metric]:
        """A part's families: all of them, or none where it is ill."""
        try:
            return list(part())
        except Exception:
            self._failed(name)
            return []

    def _failed(self, part: str) -> None:
        self._failures += 1
        log.exception("metrics_failed", extra={"part": part})

    # -- the door

    async def _scrape(self, request: Request, _caller: Caller) -> Response:
        compressed = gzip_accepted(request.headers.get("accept-encoding", ""))
        families = await self.families()
        write, content_type = _encoder(request.headers.get("accept", ""))
        body = await asyncio.to_thread(_written, families, write, compressed)
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
        return Response(body, headers=headers | ({"Content-Encoding": "gzip"} if compressed else {}))


class _Read(Collector):
    """Families that were read already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _process() -> Iterator[Metric]:
    """Of the process, under their customary names, and which version it runs. Blocks: it reads files."""
    yield from tallies.build()
    yield from ProcessCollector(registry=None).collect()
    yield from PlatformCollector(registry=None).collect()


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """The writer and the content type for an `Accept` header."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version there that is none
        return choose_encoder("")


def _written(families: Sequence[Metric], write: Callable[[Collector], bytes], compressed: bool) -> bytes:
    body = write(_Read(families))
    return gzip.compress(body) if compressed else body
