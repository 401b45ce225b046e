"""The disk tier as the event loop sees it: a slow, crowded or broken disk is a miss and nothing more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.clips import ANY_SIZE, files, kept, key, path_of, same

from unavoce.cache.disk import background
from unavoce.cache.disk.background import MOST_NOTED, MOST_READS, BackgroundDisk
from unavoce.cache.disk.clip_file import DamagedClip
from unavoce.cache.disk.tier import DiskCache
from unavoce.cache.kept import Kept, Which
from unavoce.errors import CacheError

PATIENCE_S = 60.0


class ScriptedDisk(DiskCache):
    """A disk tier without a disk. `holds`: while it is set, every call hangs; `done`: what was asked, in order."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere/unavoce"), ANY_SIZE)
        self.clips: dict[str, Kept | Exception] = {}
        self.done: list[tuple[Any, ...]] = []
        self.turns: list[bool | Exception] = []
        self.clearings: list[Which] = []
        self._free = threading.Event()
        self._free.set()
        self.asked = threading.Event()

    def hang(self) -> None:
        self._free.clear()

    def go_on(self) -> None:
        self._free.set()

    def _wait(self) -> None:
        self.asked.set()
        assert self._free.wait(PATIENCE_S)

    def read(self, name: str) -> Kept | None:
        self._wait()
        found = self.clips.get(name)
        if isinstance(found, Exception):
            raise found
        return found

    def put(self, name: str, clip: Kept, *, phrase: bool = False) -> bool:
        self._wait()
        self.done.append(("put", name, phrase))
        return True

    def discard(self, name: str) -> None:
        self.done.append(("discard", name))

    def note(self, uses: Mapping[str, int], counts: Mapping[str, float]) -> None:
        self._wait()
        self.done.append(("note", dict(uses), dict(counts)))

    def clearings_after(self, number: int | None) -> tuple[int, list[Which]]:
        return len(self.clearings), self.clearings[number:] if number is not None else []

    def tidy(self) -> bool:
        self.done.append(("tidy",))
        turn = self.turns.pop(0) if self.turns else False
        if isinstance(turn, Exception):
            raise turn
        return turn

    def close(self) -> None:
        self.done.append(("close",))


@asynccontextmanager
async def over(disk: DiskCache) -> AsyncIterator[BackgroundDisk]:
    tier = BackgroundDisk(disk)
    try:
        yield tier
    finally:
        if isinstance(disk, ScriptedDisk):
            disk.go_on()
        await tier.close()


@contextmanager
def no_patience() -> Any:
    """A look that is not answered at once is given up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "LOOK_S", 0.0)
        yield


async def written(tier: BackgroundDisk) -> None:
    """Everything that was handed over before is done."""
    await tier.do(lambda: None)


async def until(happened: Callable[[], bool]) -> None:
    """A thread brings it about; the loop goes round meanwhile."""
    while not happened():  # noqa: ASYNC110 - threads do not tell
        await asyncio.sleep(0)


async def all_looked(tier: BackgroundDisk) -> None:
    """Every look has been answered, also those that nobody waited for."""
    await until(lambda: not tier._reading)


# -- looking


async def test_a_kept_clip_is_found() -> None:
    """Put and looked for through the loop's own view, over a scripted disk."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.clips[key(1)] = kept(1)
        assert tier.look_s is None
        assert same(await tier.fetch(key(1)), kept(1))
        assert tier.look_s is not None
        assert await tier.fetch(key(2)) is None
        assert tier.problem == ""


async def test_a_disk_that_hangs_is_a_miss() -> None:
    """The look is given up and told as a problem; when the disk answers again, it is none any more."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.clips[key(1)] = kept(1)
        disk.hang()
        with no_patience():
            assert await tier.fetch(key(1)) is None
        assert "no answer within" in tier.problem
        assert "remedy" in tier.problem
        disk.go_on()
        await all_looked(tier)
        assert tier.problem == ""
        assert same(await tier.fetch(key(1)), kept(1))


async def test_crowded_looks_are_misses_at_once() -> None:
    """While so many are waited for, no other one takes any time or any thread."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.hang()
        disk.clips[key(1)] = kept(1)
        looks = [asyncio.create_task(tier.fetch(key(1))) for _ in range(MOST_READS)]
        await asyncio.sleep(0)
        assert await tier.fetch(key(1)) is None  # without waiting for the disk, which still hangs
        disk.go_on()
        assert all(same(found, kept(1)) for found in await asyncio.gather(*looks))
        assert same(await tier.fetch(key(1)), kept(1))


