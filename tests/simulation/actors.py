"""Who takes part in a simulation: a scripted language model, a scripted engine, and devices that listen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from unavoce.chat.client import Client
from unavoce.chat.outbox import Outbox
from unavoce.engines.fake import Step
from unavoce.errors import EngineError, EngineRefused, ModelError
from unavoce.llm.base import LanguageModel, Message

WORDS = [
    "the",
    "kettle",
    "is",
    "on",
    "and",
    "dinner",
    "will",
    "be",
    "served",
    "at",
    "eight",
    "with",
    "some",
    "wine",
    "from",
    "our",
    "own",
    "cellar",
    "tonight",
]


PHRASES = ["Certainly, sir.", "Right away.", "Dinner is served, and the wine is open."]
"""Said again and again, so that the cache has something to do."""


CLAUSES = [
    "when the last of the guests had gone and the lamps had been put out",
    "the old man walked slowly through the empty rooms",
    "because nobody had told him that dinner was over",
    "which had not been opened since the winter before",
    "but the kettle was still on",
]
"""Long sentences are made of them, which may be begun before they are known to the end."""


def random_text(rng: random.Random) -> str:
    sentences = []
    for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 9])):
        if rng.random() < 0.3:
            sentences.append(rng.choice(PHRASES))
            continue
        if rng.random() < 0.2:
            sentences.append(", ".join(rng.choices(CLAUSES, k=rng.choice([2, 3, 6, 9]))).capitalize() + ".")
            continue
        words = rng.choices(WORDS, k=rng.choice([1, 2, 5, 9, 14, 40]))
        sentences.append(" ".join(words).capitalize() + rng.choice([".", ".", "!", "?", "...", ":"]))
    return rng.choice([" ", " ", "\n\n"]).join(sentences)


@dataclass
class Speech:
    """What the model will say to one message, and how."""

    text: str
    pieces: list[tuple[float, str]]
    error: ModelError | None = None


def random_speech(rng: random.Random) -> Speech:
    text, pieces, place = random_text(rng), [], 0
    pace_s = rng.choice([0.0, 0.0, 0.03, 0.2])
    while place < len(text):
        length = rng.choice([1, 3, 5, 8, 200])
        delay_s = rng.choice([0.0, pace_s, pace_s, 1.5]) if rng.random() < 0.9 else rng.uniform(0, 5)
        pieces.append((delay_s, text[place : place + length]))
        place += length
    error = ModelError("model_broken", "cut by the script") if rng.random() < 0.15 else None
    if error and pieces:
        pieces = pieces[: rng.randrange(len(pieces))]
    return Speech("".join(piece for _, piece in pieces), pieces, error)


class ScriptedModel(LanguageModel):
    """Answers message `m<number>` with the speech of that number."""

    name = "scripted"

    def __init__(self, speeches: dict[str, Speech]) -> None:
        self.speeches = speeches
        self.emitted: dict[str, list[tuple[float, str]]] = {}
        self.open = 0

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        asked = messages[-1].text
        speech, emitted = self.speeches[asked], self.emitted.setdefault(asked, [])
        self.open += 1
        try:
            for delay_s, piece in speech.pieces:
                await asyncio.sleep(delay_s)
                emitted.append((asyncio.get_running_loop().time(), piece))
                yield piece
            if speech.error:
                raise speech.error
        finally:
            self.open -= 1


def random_step(rng: random.Random) -> Step:
    """Mostly a decent engine; now and then every way of failing."""
    pieces = rng.choice([1, 1, 2, 4])
    step = Step(
        delay_s=rng.choice([0.0, 0.05, 0.3, 3.0]), real_time_factor=rng.choice([0.0, 0.1, 0.9, 1.5]), pieces=pieces
    )
    fault = rng.random()
    if fault < 0.08:
        error = rng.choice([EngineError, EngineRefused])
        return Step(step.delay_s, step.real_time_factor, pieces, fail_after=rng.randrange(pieces + 1), error=error)
    if fault < 0.11:
        return Step(step.delay_s, step.real_time_factor, pieces, hang_after=rng.randrange(pieces + 1))
    if fault < 0.16:
        sound = rng.choice(["silence", "empty", "short", "long", "rate_change"])
        return Step(step.delay_s, step.real_time_factor, max(2, pieces), sound=sound)
    if fault < 0.3:
        return Step(step.delay_s, step.real_time_factor, pieces, stop_s=rng.choice([0.0, 0.02, 4.0]))
    return step


@dataclass
class Received:
    at_s: float
    name: str
    payload: dict[str, Any]


@dataclass(eq=False)
class Device:
    """A client program: takes events at its own pace and keeps what it took."""

    number: int
    rng: random.Random
    inbox: list[Received] = field(default_factory=list)
    on_event: Any = None

    def __post_init__(self) -> None:
        self.style = self.rng.choices(["fast", "slow", "stuck"], [8, 3, 1])[0]
        self.stuck_after = self.rng.randrange(40)
        self.connected = False
        self.client: Client = None  # type: ignore[assignment]  # `connect` comes first

    def connect(self, connection: int) -> Client:
        self.connected = True
        self.client = Client(f"device-{self.number}-{connection}", Outbox(self._writer(connection)))
        return self.client

    def _writer(self, connection: int) -> Any:
        mine = f"device-{self.number}-{connection}"

        async def write(name: str, payload: dict[str, Any]) -> None:
            if self.connected and self.client.id == mine:
                received = Received(asyncio.get_running_loop().time(), name, payload)
                self.inbox.append(received)
                self.on_event(self, received)
            await self._read_pace(name)

        return write

    async def _read_pace(self, name: str) -> None:
        if self.style == "slow" and name == "chat:audio_chunk":
            await asyncio.sleep(self.rng.choice([0.0, 0.5, 4.0]))
        elif self.style == "stuck" and len(self.inbox) > self.stuck_after:
            await asyncio.Event().wait()
