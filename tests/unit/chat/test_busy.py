"""Past what the engines can do a new reply is told `busy` at once, and those under way are spoken without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.support.server import RATE_HZ, ScriptedModel
from tests.support.virtual_time import run_virtually as run

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat, Limits, Manner
from unavoce.chat.client import Caller, Client
from unavoce.chat.outbox import Outbox
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import RequestError
from unavoce.narration.planner import SoundSettings
from unavoce.narration.stage import Stage

WORDS_A_SECOND = 6.0
SLOTS, FACTOR = 2, 0.25
CAPACITY = 7
"""Two slots, a quarter of a second of work a second, 0.95 of it."""


def engine(name: str = "fake", factor: float = FACTOR) -> FakeEngine:
    options = FakeOptions(rate_hz=RATE_HZ, max_concurrency=SLOTS, delay_s=0.0, real_time_factor=factor, pieces=4)
    return FakeEngine.named(name)(options)


@asynccontextmanager
async def chatting(*engines: FakeEngine, max_load: float = 0.95) -> AsyncIterator[Chat]:
    stage = Stage(Chain(engines), rehearse=False)
    limits = Limits(replies=500, replies_per_session=500, replies_per_caller=500, max_load=max_load)
    async with stage, Chat(stage, ScriptedModel(), sound=SoundSettings(rate_hz=RATE_HZ), limits=limits) as chat:
        for one in engines:
            await stage.chain.started(one.name)
        yield chat


class Listener:
    """A client that dictates a text of its own, word by word."""

    def __init__(self, chat: Chat, number: int) -> None:
        self._chat = chat
        self._number = number
        self.client = Client(f"client {number}", Outbox(self._emit))
        self.events: list[str] = []

    async def _emit(self, name: str, _: object) -> None:
        self.events.append(name)

    async def dictate(self, sentences: int = 12, manner: Manner | None = None) -> str:
        """Raises RequestError. The id of the reply, once all of it is dictated."""
        reply = self._chat.speak_start(self.client, None, manner or Manner())
        for number in range(sentences):
            for word in f"Listener {self._number} hears sentence {number} of what is told here.".split():
                self._chat.speak_text(self.client, reply.id, word + " ")
                await asyncio.sleep(1 / WORDS_A_SECOND)
        self._chat.speak_end(self.client, reply.id)
        await reply.ended.wait()
        return reply.id


async def learn(chat: Chat, engine: str) -> None:
    """Have the engine speak until it is known what its sound costs."""
    text = " ".join(f"The engine called {engine} says sentence {number} of ten." for number in range(10))
    async with chat.recite(Caller(), "openai", text, voice=engine) as recital:
        async for _ in recital:
            pass
    assert chat.workload.capacity(engine) is not None


async def crowd(chat: Chat, count: int) -> tuple[int, float]:
    """`count` listeners come one after the other: how many were served, and for how long they had nothing to hear."""
    async with asyncio.TaskGroup() as tasks:
        outboxes = []
        visits = []
        for number in range(count):
            listener = Listener(chat, number)
            outboxes.append(tasks.create_task(listener.client.outbox.run()))
            visits.append(tasks.create_task(_served(listener)))
            await asyncio.sleep(0.3)
        served = [await visit for visit in visits]
        gaps_s = sum(reply.narrator.clock.gaps_s for reply in chat.replies)
        for outbox in outboxes:
            outbox.cancel()
    return sum(served), gaps_s


async def _served(listener: Listener) -> bool:
    try:
        await listener.dictate()
    except RequestError as error:
        if error.code != "busy":
            raise
        return False
    return True


def test_past_capacity_replies_are_refused_and_nobody_stutters() -> None:
    """Of twenty listeners as many are served as the engine was measured to serve, every one without a gap."""

    async def scenario() -> None:
        async with chatting(engine()) as chat:
            await learn(chat, "fake")
            capacity = chat.workload.capacity("fake")
            assert capacity == pytest.approx(SLOTS / FACTOR * 0.95, rel=0.05)
            served, gaps_s = await crowd(chat, 20)
            assert CAPACITY - 1 <= served <= CAPACITY
            assert gaps_s == 0

    run(scenario())


def test_without_the_limit_the_same_crowd_stutters() -> None:
    """Where the limit is off all twenty are let in, and hear gaps: what the limit is for."""

    async def scenario() -> None:
        async with chatting(engine(), max_load=0) as chat:
            await learn(chat, "fake")
            served, gaps_s = await crowd(chat, 20)
            assert served == 20
            assert gaps_s > 1

    run(scenario())


def test_capacity_follows_the_measurement() -> None:
    """An engine that has become four times as fast serves four times as many."""

    async def scenario() -> None:
        speaker = engine()
        async with chatting(speaker) as chat:
            await learn(chat, "fake")
            speaker.options = speaker.options.model_copy(update={"real_time_factor": FACTOR / 4})
            for _ in range(8):
                await learn(chat, "fake")
            assert chat.workload.capacity("fake") == pytest.approx(4 * SLOTS / FACTOR * 0.95, rel=0.05)
            served, gaps_s = await crowd(chat, 20)
            assert (served, gaps_s) == (20, 0)

    run(scenario())


def test_who_has_all_of_its_sound_takes_no_room() -> None:
    """Replies that only play on, and those that do not speak, leave the engine to others."""

    async def scenario() -> None:
        async with chatting(engine()) as chat:
            await learn(chat, "fake")
            listener = Listener(chat, 0)
            writing = asyncio.create_task(listener.client.outbox.run())
            silent = [chat.speak_start(listener.client, None, Manner(speak=False)) for _ in range(20)]
            assert not any(reply.narrator.demand for reply in silent)
            spoken = chat.speak_start(listener.client, None, Manner())
            assert spoken.narrator.demand is not None
            chat.speak_text(listener.client, spoken.id, "All of this is made long before it was heard. " * 2)
            chat.speak_end(listener.client, spoken.id)
            await asyncio.sleep(2)
            assert spoken.playing
            assert spoken.narrator.demand is None
            assert chat.workload.load("fake") == 0
            stopped = chat.speak_start(listener.client, None, Manner())
            chat.abort(listener.client, stopped.session.id, stopped.id)
            assert chat.workload.load("fake") == 0
            writing.cancel()

    run(scenario())


def test_a_reply_begins_with_the_engine_that_has_room() -> None:
    """Where the first engine is taken a new reply is spoken by the next one from its first word, and refused when that
    is taken too."""

    async def scenario() -> None:
        first, second = engine("first", factor=0.8), engine("second", factor=0.8)
        async with chatting(first, second) as chat:
            await learn(chat, "first")
            await learn(chat, "second")
            first.calls.clear()
            second.calls.clear()
            served, gaps_s = await crowd(chat, 8)
            assert (served, gaps_s) == (4, 0)
            for speaker in (first, second):
                assert len({call.spoken.split()[1] for call in speaker.calls}) == 2

    run(scenario())
