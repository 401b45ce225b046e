"""Both tiers: a clip for exactly its voice and text, moved up when it is found, forgotten when it is cleared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.clips import ANY_SIZE, MADE_AT, VOICE, kept, path_of, samples

from unavoce.audio.pcm import Pcm
from unavoce.cache import cache as cache_module
from unavoce.cache.cache import Cache
from unavoce.cache.disk import background
from unavoce.cache.disk.background import BackgroundDisk
from unavoce.cache.disk.tier import DiskCache
from unavoce.cache.kept import Which
from unavoce.cache.key import key_of
from unavoce.cache.memory import MemoryCache
from unavoce.engines.base import Voice
from unavoce.storage.ages import DAY_S, MaxAge

TEXT = "Certainly, sir."
SOUND = Pcm(samples(1, 400), 8_000)
OTHER = replace(VOICE, name="other")


@asynccontextmanager
async def a_cache(folder: Path, *, memory: int = 1 << 20, max_age: MaxAge | None = None) -> AsyncIterator[Cache]:
    """Memory and a real disk tier, as one process has them; everything is written when the block ends."""
    disk = DiskCache(folder / "cache", replace(ANY_SIZE, max_age=max_age))
    cache = Cache(MemoryCache(memory), BackgroundDisk(disk), max_age=max_age)
    try:
        yield cache
    finally:
        await cache.close()


def is_sound(clip: Pcm) -> bool:
    return clip.rate_hz == SOUND.rate_hz and np.array_equal(clip.samples, SOUND.samples)


async def test_a_clip_moves_from_disk_into_memory(tmp_path: Path) -> None:
    """After a restart it is found on disk once, and from then on in memory, also when the disk is gone."""
    async with a_cache(tmp_path) as cache:
        cache.keep(VOICE, TEXT, SOUND, synthesis_s=2.0, cost=0.5)
    async with a_cache(tmp_path) as cache:
        assert cache.recall(VOICE, TEXT) is None
        found = await cache.fetch(VOICE, TEXT)
        assert found is not None
        assert (found.source, found.kept.synthesis_s, found.kept.cost) == ("disk", 2.0, 0.5)
        assert is_sound(found.clip)
        path = path_of(tmp_path / "cache", key_of(VOICE, TEXT))
        await asyncio.to_thread(path.unlink)
        for again in (cache.recall(VOICE, TEXT), await cache.fetch(VOICE, TEXT)):
            assert again is not None
            assert (again.source, is_sound(again.clip)) == ("memory", True)


async def test_another_voice_or_text_is_another_clip(tmp_path: Path) -> None:
    """Neither tier gives one for the other; white space alone makes no difference."""
    async with a_cache(tmp_path) as cache:
        cache.keep(VOICE, TEXT, SOUND)
        for voice, text in [(OTHER, TEXT), (replace(VOICE, speed=1.5), TEXT), (VOICE, TEXT.lower())]:
            assert await cache.fetch(voice, text) is None
        assert await cache.fetch(VOICE, f"  {TEXT} ") is not None


async def test_the_voice_in_the_file_must_be_the_voice(tmp_path: Path) -> None:
    """A file under the right key that says it is another voice's is not served."""
    disk = DiskCache(tmp_path / "cache", ANY_SIZE)
    await asyncio.to_thread(disk.put, key_of(VOICE, TEXT), kept(1, voice=OTHER))
    async with a_cache(tmp_path) as cache:
        assert await cache.fetch(VOICE, TEXT) is None
        assert cache.entries == 0


async def test_without_a_memory_tier_the_disk_serves(tmp_path: Path) -> None:
    """Memory of 0 bytes: every hit is one of the disk's."""
    async with a_cache(tmp_path, memory=0) as cache:
        cache.keep(VOICE, TEXT, SOUND)
    async with a_cache(tmp_path, memory=0) as cache:
        for _ in range(2):
            found = await cache.fetch(VOICE, TEXT)
            assert found is not None
            assert found.source == "disk"
        assert (cache.entries, cache.bytes) == (0, 0)


async def test_without_a_disk_tier_memory_serves() -> None:
    """Everything works, and nothing is a problem."""
    cache = Cache(MemoryCache(1 << 20))
    cache.keep(VOICE, TEXT, SOUND, phrase=True)
    assert (cache.has_disk, cache.problem) == (False, "")
    assert (await cache.fetch(VOICE, TEXT)) is not None
    cache.heard(VOICE, TEXT, cache.recall(VOICE, TEXT))
    await cache.run()
    await cache.close()
    assert cache.hits == {"memory": 1}


