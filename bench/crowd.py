"""`python -m bench.crowd URL COUNT SEED`: many listeners of one server, in a process of their own.

Each begins at a moment of its own, streams the text of its own reply to the server as a language model would, and notes
when what comes back came. Prints a `Crowd` as JSON. Nothing is played and nothing decoded, so that it costs little;
what it does cost is measured and told.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter, process_time
from typing import Any

import socketio

from bench.figures import Arrival, gaps_s
from bench.replies import PACE, REPLIES, TokenSource, tokens_of

ARRIVE_WITHIN_S = 5.0
PATIENCE_S = 300.0
"""For one reply, from its first token to its end."""
_NAMES = """
    Anna Berta Clara Dora Emma Flora Greta Hanna Ida Julia Kate Lena Martha Nora Olga Paula Rosa Sara Thea Ursula Vera
    Wanda Adam Bruno Carl David Edgar Frank Georg Henry Isaac Jacob Kevin Louis Martin Noah Oscar Peter Robert Simon
    Thomas Victor Walter Albert Conrad Felix Gustav Hugo Max Paul
"""
NAMES: Sequence[str] = _NAMES.split()
MOST = len(NAMES)


@dataclass(slots=True)
class Listener:
    """One reply as its listener got it; seconds since the first listener could begin."""

    number: int
    refused: str = ""
    """The code with which the server sent it away."""
    first_token_s: float = 0.0
    cut_s: float | None = None
    """When the first sentence was told."""
    arrivals: list[Arrival] = field(default_factory=list)
    reason: str = ""
    """With which the sound ended."""
    skipped: int = 0
    """Sentences."""

    @property
    def served(self) -> bool:
        """It was let in, and heard everything."""
        return self.reason == "complete" and not self.skipped and bool(self.arrivals)

    @property
    def from_cut_s(self) -> float:
        """First sound from the cut of the first sentence. Raises ValueError where nothing came."""
        if self.cut_s is None or not self.arrivals:
            raise ValueError("no sound came")
        return self.arrivals[0].at_s - self.cut_s

    @property
    def from_token_s(self) -> float:
        """First sound from the first token."""
        return self.arrivals[0].at_s - self.first_token_s

    @property
    def gaps_s(self) -> list[float]:
        return gaps_s(self.arrivals)

    @property
    def sound_s(self) -> float:
        return sum(arrival.duration_s for arrival in self.arrivals)


@dataclass(frozen=True, slots=True)
class Crowd:
    listeners: Sequence[Listener]
    wall_s: float
    """From the first listener's beginning to the last one's end."""
    cpu_s: float
    """Of the process that the listeners live in, meanwhile."""

    @classmethod
    def read(cls, text: str) -> Crowd:
        """From the JSON that the process prints."""
        told = json.loads(text)
        listeners = [
            Listener(**{**one, "arrivals": [Arrival(**arrival) for arrival in one["arrivals"]]})
            for one in told["listeners"]
        ]
        return cls(listeners, told["wall_s"], told["cpu_s"])


def own_text(number: int) -> str:
    """A reply that nobody else hears, so that no clip serves two listeners; odd listeners' are the longer ones.

    Every sentence ends with a name of its listener's own: the shape, and the places where it can be cut, stay.
    """
    text = REPLIES["twenty" if number % 2 else "eight"]
    return re.sub(r"\.", f" for {NAMES[number]}.", text)


def moments_s(count: int, seed: int) -> list[float]:
    """When each listener begins; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets: the same moments for all who are compared
    return [chance.uniform(0, ARRIVE_WITHIN_S) for _ in range(count)]


class _Seat:
    """A connected client, and what its listener heard."""

    def __init__(self, number: int) -> None:
        self.heard = Listener(number)
        self._client = socketio.AsyncClient(reconnection=False)
        self._began_s = 0.0
        self._done = asyncio.Event()
        self._client.on("chat:sentence", self._sentence)
        self._client.on("chat:audio_chunk", self._chunk)
        self._client.on("chat:audio_done", self._audio_done)
        self._client.on("chat:done", self._ended)
        self._client.on("disconnect", self._ended)

    async def take(self, url: str) -> None:
        await self._client.connect(url, transports=["websocket"])

    async def leave(self) -> None:
        await self._client.disconnect()

    async def listen(self, began_s: float, after_s: float) -> None:
        """One whole reply, begun `after_s` seconds after `began_s` (`perf_counter`)."""
        self._began_s = began_s
        await asyncio.sleep(began_s + after_s - perf_counter())
        answer: Mapping[str, Any] = await self._client.call("speak:start", {})
        if not answer["ok"]:
            self.heard.refused = answer["error"]["code"]
            return
        async with asyncio.timeout(PATIENCE_S):
            await self._write(answer["replyId"])
            await self._done.wait()

    async def _write(self, reply_id: str) -> None:
        """No acknowledgement is asked for, as a client that streams tokens would not."""
        source = TokenSource(tokens_of(own_text(self.heard.number)), PACE)
        async for token in source:
            await self._client.emit("speak:text", {"replyId": reply_id, "text": token})
        await self._client.emit("speak:end", {"replyId": reply_id})
        self.heard.first_token_s = source.first_token_s - self._began_s

    def _now_s(self) -> float:
        return perf_counter() - self._began_s

    async def _sentence(self, _told: object) -> None:
        if self.heard.cut_s is None:
            self.heard.cut_s = self._now_s()

    async def _chunk(self, chunk: Mapping[str, Any]) -> None:
        self.heard.arrivals.append(Arrival(self._now_s(), chunk["durationMs"] / 1000))

    async def _audio_done(self, end: Mapping[str, Any]) -> None:
        self.heard.reason, self.heard.skipped = end["reason"], len(end["skipped"])

    async def _ended(self, *_: object) -> None:
        self._done.set()


async def gather(url: str, count: int, seed: int) -> Crowd:
    """`count` listeners, connected before the clock starts. Raises ValueError for more than there are names."""
    if count > MOST:
        raise ValueError(f"{count} listeners: there are replies for {MOST}")
    seats = [_Seat(number) for number in range(count)]
    for seat in seats:
        await seat.take(url)
    began_s, cpu_before_s = perf_counter(), process_time()
    await asyncio.gather(*(seat.listen(began_s, s) for seat, s in zip(seats, moments_s(count, seed), strict=True)))
    crowd = Crowd([seat.heard for seat in seats], perf_counter() - began_s, process_time() - cpu_before_s)
    for seat in seats:
        await seat.leave()
    return crowd


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(gather(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))))
