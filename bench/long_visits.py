"""The clients of the long run, in a process of their own: visits of every kind, so many at a time that they are the
wanted share of the listeners that the server says it can serve. Who is spoken to listens to the end.

`python -m bench.long_visits URL SEED [SECONDS SHARE]…` prints what came of them as one line of JSON; without a stretch
of time every kind comes once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import httpx
import socketio

from bench.long_replies import Told, faults, new_text, odd_lengths
from bench.serving import visiting
from unavoce.audio.opus import opus_samples
from unavoce.audio.wav import WavReader

PACE, BURST = 30.0, 3
"""Tokens a second, and how many of them are sent at once."""
TOKEN_CHARACTERS: Final = 4
PATIENCE_S: Final = 120.0
"""For a reply to come to its end."""
LOOK_S: Final = 1.0
"""How often the server is asked for its capacity."""
UNKNOWN_ROOM: Final = 2
"""Visits at a time while the server's capacity is not known."""
MOST_NEW: Final = 3
"""Visits begun at a time."""
MODEL_ASKED = ("Good evening. How are you?", "Tell me about the sea.", "What do you do all day?", "Is there any news?")
OFTEN = tuple(new_text(random.Random(seed), 3) for seed in range(6))  # noqa: S311 - the same in every run, on purpose


