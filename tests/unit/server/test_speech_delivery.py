"""A body sent as it is made, at the level of ASGI: what waits for what, and what is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import pytest
from tests.support.virtual_time import run_virtually as run

from unavoce.server.speech.delivery import deliver, while_there
from unavoce.server.speech.refusals import SpeechRefused

BROKEN = SpeechRefused(503, "speech_failed", "as scripted")


class Caller:
    """The other end of an ASGI connection."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def ended(self) -> bool:
        return bool(self.sent) and not self.sent[-1].get("more_body", self.sent[-1]["type"] != "http.response.body")


async def made(parts: Iterable[bytes | Exception | asyncio.Event]) -> AsyncGenerator[bytes, None]:
    for part in parts:
        if isinstance(part, Exception):
            raise part
        if isinstance(part, asyncio.Event):
            await part.wait()
        else:
            yield part


def test_a_whole_body_ends() -> None:
    """Status, parts in order, end."""

    async def scenario() -> None:
        caller = Caller()
        await deliver(caller.send, made([b"one", b"two"]), {"Content-Type": "audio/pcm"})
        assert caller.sent[0]["status"] == 200
        assert (b"content-type", b"audio/pcm") in caller.sent[0]["headers"]
        assert caller.body == b"onetwo"
        assert caller.ended

    run(scenario())


def test_nothing_goes_out_before_the_first_part() -> None:
    """What goes wrong before is raised, for a status of its own."""

    async def scenario() -> None:
        caller = Caller()
        with pytest.raises(SpeechRefused):
            await deliver(caller.send, made([BROKEN]), {})
        assert caller.sent == []

    run(scenario())


def test_a_body_that_breaks_off_has_no_end() -> None:
    """The message that would end it is never sent, so the server cuts the connection."""

    async def scenario() -> None:
        caller = Caller()
        await deliver(caller.send, made([b"one", BROKEN]), {})
        assert caller.body == b"one"
        assert not caller.ended

    run(scenario())


def test_a_slow_engine_is_waited_for() -> None:
    """However long the next part takes, it goes into the same body."""

    async def scenario() -> None:
        caller, sound = Caller(), asyncio.Event()
        asyncio.get_running_loop().call_later(10_000, sound.set)
        await deliver(caller.send, made([b"one", sound, b"two"]), {})
        assert caller.body == b"onetwo"
        assert caller.ended

    run(scenario())


def test_work_is_left_when_the_caller_leaves() -> None:
    """Whatever it waits for, it is cancelled, and has cleaned up before the answer is over."""

    async def scenario() -> None:
        caller, cleaned = Caller(), []

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(1)
                cleaned.append(True)

        asyncio.get_running_loop().call_later(5, caller.left.set)
        await while_there(caller.receive, work())
        assert cleaned

    run(scenario())


def test_work_that_fails_says_so() -> None:
    """Its own error, as it is."""

    async def work() -> None:
        raise BROKEN

    async def scenario() -> None:
        with pytest.raises(SpeechRefused) as raised:
            await while_there(Caller().receive, work())
        assert raised.value is BROKEN

    run(scenario())
