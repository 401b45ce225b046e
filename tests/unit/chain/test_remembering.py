"""Which voices an engine has: its own, or those it is remembered by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.chain.chain import Chain
from unavoce.chain.known_voices import KnownVoices
from unavoce.engines.absent import AbsentEngine
from unavoce.engines.base import Engine, Voice
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import EngineRefused, EngineUnavailable, RequestError

OLD, NEW = Voice("server", "joe", "en", "old"), Voice("server", "joe", "en", "new")
ANNA = Voice("server", "anna", "en", "old")
AWAY = EngineUnavailable("cannot reach the server")


class Server(FakeEngine.named("server")):  # type: ignore[misc]
    """An engine that learns its model's fingerprint when it starts, as those around a server do."""

    def __init__(self, model: str | None) -> None:
        """`model`: what the server runs; None: it does not answer."""
        super().__init__(FakeOptions(voices=("joe",)))
        self.model = model
        self.found = ""

    def voices(self) -> Sequence[Voice]:
        return [Voice("server", "joe", "en", self.found)]

    async def start(self) -> None:
        if self.model is None:
            raise AWAY
        self.found = self.model


class Memory(KnownVoices):
    """Holds what it is given, and writes nothing."""

    async def keep(self) -> None:
        pass


def remembered(*voices: Voice) -> KnownVoices:
    known = Memory(Path(), {"server": "a" * 64})
    known.offers("server", voices)
    return known


def chain_of(engine: Engine, *others: Engine, voices: Sequence[Voice] = (OLD, ANNA)) -> Chain:
    return Chain([engine, *others], known=remembered(*voices))


@pytest.mark.parametrize("engine", [Server(None), AbsentEngine.called("server", AWAY)], ids=["stopped", "not there"])
async def test_an_engine_that_cannot_start_has_the_voices_it_had(engine: Engine) -> None:
    """All of them, with their fingerprints, found by name and cast; but the engine itself knows none of them."""
    chain = chain_of(engine, FakeEngine())
    assert list(chain.voices_of("server")) == list(engine.voices())
    await chain.start(engine)
    assert chain.voices()[:2] == [OLD, ANNA]
    assert chain.find_voice(None) == chain.find_voice("server") == OLD
    assert chain.find_voice("server/anna", 1.5) == replace(ANNA, speed=1.5)
    casting = chain.casting(chain.find_voice(None))
    assert [voice.engine for voice in casting.voices] == ["server", "fake"]
    assert [voice.engine for voice in casting.asking] == ["fake"]
    assert not any(map(chain.knows, (OLD, ANNA)))
    with pytest.raises(EngineUnavailable, match="cannot reach the server"):
        await chain.ready_for(OLD)
    with pytest.raises(RequestError):
        chain.find_voice("bert")


async def test_what_is_not_remembered_is_as_the_engine_says() -> None:
    """Without a memory nothing changes."""
    engine = Server(None)
    chain = chain_of(engine, voices=())
    await chain.start(engine)
    assert chain.voices() == [Voice("server", "joe", "en")]


async def test_an_engine_that_comes_back_as_it_was_speaks_in_the_remembered_voice() -> None:
    """A reply that was cast while the engine was away goes on, at whatever speed, and its clips may be kept."""
    engine = Server(None)
    chain = chain_of(engine)
    await chain.start(engine)
    engine.model = "old"
    await chain.start(engine)
    for voice in (OLD, replace(OLD, speed=1.5)):
        assert await chain.ready_for(voice) is engine
        assert chain.knows(voice)


async def test_a_reply_in_the_remembered_voice_is_not_given_to_another_model() -> None:
    """Of an engine that came back with another model the old voices are refused, which says nothing of its health."""
    engine = Server(None)
    chain = chain_of(engine)
    await chain.start(engine)
    engine.model = "new"
    await chain.start(engine)
    assert chain.voices() == [NEW]
    assert await chain.ready_for(NEW) is engine
    for voice in (OLD, ANNA):
        with pytest.raises(EngineRefused, match="another model"):
            await chain.ready_for(voice)
    assert chain.is_healthy("server")


async def test_a_reply_that_began_while_the_engine_was_loading_is_spoken() -> None:
    """What the engine called its voice before it knew the model is as good as ever."""
    engine = Server("new")
    chain = chain_of(engine)
    early = chain.find_voice(None)
    assert early == Voice("server", "joe", "en")
    await chain.start(engine)
    assert await chain.ready_for(early) is engine


async def test_gains_measured_are_told_and_kept(tmp_path: Path) -> None:
    """The chain hands on what earlier processes measured, and closing it keeps what this one did."""
    path, sections = tmp_path / "known-voices.json", {"server": "a" * 64}
    engine = Server("old")
    chain = Chain([engine], known=KnownVoices(path, sections))
    await chain.start(engine)
    chain.measured_gain(OLD, 2.5)
    await chain.close()
    known = await asyncio.to_thread(KnownVoices.read, path, sections)
    assert Chain([Server(None)], known=known).gains == {OLD: 2.5}


STARTS = st.lists(st.sampled_from([None, "old", "new", "third"]), max_size=6)


@given(STARTS, st.lists(st.sampled_from([OLD, NEW, ANNA]), max_size=2, unique=True))
def test_whatever_happens_a_voice_is_heard_from_its_own_model_only(
    starts: list[str | None], memory: list[Voice]
) -> None:
    """Over any order of starts, good and bad: a loading engine is taken at its word, one that never could start by its
    memory, one that ever could at its word again; and a fingerprint that a reply was once cast with is spoken by an
    engine that has exactly it, or not at all."""

    async def run() -> None:
        engine = Server(None)
        chain = chain_of(engine, voices=memory)
        assert chain.voices() == list(engine.voices())
        cast = [chain.find_voice(None)]
        for number, model in enumerate(starts):
            engine.model = model
            await chain.start(engine)
            never = not any(starts[: number + 1])
            assert chain.voices() == (memory if memory and never else list(engine.voices()))
            assert all(chain.knows(voice) == (voice in engine.voices()) for voice in (OLD, NEW, ANNA))
            cast += chain.voices()
            for voice in cast:
                await check(chain, engine, voice, model)

    async def check(chain: Chain, engine: Server, voice: Voice, model: str | None) -> None:
        fits = not voice.model or voice in engine.voices()
        if model is not None and fits:
            assert await chain.ready_for(voice) is engine
        else:
            with pytest.raises(EngineUnavailable if model is None else EngineRefused):
                await chain.ready_for(voice)

    asyncio.run(run())