async def test_given_up_looks_stay_counted_until_the_disk_answers() -> None:
    """A disk that hangs for long is not asked again and again."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.hang()
        with no_patience():
            for number in range(MOST_READS):
                await tier.fetch(key(number))
        assert await tier.fetch(key(1)) is None
        disk.go_on()
        await all_looked(tier)


async def test_a_damaged_clip_is_discarded(caplog: pytest.LogCaptureFixture) -> None:
    """It is a miss, goes from the disk, and is told in the log."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.clips[key(1)] = DamagedClip("its digest does not fit")
        assert await tier.fetch(key(1)) is None
        await written(tier)
        assert disk.done == [("discard", key(1))]
    assert "cached_clip_damaged" in caplog.text


async def test_a_damaged_clip_is_discarded_also_when_nobody_waits() -> None:
    """A look that was given up, or whose asker was cancelled, is still seen to."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.clips[key(1)] = DamagedClip("torn")
        disk.hang()
        look = asyncio.create_task(tier.fetch(key(1)))
        await asyncio.sleep(0)
        look.cancel()
        with pytest.raises(asyncio.CancelledError):
            await look
        disk.go_on()
        await all_looked(tier)
        await written(tier)
        assert disk.done == [("discard", key(1))]


@pytest.mark.parametrize("error", [CacheError("not yours; remedy: none"), ZeroDivisionError("a mistake of ours")])
async def test_whatever_a_look_raises_is_a_miss(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Speech goes on: a folder that is not ours is told as a problem, a mistake of ours with its traceback."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.clips[key(1)] = error
        assert await tier.fetch(key(1)) is None
        assert tier.problem == (str(error) if isinstance(error, CacheError) else "")
    assert type(error).__name__ in caplog.text or isinstance(error, CacheError)


# -- keeping


async def test_what_waits_to_be_written_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound that comes while too much waits is not kept; when that was written there is room again."""
    size = kept(0).clip.samples.nbytes
    monkeypatch.setattr(background, "MOST_PENDING_BYTES", 3 * size)
    async with over(disk := ScriptedDisk()) as tier:
        disk.hang()
        for number in range(9):
            tier.keep(key(number), kept(number))
        disk.go_on()
        await written(tier)
        tier.keep(key(20), kept(20), phrase=True)
        await written(tier)
    puts = [step[1:] for step in disk.done if step[0] == "put"]
    assert puts == [(key(0), False), (key(1), False), (key(2), False), (key(20), True)]


async def test_uses_are_noted_in_their_order() -> None:
    """The clip used last stands at the end, each with how often it was; counts are added up."""
    async with over(disk := ScriptedDisk()) as tier:
        for number in (1, 2, 1):
            tier.used(key(number))
        tier.count({"hits_disk": 1})
        tier.count({"hits_disk": 2, "saved_s": 0.5})
        await tier.flush()
        note = disk.done[-1]
        assert list(note[1].items()) == [(key(2), 1), (key(1), 2)]
        assert note[2] == {"hits_disk": 3, "saved_s": 0.5}


async def test_notes_are_bounded() -> None:
    """Beyond so many clips further ones are not noted until the next writing; those known still are."""
    async with over(disk := ScriptedDisk()) as tier:
        for number in range(MOST_NOTED + 5):
            tier.used(key(number))
        tier.used(key(0))
        await tier.flush()
        assert len(disk.done[-1][1]) == MOST_NOTED
        assert disk.done[-1][1][key(0)] == 2


# -- closing


async def test_closing_writes_everything() -> None:
    """What was kept and noted is on disk when the process ends, in that order; afterwards nothing is taken."""
    disk = ScriptedDisk()
    async with over(disk) as tier:
        disk.hang()
        tier.keep(key(1), kept(1))
        tier.used(key(1))
        tier.count({"hits_none": 1})
    assert disk.done == [("put", key(1), False), ("note", {key(1): 1}, {"hits_none": 1}), ("close",)]
    tier.keep(key(2), kept(2))
    tier.used(key(2))
    await tier.flush()
    await tier.close()
    assert await tier.fetch(key(1)) is None
    assert disk.done[-1] == ("close",)


