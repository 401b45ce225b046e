"""Text on its way to a server: kept alive while its source thinks, and nothing of it lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.virtual_time import run_virtually

from unavoce.remote.feeder import kept_alive


async def source(steps: list[tuple[float, str]], closed: list[bool]) -> AsyncGenerator[str, None]:
    try:
        for delay_s, text in steps:
            await asyncio.sleep(delay_s)
            yield text
    finally:
        closed.append(True)


@given(st.lists(st.tuples(st.floats(0, 100), st.text(min_size=1, max_size=5)), max_size=8))
def test_a_slow_source_loses_nothing_and_is_never_silent(steps: list[tuple[float, str]]) -> None:
    """Every piece comes once and in order, and between two things that come lie at most 20 s."""

    async def run() -> None:
        closed: list[bool] = []
        came: list[str] = []
        now = asyncio.get_running_loop().time
        last = now()
        async for text in kept_alive(source(steps, closed), 20.0):
            assert now() - last <= 20.001
            last = now()
            came.append(text)
        assert [text for text in came if text] == [text for _, text in steps]
        assert closed == [True]

    run_virtually(run())


def test_an_error_of_the_source_comes_through() -> None:
    """It is raised as it is, after what came before."""

    async def broken() -> AsyncGenerator[str, None]:
        yield "This much."
        raise LookupError("gone")

    async def run() -> None:
        texts = kept_alive(broken(), 20.0)
        assert await anext(texts) == "This much."
        with pytest.raises(LookupError, match="gone"):
            await anext(texts)

    run_virtually(run())


def test_closing_it_closes_a_source_that_is_thinking() -> None:
    """The source's `finally` runs, though it never came back with a piece."""

    async def run() -> None:
        closed: list[bool] = []
        texts = kept_alive(source([(1, "a"), (1_000_000, "b")], closed), 20.0)
        assert await anext(texts) == "a"
        assert await anext(texts) == ""
        await texts.aclose()
        assert closed == [True]

    run_virtually(run())
