"""The outbox: bounded, in order, at the client's own pace. On a virtual clock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.virtual_time import run_virtually

from unavoce.chat.outbox import MAX_BYTES, STUCK_S, GoneError, Outbox


class Reader:
    """A client that takes `pace_s` per event."""

    def __init__(self, pace_s: float = 0.0) -> None:
        self.pace_s = pace_s
        self.names: list[str] = []

    async def write(self, name: str, payload: dict[str, Any]) -> None:
        self.names.append(name)
        await asyncio.sleep(self.pace_s)


def test_events_leave_in_order_and_chunks_are_waited_for() -> None:
    """A delivery returns when the chunk leaves, behind everything posted before it."""

    async def work() -> None:
        reader, taken = Reader(1.0), []
        outbox = Outbox(reader.write)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(outbox.run())
            outbox.post("one", {})
            outbox.post("two", {})
            await outbox.deliver("chunk", {"audio": b""}, "r", lambda: taken.append(len(reader.names)))
            outbox.post("three", {})
            await outbox.flushed()
            outbox.close()
        assert reader.names == ["one", "two", "chunk", "three"]
        assert taken == [2]

    run_virtually(work())


def test_a_cancelled_delivery_never_leaves() -> None:
    """Whoever gives up waiting takes the chunk back, uncounted."""

    async def work() -> None:
        reader, taken = Reader(1.0), []
        outbox = Outbox(reader.write)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(outbox.run())
            outbox.post("one", {})
            await asyncio.sleep(0.1)
            delivery = tasks.create_task(outbox.deliver("chunk", {"audio": b""}, "r", lambda: taken.append(1)))
            await asyncio.sleep(0.1)
            delivery.cancel()
            await asyncio.sleep(5)
            outbox.close()
        assert reader.names == ["one"]
        assert taken == []

    run_virtually(work())


def test_what_is_retracted_stays_and_the_rest_goes() -> None:
    """Stopping one reply takes back its events but those that are to leave all the same, and no one else's."""

    async def work() -> None:
        reader = Reader(1.0)
        outbox = Outbox(reader.write)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(outbox.run())
            outbox.post("a1", {}, "a")
            await asyncio.sleep(0.1)
            for name in ("a2", "b1", "a3"):
                outbox.post(name, {}, name[0])
            outbox.retract("a", lambda name: name != "a3")
            await outbox.flushed()
            outbox.close()
        assert reader.names == ["a1", "b1", "a3"]

    run_virtually(work())


def test_a_client_that_takes_nothing_is_closed() -> None:
    """A stuck client is given up after its time; who waits for it is told."""

    async def work() -> None:
        outbox = Outbox(Reader(1e9).write)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(outbox.run())
            outbox.post("one", {})
            with pytest.raises(GoneError):
                await outbox.deliver("chunk", {"audio": b""}, "r", lambda: None)
            assert outbox.closed
            assert asyncio.get_running_loop().time() == STUCK_S

    run_virtually(work())


def test_a_full_outbox_is_closed_and_holds_nothing() -> None:
    """A client that lets too much pile up is given up before it costs more memory than its bound."""

    async def work() -> None:
        outbox = Outbox(Reader(1e9).write)
        text = "x" * 1_000_000
        while not outbox.closed:
            outbox.post("chat:token", {"text": text})
            assert outbox.queued_bytes <= MAX_BYTES
        assert outbox.queued_bytes == 0
        outbox.post("late", {})
        assert outbox.queued_bytes == 0

    run_virtually(work())


def test_a_write_that_fails_closes_the_client_only() -> None:
    """A transport's error ends that client's writing and is logged, not raised."""

    async def work() -> None:
        async def write(name: str, payload: dict[str, Any]) -> None:
            raise OSError("gone")

        outbox = Outbox(write)
        outbox.post("one", {})
        await outbox.run()
        assert outbox.closed

    run_virtually(work())
