"""One simulated evening, drawn from a seed: people send, stop, lose their connection and come back, while engines and
models misbehave. `Witness` checks the invariants at every event and at the end."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from tests.simulation.actors import PHRASES, Device, Received, ScriptedModel, random_speech, random_step
from tests.simulation.reciting import Visitor
from tests.simulation.witness import Witness
from tests.support.scripted_disk import ScriptedDisk

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat, Limits, Manner
from unavoce.chat.client import Client
from unavoce.chat.outbox import Outbox
from unavoce.engines.fake import FakeEngine, FakeOptions, Step, SteppedFakeEngine
from unavoce.errors import EngineUnavailable, RequestError
from unavoce.narration.planner import SoundSettings
from unavoce.narration.stage import Stage
from unavoce.narration.warming import Warmer

RATE_HZ = 8_000
GRACE_S = 15.0
STOP_S = 1.0
"""In which what was warmed last is stopped."""


class World:
    """Everything that happens in one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - it draws evenings, not keys
        rng = self.rng
        self.speeches = {f"m{number}": random_speech(rng) for number in range(rng.choice([1, 1, 2, 4, 6]))}
        self.model = ScriptedModel(self.speeches)
        self.engines = [self._engine(name) for name in ("primary", "second", "third")[: rng.choice([1, 1, 2, 2, 3])]]
        max_parallel = rng.choice([1, 2, 2, 3, 8])
        chain = Chain(self.engines, pace_check=rng.random() < 0.7, max_parallel=max_parallel)
        self.disk = ScriptedDisk(lambda: rng.choice([0.0, 0.001, 0.01, 1.0])) if rng.random() < 0.5 else None
        self.cache = Cache(MemoryCache(rng.choice([0, 50_000, 1 << 26])), self.disk)
        self._fill_cache()
        self.stage = Stage(
            chain, cache=self.cache, rehearse=rng.random() < 0.2, recovery_interval_s=rng.choice([5, 30])
        )
        phrases = rng.sample(PHRASES, rng.choice([0, 0, 3]))
        self.warmer = Warmer(self.stage, phrases, delay_s=rng.choice([0.0, 1.0, 10.0]), frequent=rng.choice([0, 8]))
        sound = SoundSettings(
            rendition_bytes=1 << 20,
            rate_hz=RATE_HZ,
            max_parallel=max_parallel,
            voice_switch=rng.choice(["once", "once", "never"]),
            hedge=rng.random() < 0.8,
        )
        limits = Limits(replies=rng.choice([2, 64]))
        self.chat = Chat(self.stage, self.model, sound=sound, limits=limits, grace_s=GRACE_S)
        self.witness = Witness(self.engines, self.speeches, sound)
        self.devices: list[Device] = []
        self.violations: list[Exception] = []
        self._writers: list[asyncio.Task[None]] = []

    def _engine(self, name: str) -> FakeEngine:
        """An engine that is mostly decent, one that fails all the time, or one that does so for a while."""
        rng = self.rng
        options = FakeOptions(
            rate_hz=RATE_HZ,
            voices=(f"{name}'s voice",),
            max_concurrency=rng.choice([1, 2, 4]),
            in_process=rng.random() < 0.5,
            s_per_char=0.06,
        )
        bad = rng.choice([(), (), range(1000), range(5), range(2, 9)])
        fault = rng.choice([Step(fail_after=0), Step(hang_after=0), Step(sound="silence"), Step(delay_s=8.0)])
        error = EngineUnavailable("no such engine today") if rng.random() < 0.1 else None
        kind = rng.choice([FakeEngine, SteppedFakeEngine])
        return kind.named(name)(
            options,
            script=lambda number, _text: fault if number in bad else random_step(rng),
            start_error=error,
        )

    def _fill_cache(self) -> None:
        """Some phrases are at hand in some voices, as after a warm start."""
        for engine in self.engines:
            voice = engine.voices()[0]
            for phrase in self.rng.sample(PHRASES, self.rng.choice([0, 0, 1, 3])):
                self.cache.keep(voice, phrase, engine.tone(phrase, voice))

    async def run(self) -> None:
        async with self.stage, self.chat:
            warming = asyncio.create_task(self.warmer.run())
            people = [asyncio.create_task(self._person(number)) for number in range(self.rng.choice([1, 1, 2, 3]))]
            people += [asyncio.create_task(visitor.visit(self.chat)) for visitor in self._visitors()]
            await asyncio.gather(*people)
            # Every reply comes to its end by itself: what was asked is said, or given up with a reason.
            await self.chat.ended()
            await asyncio.sleep(120 + GRACE_S)
            warming.cancel()
            await asyncio.wait([warming])
            await asyncio.sleep(STOP_S)
            for device in self.devices:
                device.client.outbox.close()
            await asyncio.gather(*self._writers)
            if self.violations:
                raise self.violations[0]
            self.witness.check_end(self.stage, self.chat, self.model)

    def _visitors(self) -> list[Visitor]:
        names = [engine.name for engine in self.engines]
        changes = 0 if self.witness.sound.voice_switch == "never" else 1
        return [Visitor(self.rng, names, changes) for _ in range(self.rng.choice([0, 0, 1, 2]))]

    # -- what people do

    async def _person(self, number: int) -> None:
        rng = self.rng
        device = self._device(number)
        self._connect(device, 0)
        session: str | None = None
        for message in [name for name in self.speeches if int(name[1:]) % 3 == number]:
            await asyncio.sleep(rng.choice([0.0, 0.4, 3.0]))
            session = await self._talk(device, session, message) or session

    async def _talk(self, device: Device, session: str | None, message: str) -> str | None:
        rng = self.rng
        manner = Manner(speak=rng.random() < 0.9, interrupt=rng.random() < 0.2, speed=rng.choice([1.0, 1.0, 1.3]))
        try:
            reply = self.chat.send(device.client, message, session, manner)
        except RequestError as error:
            self.witness.refused(error, "busy")
            return None
        self.witness.began(reply, message, device, manner)
        session = reply.session.id
        if rng.random() < 0.3:
            self._second_tab(device.number, session)
        fate = rng.random()
        if fate < 0.3:
            await self._abort_later(device, session, reply.id)
        elif fate < 0.55:
            await self._lose_and_return(device, session)
        elif fate < 0.65:
            await asyncio.sleep(rng.uniform(0, 4))
            self._report_played(device, reply.id)
        return session

    async def _abort_later(self, device: Device, session: str, reply_id: str) -> None:
        await asyncio.sleep(self.rng.choice([0.0, 0.1, 1.0, 6.0, 40.0]))
        try:
            self.chat.abort(device.client, session, self.rng.choice([reply_id, None]))
        except RequestError as error:
            self.witness.refused(error, "unknown_reply")
        else:
            self.witness.aborted(self.chat, session)

    async def _lose_and_return(self, device: Device, session: str) -> None:
        rng = self.rng
        await asyncio.sleep(rng.choice([0.0, 0.2, 2.0, 8.0]))
        device.connected = False
        if rng.random() < 0.5:
            await asyncio.sleep(rng.uniform(0, 3))  # nobody has noticed yet: sound goes into the void
        self.chat.gone(device.client)
        await asyncio.sleep(rng.choice([0.0, 1.0, 10.0, 30.0]))
        self._connect(device, len(self._writers))
        device.style = "fast"
        wanted = {
            reply.id: self.witness.last_index(device, reply.id)
            for reply in self.chat.replies
            if reply.session.id == session and self.witness.misses(device, reply.id)
        }
        self.witness.returned(device, wanted)
        joined = self.chat.join(device.client, session, wanted)
        for entry in joined:
            if entry["replyId"] in wanted:
                assert entry["nextIndex"] == wanted[entry["replyId"]] + 1

    def _report_played(self, device: Device, reply_id: str) -> None:
        index = self.witness.last_index(device, reply_id)
        if index >= 0:
            try:
                self.chat.played(device.client, reply_id, index, self.rng.uniform(0, 2))
            except RequestError as error:
                self.witness.refused(error, "unknown_reply")

    # -- devices

    def _device(self, number: int) -> Device:
        device = Device(number, self.rng, on_event=self._on_event)
        self.devices.append(device)
        return device

    def _connect(self, device: Device, connection: int) -> None:
        client = device.connect(connection)
        self._writers.append(asyncio.create_task(self._write(client)))

    async def _write(self, client: Client) -> None:
        outbox: Outbox = client.outbox
        await outbox.run()
        self.chat.gone(client)

    def _second_tab(self, number: int, session: str) -> None:
        tab = self._device(100 + number + len(self.devices))
        tab.style = "fast"
        self._connect(tab, len(self._writers))
        self.witness.tab(tab)
        self.chat.join(tab.client, session, {})

    def _on_event(self, device: Device, received: Received) -> None:
        try:
            self.witness.saw(device, received)
            self.witness.check_bounds(device)
        except Exception as error:
            # Raised here it would only close this client's outbox, as any failed write does.
            self.violations.append(error)


def simulate(seed: int) -> World:
    """Run one seed to its end; raises AssertionError where an invariant is broken."""
    from tests.support.virtual_time import run_virtually

    world: list[Any] = []

    async def evening() -> None:
        world.append(World(seed))
        await world[0].run()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks without an owner: {left}"

    run_virtually(evening())
    return world[0]
