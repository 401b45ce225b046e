"""What is counted elsewhere, read at the moment of a scrape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client.core import CounterMetricFamily as Count
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import InfoMetricFamily, Metric, StateSetMetricFamily

from unavoce.cache.report import TIERS, Document
from unavoce.chain.member import LOADING, Member
from unavoce.narration.load import Workload
from unavoce.narration.stage import Stage
from unavoce.server.refusals import Refusals

STATES: Final = ("healthy", "slow", "down", LOADING)
KINDS: Final = ("unavailable", "refused", "implausible", "late", "failed")


def build() -> Iterator[Metric]:
    """Which version runs."""
    yield InfoMetricFamily("unavoce_build", "The version that runs.", {"version": version("unavoce")})


def engine_work(stage: Stage) -> Iterator[Metric]:
    """What each engine has done since the start."""

    def count(name: str, told: str) -> Count:
        return Count(name, told, labels=["engine"])

    clips = count("unavoce_engine_clips", "Clips made, whole and believed.")
    synthesis = count("unavoce_engine_synthesis_seconds", "Time their making took.")
    sound = count("unavoce_engine_sound_seconds", "Sound in them; over it the time is the real-time factor.")
    characters = count("unavoce_engine_characters", "Characters asked for, whole or not.")
    cost = count("unavoce_engine_cost", "What they cost, at the engine's price in the settings.")
    failures = Count("unavoce_engine_failures", "Sentences it did not speak.", labels=["engine", "kind"])
    for member in stage.chain.members:
        name, tally = [member.engine.name], member.tally
        clips.add_metric(name, tally.clips)
        synthesis.add_metric(name, tally.synthesis_s)
        sound.add_metric(name, tally.sound_s)
        characters.add_metric(name, tally.characters)
        cost.add_metric(name, member.cost)
        for kind in {**dict.fromkeys(KINDS), **tally.failures}:
            failures.add_metric([*name, kind], tally.failures[kind])
    yield from (clips, synthesis, sound, characters, cost, failures)


def engine_states(stage: Stage) -> Iterator[Metric]:
    """How each engine is, and how often that changed."""
    states = StateSetMetricFamily("unavoce_engine_state", "1 for the state it is in.", labels=["engine"])
    changes = Count("unavoce_engine_state_changes", "Times it came into a state.", labels=["engine", "state"])
    for member in stage.chain.members:
        name, state = member.engine.name, _state(member)
        states.add_metric([name], {one: one == state for one in STATES})
        for one in STATES[:3]:
            changes.add_metric([name, one], member.tally.changes[one])
    yield from (states, changes)


def _state(member: Member) -> str:
    status = member.status
    return LOADING if status.reason == LOADING else status.status


def engine_load(stage: Stage) -> Iterator[Metric]:
    """The queue and the slots of each engine; in all they are the sum."""
    waiting = Gauge("unavoce_engine_waiting", "Sentences that wait for a slot.", labels=["engine"])
    running = Gauge("unavoce_engine_running", "Sentences in synthesis.", labels=["engine"])
    slots = Gauge("unavoce_engine_slots", "Sentences it makes at a time, at most.", labels=["engine"])
    for engine in stage.chain.engines:
        load = stage.load(engine.name)
        waiting.add_metric([engine.name], load.waiting)
        running.add_metric([engine.name], load.running)
        slots.add_metric([engine.name], load.slots)
    yield from (waiting, running, slots)


def workload(workload: Workload, stage: Stage) -> Iterator[Metric]:
    """How full each engine is; not a number before that is known."""
    load = Gauge("unavoce_engine_load_ratio", "Share of what it can make that replies want.", labels=["engine"])
    listeners = Gauge("unavoce_engine_capacity_listeners", "Listeners it can serve at a time.", labels=["engine"])
    for engine in stage.chain.engines:
        for gauge, known in ((load, workload.load(engine.name)), (listeners, workload.capacity(engine.name))):
            gauge.add_metric([engine.name], math.nan if known is None else known)
    yield from (load, listeners)


def refused(refusals: Refusals) -> Iterator[Metric]:
    """What was refused."""
    count = Count("unavoce_refusals", "Requests and connections refused.", labels=["door", "code"])
    for pair, number in sorted(refusals.counts.items()):
        count.add_metric(pair, number)
    yield count


def cache_hits(stage: Stage) -> Iterator[Metric]:
    """What the cache was good for."""
    heard = Count("unavoce_sentences_heard", "Sentences heard, by the tier they came from.", labels=["tier"])
    for tier in TIERS:
        heard.add_metric([tier], stage.cache.hits[tier])
    yield heard


def cache_sizes(document: Document) -> Iterator[Metric]:
    """What the cache holds, from the document of `/api/cache`; nothing of a disk that gave no answer."""
    tiers = {"memory": document["memory"] or {}, "disk": document}
    for name, field, told in (
        ("unavoce_cache_entries", "entries", "Clips kept."),
        ("unavoce_cache_bytes", "bytes", "Bytes they take."),
        ("unavoce_cache_limit_bytes", "maxBytes", "Bytes they may take; 0: the tier is off."),
    ):
        gauge = Gauge(name, told, labels=["tier"])
        for tier, figures in tiers.items():
            if figures.get(field) is not None:
                gauge.add_metric([tier], figures[field])
        yield gauge
    yield Gauge("unavoce_cache_degraded", "1 while the cache on disk has a fault.", document["status"] == "degraded")
