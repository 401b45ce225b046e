"""The memory tier: bounded, the least recently used going first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clips import kept, key, same

from unavoce.cache.memory import OVERHEAD, MemoryCache

SIZE = 2 * 40 + OVERHEAD
"""Of a test's clip."""


def filled(count: int, *, room_for: int) -> MemoryCache:
    memory = MemoryCache(room_for * SIZE)
    for number in range(count):
        memory.put(key(number), kept(number))
    return memory


def numbers(memory: MemoryCache) -> list[int]:
    """Which clips it holds, the next to go first."""
    names = {key(number): number for number in range(100)}
    return [names[name] for name, _ in memory.items()]


def test_the_least_recently_used_goes_first() -> None:
    """A clip that was got lately outlives one that was put later."""
    memory = filled(3, room_for=3)
    assert memory.get(key(0)) is not None
    memory.put(key(3), kept(3))
    assert numbers(memory) == [2, 0, 3]


def test_asking_whether_it_is_there_is_no_use() -> None:
    """`in` does not save a clip from going."""
    memory = filled(2, room_for=2)
    assert key(0) in memory
    memory.put(key(2), kept(2))
    assert key(0) not in memory


def test_what_is_larger_than_all_of_it_is_not_kept() -> None:
    """A clip beyond the bound leaves the others alone, and one of its own key goes: it would be stale."""
    memory = filled(2, room_for=2)
    memory.put(key(9), kept(9, 10_000))
    assert numbers(memory) == [0, 1]
    memory.put(key(0), kept(0, 10_000))
    assert numbers(memory) == [1]


def test_nothing_is_kept_where_the_tier_is_off() -> None:
    """With a bound of 0 bytes every clip is a miss."""
    memory = filled(3, room_for=0)
    assert (len(memory), memory.bytes, memory.get(key(0))) == (0, 0, None)


def test_a_clip_put_again_is_counted_once() -> None:
    """The newer clip takes the older one's place, and its bytes."""
    memory = filled(1, room_for=3)
    memory.put(key(0), kept(7))
    assert (len(memory), memory.bytes) == (1, SIZE)
    assert same(memory.get(key(0)), kept(7))


def test_removing_what_is_not_there_is_nothing() -> None:
    """It may have gone by itself."""
    memory = filled(1, room_for=1)
    memory.remove(key(5))
    memory.remove(key(0))
    memory.remove(key(0))
    assert (len(memory), memory.bytes) == (0, 0)


def test_samples_that_are_kept_cannot_be_changed() -> None:
    """A clip is handed to many; whoever would write into it is told."""
    memory = filled(1, room_for=1)
    clip = memory.get(key(0))
    assert clip is not None
    with pytest.raises(ValueError, match="read-only"):
        clip.clip.samples[:] = np.int16(0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 200)), max_size=60), st.integers(0, 4))
def test_the_bound_always_holds(steps: list[tuple[bool, int, int]], room: int) -> None:
    """Whatever is put and got, it holds no more than it may, and its count is that of what it holds."""
    memory = MemoryCache(room * SIZE)
    for put, number, count in steps:
        if put:
            memory.put(key(number), kept(number, count))
        else:
            memory.get(key(number))
        held = sum(2 * len(clip.clip.samples) + OVERHEAD for _, clip in memory.items())
        assert memory.bytes == held <= room * SIZE