async def test_closing_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the disk hangs the process stops all the same, and says that something was not written."""
    monkeypatch.setattr(background, "CLOSE_S", 0.0)
    disk = ScriptedDisk()
    tier = BackgroundDisk(disk)
    disk.hang()
    tier.keep(key(1), kept(1))
    await tier.close()
    assert "cache_not_flushed" in caplog.text
    disk.go_on()


async def test_a_look_that_ends_after_closing_is_nothing() -> None:
    """A damaged clip that is found then is left for the next time."""
    disk = ScriptedDisk()
    tier = BackgroundDisk(disk)
    disk.clips[key(1)] = DamagedClip("torn")
    disk.hang()
    look = asyncio.create_task(tier.fetch(key(1)))
    await until(disk.asked.is_set)
    closing = asyncio.create_task(tier.close())
    await asyncio.sleep(0)
    disk.go_on()
    assert await look is None
    await closing


def test_a_process_ends_although_its_disk_hangs() -> None:
    """The interpreter's own end does not wait for the threads of the cache either."""
    program = """
        import asyncio, threading
        from pathlib import Path
        from tests.support.clips import ANY_SIZE, kept, key
        from unavoce.cache.disk import background
        from unavoce.cache.disk.tier import DiskCache

        class Hanging(DiskCache):
            def read(self, key): threading.Event().wait()
            def put(self, *_, **__): threading.Event().wait()

        async def main():
            background.LOOK_S = background.CLOSE_S = 0.0
            tier = background.BackgroundDisk(Hanging(Path("/nowhere"), ANY_SIZE))
            tier.keep(key(1), kept(1))
            await tier.fetch(key(1))
            await tier.close()
            print("closed")

        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (0, "closed\n"), done.stderr


# -- in the background


async def rounds(tier: BackgroundDisk, cleared: Callable[[Which], None], happened: Callable[[], bool]) -> None:
    """Run it, without pauses, until something has come of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "NOTE_S", 0.0)
        running = asyncio.create_task(tier.run(cleared))
        await until(lambda: happened() or running.done())
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_what_another_process_cleared_is_told_once() -> None:
    """Only what is cleared from now on, each in its turn."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.clearings.append(Which(engine="before"))
        told: list[Which] = []
        await rounds(tier, told.append, lambda: ("tidy",) in disk.done)
        disk.clearings += [Which(engine="a"), Which(voice="b")]
        await rounds(tier, told.append, lambda: len(told) == 2)
        assert told == [Which(engine="a"), Which(voice="b")]


async def test_tidying_goes_on_as_long_as_there_is_more() -> None:
    """And not again before its time: a writing that came meanwhile is not kept waiting."""
    async with over(disk := ScriptedDisk()) as tier:
        disk.turns = [True, True, False]
        tier.used(key(1))
        await rounds(tier, lambda _: None, lambda: any(step[0] == "note" for step in disk.done))
        assert disk.done.count(("tidy",)) == 3


async def test_a_mistake_in_the_background_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with its traceback; notes are still written, and the task runs on."""
    caplog.set_level(logging.ERROR)
    async with over(disk := ScriptedDisk()) as tier:
        disk.turns = [ZeroDivisionError("a mistake of ours")]
        tier.used(key(1))
        await rounds(tier, lambda _: None, lambda: any(step[0] == "note" for step in disk.done))
        assert any(step[0] == "note" for step in disk.done)
    assert "ZeroDivisionError" in caplog.text


# -- over a real folder


async def test_a_clip_is_kept_found_and_discarded_on_a_real_disk(tmp_path: Path) -> None:
    """From the loop to the files and back, with nothing of it blocking the loop."""
    async with over(DiskCache(tmp_path / "cache", ANY_SIZE)) as tier:
        tier.keep(key(1), kept(1))
        await written(tier)
        assert same(await tier.fetch(key(1)), kept(1))
        assert await tier.most_used(5, 1) == []
        tier.used(key(1))
        await tier.flush()
        assert await tier.most_used(5, 1) == [key(1)]
        path = path_of(tmp_path / "cache", key(1))
        await asyncio.to_thread(path.write_bytes, b"RIFF")
        assert await tier.fetch(key(1)) is None
        await written(tier)
        assert await asyncio.to_thread(files, tmp_path / "cache") == {}
