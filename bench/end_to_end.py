"""A message to a real server, and what its client hears when: embedded model and voice, both on the same cores."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import Spread, underrun_s
from bench.machine import memory_mb
from bench.report import Grid, Report
from bench.serving import Answer, Guest, Serving, serving, visiting

QUESTIONS = (
    "What is the capital of France?",
    "Please tell me something about the sea.",
    "Why is the sky blue?",
    "Could you recommend a good book?",
)
LONG = "Write a long story of twenty sentences about a lighthouse keeper and his dog."
"""Keeps the model writing for seconds."""


@dataclass(slots=True)
class Measured:
    start: dict[str, list[float]] = field(default_factory=dict)
    talk: dict[str, list[float]] = field(default_factory=dict)
    memory: Mapping[str, float] | None = None


async def run(repeat: int) -> Report:
    measured = Measured()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeat):
            async with serving(Path(folder)) as server:
                await _start(server, measured)
        async with serving(Path(folder)) as server, visiting(server.url, Guest) as visitor:
            await visitor.ask(QUESTIONS[0])
            await _talk(visitor, repeat, measured)
            await visitor.ask(LONG, only_text=True)
            measured.memory = memory_mb(server.pid)
    return _report(measured)


async def _start(server: Serving, measured: Measured) -> None:
    """A message as soon as the server says it is ready, while model and voice are still loading."""
    async with visiting(server.url, Guest) as visitor:
        answer = await visitor.ask(QUESTIONS[0])
    _add(measured.start, "process to ready line", server.ready_s - server.started_s)
    if server.cpu_s is not None:
        _add(measured.start, "process to ready line, CPU", server.cpu_s)
    _add(measured.start, "first message to first token", answer.after_s("chat:token"))
    _add(measured.start, "first message to first sound", answer.after_s("chat:audio_chunk"))
    _add(measured.start, "process to first sound", answer.arrivals[0].at_s - server.started_s)


async def _talk(visitor: Guest, repeat: int, measured: Measured) -> None:
    for _ in range(repeat):
        for question in QUESTIONS:
            _note_talk(await visitor.ask(question), measured.talk)


def _note_talk(answer: Answer, talk: dict[str, list[float]]) -> None:
    for label, name in EVENTS.items():
        _add(talk, f"message to {label}, client", answer.after_s(name))
    timings = answer.timings_s
    for label, name in TIMINGS.items():
        _add(talk, f"message to {label}, server", timings[name] or 0.0)
    _add(
        talk,
        "first sentence to first sound, client",
        answer.after_s("chat:audio_chunk") - answer.after_s("chat:sentence"),
    )
    _add(talk, "silent gaps while playing", underrun_s(answer.arrivals))


EVENTS = {"first token": "chat:token", "first sentence": "chat:sentence", "first sound": "chat:audio_chunk"}
TIMINGS = {"first token": "firstToken", "first sentence": "firstSentence", "first sound": "firstAudio"}


def _report(measured: Measured) -> Report:
    times = {**measured.start, **measured.talk}
    rows = [[label, Spread.of(values).shown()] for label, values in times.items()]
    grids = [
        Grid("End to end: embedded model and voice, over Socket.IO", ["seconds", "median (lowest-highest)"], rows),
    ]
    if measured.memory is not None:
        grids.append(_memory_grid(measured.memory))
    return Report(_figures(measured), grids)


def _memory_grid(memory: Mapping[str, float]) -> Grid:
    rows = [[name, f"{value:g}"] for name, value in memory.items()]
    return Grid("Memory of the server and its model's process after talking, MB", ["", ""], rows)


def _figures(measured: Measured) -> dict[str, Any]:
    return {
        "seconds": {**measured.start, **measured.talk},
        "memory_mb": measured.memory,
    }


def _add(figures: dict[str, list[float]], name: str, value: float) -> None:
    figures.setdefault(name, []).append(value)