class Home:
    """A client on one connection, which notes what it is told of each reply."""

    def __init__(self, client: socketio.AsyncClient) -> None:
        self.client = client
        self.replies: dict[str, Told] = {}
        self._early: dict[str, Told] = {}
        """Of replies whose id the acknowledgement has not brought yet."""
        self._changed = asyncio.Condition()
        client.on("*", self._note)

    async def call(self, name: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The acknowledgement. Raises RuntimeError where the server refuses; LookupError where it is `busy`."""
        acknowledged: Mapping[str, Any] = await self.client.call(name, payload, timeout=60)
        if not acknowledged["ok"]:
            error = acknowledged["error"]
            raise LookupError("busy") if error["code"] == "busy" else RuntimeError(f"{name}: {error['code']}")
        return acknowledged

    def expect(self, reply_id: str, told: Told) -> None:
        """Note in `told` what comes of that reply, and what has come already."""
        told.events += self._early.pop(reply_id).events if reply_id in self._early else []
        self.replies[reply_id] = told

    async def until(self, reply_id: str, name: str, count: int = 1) -> None:
        """Returns when so many events of that name have come, or the reply is over."""
        told = self.replies[reply_id]
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: told.named("chat:done") or len(told.named(name)) >= count)

    async def _note(self, name: str, payload: dict[str, Any]) -> None:
        reply_id = payload.get("replyId", "")
        told = self.replies.get(reply_id) or self._early.setdefault(reply_id, Told("", None))
        if name == "chat:audio_chunk":
            payload["at"] = time.monotonic()
            payload["seconds"] = _seconds(payload.pop("audio"), payload["contentType"])
        async with self._changed:
            told.add(name, payload)
            self._changed.notify_all()


def _seconds(audio: bytes, content_type: str) -> float:
    """What a chunk lasts, decoded by itself."""
    if content_type.startswith("audio/ogg"):
        return len(opus_samples(audio, 48_000)) / 48_000
    reader = WavReader()
    return len(reader.feed(audio)) / reader.rate_hz


async def _heard(told: Told) -> None:
    """Returns when its listener has heard it to its end."""
    await asyncio.sleep((told.ends_s or 0.0) - time.monotonic())


async def _ended(writing: asyncio.Task[None]) -> None:
    """Dictate no further; that the server takes no more of a reply it has stopped is as it should be."""
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


@dataclass(slots=True)
class Visits:
    """What came of all visits."""

    url: str
    rng: random.Random
    told: list[Told] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    busy: int = 0

    async def begin(self, home: Home, told: Told, **manner: Any) -> str:
        """A reply whose text is dictated meanwhile. Its id."""
        begun = await home.call("speak:start", manner)
        home.expect(begun["replyId"], told)
        return str(begun["replyId"])

    async def dictate(self, home: Home, reply_id: str, text: str) -> None:
        step = BURST * TOKEN_CHARACTERS
        for start in range(0, len(text), step):
            await home.client.emit("speak:text", {"replyId": reply_id, "text": text[start : start + step]})
            await asyncio.sleep(BURST / PACE)
        await home.call("speak:end", {"replyId": reply_id})

    # -- the kinds

    async def complete(self, kind: str, text: str, **manner: Any) -> None:
        told = Told(kind, text)
        async with visiting(self.url, Home) as home:
            reply_id = await self.begin(home, told, **manner)
            await self.dictate(home, reply_id, text)
            await home.until(reply_id, "chat:done")
            await _heard(told)
        self.over(told)

    async def wav(self) -> None:
        await self.complete("wav", self.new(), format="wav")

    async def opus(self) -> None:
        await self.complete("opus", self.new(), format="opus")

    async def repeated(self) -> None:
        await self.complete("repeated", self.rng.choice(OFTEN), format=self.rng.choice(["wav", "opus"]))

    async def written(self) -> None:
        """The embedded model's answer."""
        told = Told("written", None)
        async with visiting(self.url, Home) as home:
            begun = await home.call("chat:send", {"message": self.rng.choice(MODEL_ASKED)})
            home.expect(begun["replyId"], told)
            await home.until(begun["replyId"], "chat:done")
            await _heard(told)
        self.over(told)

    async def aborted(self) -> None:
        told = Told("aborted", self.new(8), ends="aborted")
        async with visiting(self.url, Home) as home:
            begun = await home.call("speak:start", {})
            home.expect(begun["replyId"], told)
            writing = asyncio.create_task(self.dictate(home, begun["replyId"], told.text or ""))
            await home.until(begun["replyId"], "chat:audio_chunk", self.rng.randint(1, 4))
            await home.call("chat:abort", {name: begun[name] for name in ("sessionId", "replyId")})
            told.stopped_after = len(told.events)
            await home.until(begun["replyId"], "chat:done")
            await asyncio.sleep(1)  # nothing more is to come
            await _ended(writing)
        self.over(told)

    async def interrupted(self) -> None:
        first, second = Told("interrupted", self.new(8), ends="aborted"), Told("interrupting", self.new(2))
        async with visiting(self.url, Home) as home:
            begun = await home.call("speak:start", {})
            home.expect(begun["replyId"], first)
            writing = asyncio.create_task(self.dictate(home, begun["replyId"], first.text or ""))
            await home.until(begun["replyId"], "chat:audio_chunk", 2)
            reply_id = await self.begin(home, second, sessionId=begun["sessionId"], interrupt=True)
            await _ended(writing)
            await self.dictate(home, reply_id, second.text or "")
            await home.until(reply_id, "chat:done")
            await _heard(second)
        self.over(first)
        self.over(second)

    async def returning(self) -> None:
        """The connection is lost in the middle, and another one takes the reply over."""
        told = Told("returning", None)
        async with visiting(self.url, Home) as home:
            begun = await home.call("chat:send", {"message": "Tell me a long story about the sea and a small house."})
            session_id, reply_id = begun["sessionId"], begun["replyId"]
            home.expect(reply_id, told)
            await home.until(reply_id, "chat:audio_chunk", self.rng.randint(1, 3))
            heard = told.named("chat:audio_chunk")
            home.replies.clear()
        if told.named("chat:done"):
            return self.over(told)
        told.resumed = True
        async with visiting(self.url, Home) as home:
            home.expect(reply_id, told)
            after = heard[-1]["index"] if heard else -1
            await home.call("chat:join", {"sessionId": session_id, "after": {reply_id: after}})
            await home.until(reply_id, "chat:done")
            await _heard(told)
        self.over(told)

    async def lost(self) -> None:
        """The client goes in the middle and never comes back."""
        async with visiting(self.url, Home) as home:
            told = Told("lost", self.new())
            reply_id = await self.begin(home, told)
            writing = asyncio.create_task(self.dictate(home, reply_id, told.text or ""))
            await home.until(reply_id, "chat:audio_chunk")
            await _ended(writing)

    async def speech(self) -> None:
        """OpenAI's speech API."""
        text, form = self.new(2), self.rng.choice(["wav", "pcm", "opus", "mp3"])
        asked = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": form}
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_S, trust_env=False) as client:
            answer = await client.post("/v1/audio/speech", json=asked)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise LookupError("busy")
        answer.raise_for_status()
        told = Told(f"speech, {form}", text)
        if form == "pcm":
            told.events.append(("chat:audio_chunk", {"seconds": len(answer.content) / 48_000}))
        elif form in ("wav", "opus"):
            kind = "audio/wav" if form == "wav" else "audio/ogg"
            told.events.append(("chat:audio_chunk", {"seconds": _seconds(answer.content, kind)}))
        elif len(answer.content) < 1000:
            self.faults.append(f"speech, {form}: only {len(answer.content)} bytes")
        if told.events:
            self.told.append(told)
            await asyncio.sleep(told.sound_s)

    # -- all of them

    def new(self, sentences: int | None = None) -> str:
        return new_text(self.rng, sentences or self.rng.choice([2, 4, 8, 8, 20]))

    def over(self, told: Told) -> None:
        self.faults += faults(told)
        self.told.append(told)

    @property
    def mix(self) -> list[Callable[[], Awaitable[None]]]:
        often = [self.wav] * 5 + [self.opus] * 3 + [self.speech] * 2 + [self.repeated] * 2 + [self.aborted] * 2
        return [*often, self.written, self.returning, self.interrupted, self.lost]

    async def visit(self, kind: Callable[[], Awaitable[None]]) -> None:
        """One visit; whatever goes wrong is noted."""
        name = getattr(kind, "__name__", "visit")
        try:
            await kind()
        except LookupError:
            self.busy += 1
        except Exception as error:  # whatever it is, it is what the run is to find
            self.faults.append(f"{name}: {type(error).__name__}: {error}"[:400])
        self.kinds[name] += 1

    def summary(self) -> dict[str, Any]:
        return {
            "faults": [*self.faults, *odd_lengths(self.told)],
            "kinds": dict(self.kinds),
            "busy": self.busy,
            "replies": len(self.told),
            "sound_s": round(sum(told.sound_s for told in self.told), 1),
            "gaps": self.gaps(),
        }

    def gaps(self) -> dict[str, list[float]]:
        """What listeners waited for in mid-reply, seconds each, by the kind of reply; of speech that comes in
        one answer there is none."""
        found: dict[str, list[float]] = {}
        for told in self.told:
            if told.ends == "complete" and told.named("chat:done"):
                found.setdefault(told.kind, []).extend(told.gaps_s)
        return found


