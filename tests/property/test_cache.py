"""The disk tier against a plain dictionary, whatever is done to it and in whatever order (invariant 6)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.support.clips import MADE_AT, Clock, files, kept, key, path_of, same

from unavoce.cache.disk.clip_file import DamagedClip, pack
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.kept import Kept, Which
from unavoce.engines.base import Voice

NUMBERS = st.integers(0, 11)
VOICES = [Voice("fake", "tone", "en"), Voice("fake", "other", "en"), Voice("piper", "tone", "en")]
SIZE = len(pack(key(0), kept(0, 1_000)))
PATIENCE = 2_000
"""Turns of tidying, far more than anything takes."""


def voice_of(number: int) -> Voice:
    return VOICES[number % len(VOICES)]


class CacheMachine(RuleBasedStateMachine):
    """`kept` is what a dictionary would hold, `order` the numbers by their last use; `sure` while nothing was damaged,
    so that also the order and the presence of clips can be told; `tight` once nothing is left of larger bounds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="unavoce-")) / "cache"
        self.clock = Clock()
        self.kept: dict[int, Kept] = {}
        self.order: list[int] = []
        self.sure = self.tight = True
        self.disks: list[DiskCache] = []
        self.most_entries = self.most_bytes = 0

    @initialize(entries=st.integers(2, 8), clips=st.integers(2, 8))
    def begin(self, entries: int, clips: int) -> None:
        self._open(entries, clips)
        self.put_many(0, list(range(9)))

    def _open(self, entries: int, clips: int) -> None:
        for disk in self.disks:
            disk.close()
        self.tight = self.tight and entries >= self.most_entries and clips * SIZE >= self.most_bytes
        self.most_entries, self.most_bytes = entries, clips * SIZE
        limits = Limits(max_bytes=self.most_bytes, max_entries=entries, reserve_bytes=0)
        clock: dict[str, Any] = {"now": self.clock.now, "monotonic": self.clock.monotonic}
        self.disks = [DiskCache(self.folder, limits, **clock) for _ in range(2)]

    # -- what a server and a command do

    @rule(handle=st.integers(0, 1), number=NUMBERS, count=st.sampled_from([200, 1_000, 1_900]))
    def put(self, handle: int, number: int, count: int) -> None:
        """After it the bounds hold, by what really lies on the disk."""
        clip = kept(100 * number + count, count, voice=voice_of(number), made_at=MADE_AT + number)
        not_there = key(number) not in files(self.folder)
        fits = len(pack(key(number), clip)) <= self.most_bytes
        assert self.disks[handle].put(key(number), clip) == fits
        if not fits:
            return
        there = files(self.folder)
        self.tight = self.tight or not_there
        if self.tight:  # else what is too much goes in the background
            self._expect_bounds(there)
        if not (self.sure and number in self.kept):  # what is there is left as it is
            self._note_put(number, clip, there)
        self._used(number)
        self._expect_order(there)

    @rule(handle=st.integers(0, 1), numbers=st.lists(NUMBERS, min_size=6, max_size=12, unique=True))
    def put_many(self, handle: int, numbers: list[int]) -> None:
        for number in numbers:
            self.put(handle, number, 200)

    def _note_put(self, number: int, clip: Kept, there: dict[str, int]) -> None:
        before = self.kept.get(number)
        if before is None or not same(self._look(0, number), before):
            self.kept[number] = clip

    def _expect_order(self, there: dict[str, int]) -> None:
        """What went is what was used longest ago; more than that did not go."""
        left = [number for number in self.order if key(number) in there]
        if self.sure:
            assert left == self.order[len(self.order) - len(left) :]
            gone = [number for number in self.order if number not in left]
            if gone:
                size = len(pack(key(gone[-1]), self.kept[gone[-1]]))
                assert len(left) == self.most_entries or sum(there.values()) + size > self.most_bytes
        for number in [number for number in self.order if number not in left]:
            self.order.remove(number)
            self.kept.pop(number, None)

    @rule(handle=st.integers(0, 1), number=NUMBERS)
    def get(self, handle: int, number: int) -> None:
        """A hit is exactly the clip that was put; a miss only where it was removed or damaged."""
        found = self._look(handle, number)
        if found is not None or self.sure:
            assert same(found, self.kept.get(number))

    def _look(self, handle: int, number: int) -> Kept | None:
        try:
            return self.disks[handle].read(key(number))
        except DamagedClip:
            assert not self.sure
            self.disks[handle].discard(key(number))
            return None

    @rule(handle=st.integers(0, 1), numbers=st.lists(NUMBERS, max_size=4, unique=True))
    def note_uses(self, handle: int, numbers: list[int]) -> None:
        self.disks[handle].note({key(number): 1 for number in numbers}, {"hits_disk": len(numbers)})
        for number in numbers:
            if number in self.kept:
                self._used(number)

    def _used(self, number: int) -> None:
        if number in self.order:
            self.order.remove(number)
        self.order.append(number)

    @rule(handle=st.integers(0, 1))
    def tidy(self, handle: int) -> None:
        """It comes to an end, and then the bounds hold also where they have become smaller."""
        for _ in range(PATIENCE):
            if not self.disks[handle].tidy():
                break
        else:
            raise AssertionError("it is never tidy")
        there = files(self.folder)
        self.tight = True
        self._expect_bounds(there)
        self._expect_order(there)

    def _expect_bounds(self, there: dict[str, int]) -> None:
        assert len(there) <= self.most_entries
        assert sum(there.values()) <= self.most_bytes

    @rule(entries=st.integers(2, 8), clips=st.integers(2, 8))
    def restart(self, entries: int, clips: int) -> None:
        """Two new processes, with other bounds."""
        self._open(entries, clips)

    @rule(handle=st.integers(0, 1), number=NUMBERS, by=st.sampled_from(["engine", "voice", "both", "age", "all"]))
    def clear(self, handle: int, number: int, by: str) -> None:
        """Whatever fits is gone, also where it was damaged; nothing else is."""
        voice = voice_of(number)
        which = {
            "engine": Which(engine=voice.engine),
            "voice": Which(voice=voice.name),
            "both": Which(engine=voice.engine, voice=voice.name),
            "age": Which(made_before=MADE_AT + number),
            "all": Which(),
        }[by]
        self.disks[handle].clear(which)
        for other in list(self.kept):
            if which.fits(voice_of(other).engine, voice_of(other).name, MADE_AT + other):
                del self.kept[other]
                self.order.remove(other) if other in self.order else None
                assert self._look(handle, other) is None

    @rule(jump_s=st.floats(-4e9, 4e9))
    def clock_jumps(self, jump_s: float) -> None:
        """Without a greatest age nothing depends on the time of day."""
        self.clock.now_s += jump_s

    # -- what is done to it

    @rule(number=NUMBERS, place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def flip_a_bit_of_a_clip(self, number: int, place: float, bit: int) -> None:
        path = path_of(self.folder, key(number))
        if path.exists():
            content = bytearray(path.read_bytes()) or bytearray(1)  # of one that was truncated nothing may be left
            content[int(place * len(content))] ^= 1 << bit
            path.write_bytes(content)
            self.sure = False

    @rule(number=NUMBERS, left=st.floats(0, 1, exclude_max=True))
    def truncate_a_clip(self, number: int, left: float) -> None:
        path = path_of(self.folder, key(number))
        if path.exists():
            path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
            self.sure = False

    @rule(one=NUMBERS, other=NUMBERS)
    def put_a_clip_in_the_place_of_another(self, one: int, other: int) -> None:
        paths = [path_of(self.folder, key(number)) for number in (one, other)]
        if one != other and paths[0].exists() and paths[1].exists():
            shutil.copyfile(*paths)
            self.sure = False

    @rule(number=NUMBERS)
    def delete_a_clip(self, number: int) -> None:
        path_of(self.folder, key(number)).unlink(missing_ok=True)
        self.sure = False

    @rule()
    def delete_the_index(self) -> None:
        (self.folder / "index.sqlite").unlink(missing_ok=True)
        self.sure = False

    @rule()
    def delete_everything(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.sure = False

    @rule(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def flip_a_bit_of_the_index(self, place: float, bit: int) -> None:
        path = self.folder / "index.sqlite"
        if path.exists() and path.stat().st_size:
            content = bytearray(path.read_bytes()) or bytearray(1)  # of one that was truncated nothing may be left
            content[int(place * len(content))] ^= 1 << bit
            path.write_bytes(content)
            self.sure = False

    # -- what always holds

    @invariant()
    def nothing_is_wrong(self) -> None:
        """Nothing of all that is a trouble of the disk's: it is used on, and mends itself."""
        for disk in self.disks:
            assert disk.problem == ""

    def teardown(self) -> None:
        for disk in self.disks:
            disk.close()
        shutil.rmtree(self.folder.parent, ignore_errors=True)


CacheMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCache = CacheMachine.TestCase
