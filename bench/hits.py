"""How soon a sentence that is at hand is heard: from `chat:sentence` to the reply's first chunk, by the server's own
clock and as a client sees both come."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from bench.figures import Spread
from bench.report import Grid, Report
from bench.serving import Answer, Guest, serving, visiting
from bench.uncached import CACHED_ENVIRONMENT
from unavoce.narration.encoder import Format

NO_MODEL = {"UNAVOCE_LLM__BASE_URL": "http://127.0.0.1:9", "UNAVOCE_LLM__MODEL": "none"}
"""The client streams the text, and nothing else takes the cores."""

WARM_UP = "One moment, please."

SENTENCES: Mapping[str, Sequence[str]] = {
    "1 s": (
        "Certainly, sir.",
        "At your service.",
        "Good evening, sir.",
        "Task complete.",
        "Right away, sir.",
    ),
    "3 s": (
        "The kettle is on, and the lights are low in every room.",
        "There are two letters on the desk, and one of them is urgent.",
        "Dinner will be served at eight in the small dining room.",
        "I have closed the windows because it is going to rain.",
        "The train leaves at a quarter past nine from the old station.",
    ),
    "5 s": (
        "The kettle is on, the lights are low, and dinner will be served at eight by the window, sir.",
        "The garden gate was open this morning, so I have asked the neighbours whether they saw the cat.",
        "Your first meeting begins at half past nine, and the second one has been moved to the afternoon.",
        "It will stay dry until the evening, but I would take an umbrella if you plan to walk home late.",
        "The book that you were looking for lies on the second shelf, next to the map of the old harbour.",
    ),
}
"""By how long the packaged voice speaks them, about."""


@dataclass(slots=True)
class Delays:
    """Milliseconds from `chat:sentence` to the first chunk, reply by reply."""

    server_ms: list[float] = field(default_factory=list)
    """From telling the one to the other's leaving for the socket."""
    client_ms: list[float] = field(default_factory=list)
    """Between the arrivals of the two."""
    answered_ms: list[float] = field(default_factory=list)
    """From the client's sending the end of the text, with which the sentence is cut, to the chunk's arrival."""
    sound_s: list[float] = field(default_factory=list)
    """Of the whole sentence, the pause after it included."""


ROWS: Sequence[tuple[str, Format, Format | None, Literal["memory", "disk"]]] = (
    ("memory, WAV, left before", "wav", None, "memory"),
    ("memory, WAV, first time", "wav", "opus", "memory"),
    ("memory, Opus, left before", "opus", None, "memory"),
    ("memory, Opus, first time", "opus", "wav", "memory"),
    ("disk, WAV", "wav", None, "disk"),
    ("disk, Opus", "opus", None, "disk"),
)
NO_MEMORY = {"UNAVOCE_CACHE_MEMORY_BYTES": "0"}


async def run(repeat: int) -> Report:
    """Every row of ROWS for each length of SENTENCES; `repeat` turns, but one where it is the first time."""
    measured: dict[str, dict[str, Delays]] = {}
    for row, format, made_as, tier in ROWS:
        settings = NO_MEMORY if tier == "disk" else None
        turns = 1 if made_as else repeat
        for length, sentences in SENTENCES.items():
            delays = await first_chunk_delays(
                sentences, format=format, made_as=made_as, tier=tier, turns=turns, settings=settings
            )
            measured.setdefault(row, {})[length] = _together(delays)
    return Report(
        {row: {of: asdict(one) for of, one in lengths.items()} for row, lengths in measured.items()}, [_grid(measured)]
    )


def _together(turns: Sequence[Delays]) -> Delays:
    return Delays(
        [ms for turn in turns for ms in turn.server_ms],
        [ms for turn in turns for ms in turn.client_ms],
        [ms for turn in turns for ms in turn.answered_ms],
        [s for turn in turns for s in turn.sound_s],
    )


def _grid(measured: Mapping[str, Mapping[str, Delays]]) -> Grid:
    rows = [
        [row, *(Spread.of(one.server_ms).shown(2) for one in lengths.values())] for row, lengths in measured.items()
    ]
    note = (
        "Milliseconds from the cut of the sentence to its first chunk's leaving for the socket, by the server's clock:"
        " median and range. First time: the clip is at hand, but not yet in the form in which it leaves."
    )
    return Grid("The first chunk of a sentence at hand", ["from", *SENTENCES], rows, note)


async def first_chunk_delays(
    sentences: Sequence[str],
    *,
    format: Format = "wav",
    made_as: Format | None = None,
    tier: Literal["memory", "disk"] = "memory",
    turns: int = 3,
    settings: Mapping[str, str] | None = None,
) -> list[Delays]:
    """Has a real server say each of `sentences` once, by its engine, and then all of them again, `turns` times, each as
    a reply of its own. One entry a turn.

    `made_as`: the format of the first time; where it is another, the clips of the first turn are at hand, but not yet
    in the form in which they leave. `settings`: environment variables of the server. Raises RuntimeError where a
    sentence did not come from `tier`.
    """
    with TemporaryDirectory() as folder:
        notes = Path(folder, "notes")
        command = [sys.executable, "-m", "bench.noting", str(notes)]
        environment = {
            **NO_MODEL,
            **CACHED_ENVIRONMENT,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            **(settings or {}),
        }
        async with serving(Path(folder), environment, command) as server, visiting(server.url, Guest) as client:
            # What is asked for while the engine starts is not kept.
            await _say_all(client, (WARM_UP, *sentences), made_as or format)
            answers = [await _say_all(client, sentences, format) for _ in range(turns)]
        noted = dict(line.split() for line in await asyncio.to_thread(_lines, notes))
    return [_delays(turn, noted, tier) for turn in answers]


async def _say_all(client: Guest, sentences: Sequence[str], format: Format) -> list[Answer]:
    return [await client.dictate(sentence, format=format) for sentence in sentences]


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def _delays(answers: Sequence[Answer], noted: Mapping[str, str], tier: str) -> Delays:
    delays = Delays()
    for answer in answers:
        chunk = answer.first("chat:audio_chunk")
        if chunk.payload["cache"] != tier:
            raise RuntimeError(f"a sentence came from {chunk.payload['cache']!r} and not from {tier!r}")
        delays.server_ms.append(float(noted[chunk.payload["replyId"]]))
        delays.client_ms.append((chunk.at_s - answer.first("chat:sentence").at_s) * 1000)
        delays.answered_ms.append(answer.after_s("chat:audio_chunk") * 1000)
        delays.sound_s.append(sum(arrival.duration_s for arrival in answer.arrivals))
    return delays