def begun_now(capacity: float | None, wanted: float, under_way: int) -> int:
    """How many visits to begin, where so many are under way and the server can serve `capacity` listeners."""
    seats = UNKNOWN_ROOM if capacity is None else int(capacity * wanted)
    return max(0, min(MOST_NEW, seats - under_way))


async def _capacity(client: httpx.AsyncClient, engine: str = "piper") -> float | None:
    """None while the server does not know."""
    health = (await client.get("/api/health")).raise_for_status().json()
    capacity: float | None = health["scheduler"]["capacity"][engine]
    return capacity


class Stretch(NamedTuple):
    """A part of a run: `share` of the listeners that the server can serve are there."""

    duration_s: float
    share: float


async def drive(url: str, seed: int, course: Iterable[Stretch]) -> Visits:
    """Visits for as long as `course` lasts, each heard to its end."""
    visits = Visits(url, random.Random(seed))  # noqa: S311 - it draws texts, not keys
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False) as client,
        asyncio.TaskGroup() as tasks,
    ):
        under_way: set[asyncio.Task[None]] = set()
        until_s = time.monotonic()
        for duration_s, share in course:
            until_s += duration_s
            while time.monotonic() < until_s:
                for _ in range(begun_now(await _capacity(client), share, len(under_way))):
                    task = tasks.create_task(visits.visit(visits.rng.choice(visits.mix)))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                await asyncio.sleep(LOOK_S)
    return visits


async def one_of_each(url: str) -> Visits:
    """Every kind once, two at a time: whatever is made on first use is there then."""
    visits = Visits(url, random.Random(0))  # noqa: S311
    kinds = list(dict.fromkeys(visits.mix))
    for start in range(0, len(kinds), 2):
        await asyncio.gather(*(visits.visit(kind) for kind in kinds[start : start + 2]))
    return visits


def main() -> None:
    logging.getLogger("engineio.client").setLevel(logging.CRITICAL)  # it calls every connection's end an error
    url, seed, figures = sys.argv[1], int(sys.argv[2]), list(map(float, sys.argv[3:]))
    course = [Stretch(*pair) for pair in zip(figures[::2], figures[1::2], strict=True)]
    visits = asyncio.run(drive(url, seed, course) if course else one_of_each(url))
    print(json.dumps(visits.summary()))


if __name__ == "__main__":
    main()