async def test_what_is_too_old_is_not_recalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip grows too old in memory as on disk, also while the process runs."""
    now = [MADE_AT]
    async with a_cache(tmp_path, max_age=MaxAge(DAY_S)) as cache:
        monkeypatch.setattr(cache_module.time, "time", lambda: now[0])
        cache.keep(VOICE, TEXT, SOUND)
        assert cache.recall(VOICE, TEXT) is not None
        now[0] += 2 * DAY_S
        assert cache.recall(VOICE, TEXT) is None
        assert (cache.entries, cache.bytes) == (0, 0)


async def test_what_another_process_clears_leaves_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that clears a voice on disk reaches a running server's memory; other voices stay."""
    monkeypatch.setattr(background, "NOTE_S", 0.0)
    async with a_cache(tmp_path) as cache:
        cache.keep(VOICE, TEXT, SOUND)
        cache.keep(OTHER, TEXT, SOUND)
        running = asyncio.create_task(cache.run())
        await until(lambda: cache._disk._clearing is not None)  # type: ignore[union-attr]  # it has begun to listen
        command = DiskCache(tmp_path / "cache", ANY_SIZE)
        assert await asyncio.to_thread(command.clear, Which(voice=VOICE.name)) == 1
        await until(lambda: cache.recall(VOICE, TEXT) is None)
        running.cancel()
        assert cache.recall(OTHER, TEXT) is not None
        assert await cache.fetch(VOICE, TEXT) is None


async def until(happened: Callable[[], bool]) -> None:
    """A thread brings it about; the loop goes round meanwhile."""
    while not happened():  # noqa: ASYNC110 - threads do not tell
        await asyncio.sleep(0)


async def test_a_clip_cleared_during_a_look_does_not_come_back(tmp_path: Path) -> None:
    """It may still be heard, since its look had begun; it is not in memory afterwards."""
    async with a_cache(tmp_path) as cache:
        cache.keep(VOICE, TEXT, SOUND)
    async with a_cache(tmp_path) as cache:
        look = asyncio.create_task(cache.fetch(VOICE, TEXT))
        await asyncio.sleep(0)
        cache.clear(Which())
        await look
        assert cache.recall(VOICE, TEXT) is None


@pytest.mark.parametrize(
    ("which", "left"),
    [(Which(), 0), (Which(engine="fake"), 0), (Which(voice="other"), 1), (Which(engine="none"), 2)],
)
def test_clearing_the_memory(which: Which, left: int) -> None:
    """Just the clips that fit are forgotten."""
    cache = Cache(MemoryCache(1 << 20))
    for voice in (VOICE, OTHER):
        cache.keep(voice, TEXT, SOUND)
    cache.clear(which)
    assert cache.entries == left


async def test_what_was_heard_is_counted_for_good(tmp_path: Path) -> None:
    """Hits by tier, and the seconds and money that they saved, stand in the sums after the process has ended."""
    async with a_cache(tmp_path) as cache:
        cache.heard(VOICE, TEXT, None)
        cache.keep(VOICE, TEXT, SOUND, synthesis_s=2.0, cost=0.5)
        cache.heard(VOICE, TEXT, cache.recall(VOICE, TEXT))
    async with a_cache(tmp_path) as cache:
        cache.heard(VOICE, TEXT, await cache.fetch(VOICE, TEXT))
        assert cache.hits == {"disk": 1}
    sums = await asyncio.to_thread(DiskCache(tmp_path / "cache", ANY_SIZE).sums)
    assert {name: sums[name] for name in ("hits_none", "hits_memory", "hits_disk")} == {
        "hits_none": 1,
        "hits_memory": 1,
        "hits_disk": 1,
    }
    assert (sums["saved_s"], sums["saved_cost"]) == (4.0, 1.0)


async def test_no_text_reaches_the_disk(tmp_path: Path) -> None:
    """Neither a file's name nor a byte of any file, the index among them, tells what was said."""
    spoken = "The combination of the safe is eleven twenty-two."
    async with a_cache(tmp_path) as cache:
        cache.keep(Voice("fake", "tone", "en"), spoken, SOUND, phrase=True)
        cache.heard(VOICE, spoken, cache.recall(VOICE, spoken))
    everything = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    written = b"".join(str(path).encode() + path.read_bytes() for path in everything)
    assert len(everything) >= 2
    assert not [word for word in spoken.split() if len(word) > 4 and word.encode() in written]
