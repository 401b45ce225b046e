"""Text that a client streams itself. On a virtual clock."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.virtual_time import run_virtually

from unavoce.chat.speech_input import IDLE_S, SpeechInput
from unavoce.errors import RequestError


def test_pieces_come_out_in_order_to_the_end() -> None:
    """A hundred thousand tiny pieces arrive whole and in order, without one wake-up each."""

    async def work() -> None:
        source = SpeechInput(1_000_000)
        for number in range(100_000):
            source.push(str(number % 10))
        source.end()
        taken = [piece async for piece in source]
        assert "".join(taken) == "0123456789" * 10_000
        assert len(taken) == 1

    run_virtually(work())


def test_a_client_that_falls_silent_ends_the_reply() -> None:
    """A minute without text raises idle_timeout, after everything that was received came out."""

    async def work() -> None:
        source = SpeechInput(100)
        source.push("Hello.")
        pieces = aiter(source)
        assert await anext(pieces) == "Hello."
        with pytest.raises(RequestError) as raised:
            await anext(pieces)
        assert raised.value.code == "idle_timeout"
        assert asyncio.get_running_loop().time() == IDLE_S
        with pytest.raises(RequestError):
            source.push("Too late.")

    run_virtually(work())


def test_too_much_text_and_text_after_the_end_are_refused() -> None:
    """Both have a code of their own, and neither changes what was received."""

    async def work() -> None:
        source = SpeechInput(5)
        source.push("1234")
        with pytest.raises(RequestError) as too_long:
            source.push("56")
        source.push("5")
        source.end()
        for late in (lambda: source.push("6"), source.end):
            with pytest.raises(RequestError) as ended:
                late()
            assert ended.value.code == "ended"
        assert too_long.value.code == "too_long"
        assert "".join([piece async for piece in source]) == "12345"

    run_virtually(work())
