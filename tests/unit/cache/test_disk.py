"""The disk tier: exact clips within bounds, whatever the clock, other processes and the disk do."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.clips import ANY_SIZE, MADE_AT, VOICE, Clock, files, kept, key, path_of, same, tidied

from unavoce.cache.disk.clip_file import DamagedClip, pack
from unavoce.cache.disk.index import Index
from unavoce.cache.disk.tier import REST_S, DiskCache, Limits
from unavoce.cache.kept import Which
from unavoce.engines.base import Voice
from unavoce.errors import CacheError
from unavoce.storage.ages import DAY_S, RELEASED, MaxAge

SIZE = len(pack(key(0), kept(0)))
"""Of a test's clip as a file."""
OTHER = Voice("fake", "other", "en")
Make = Callable[..., DiskCache]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Make:
    """Another handle on the same folder, as another process has one."""

    def made(**limits: Any) -> DiskCache:
        return DiskCache(
            tmp_path / "cache", Limits(**{"reserve_bytes": 0, **limits}), now=clock.now, monotonic=clock.monotonic
        )

    return made


def fill(disk: DiskCache, *numbers: int, **about: Any) -> None:
    for number in numbers:
        assert disk.put(key(number), kept(number, **about))


def held(disk: DiskCache) -> set[int]:
    """Which clips really lie on disk."""
    names = {key(number): number for number in range(1000)}
    return {names[name] for name in files(disk.folder.path)}


def uncounted(disk: DiskCache) -> int:
    """Files without a row, after all; and the sums are checked."""
    disk._notebook.using(disk._shelf.check)
    return sum(disk.reconcile(f"{shard:02x}")[1] for shard in range(256))


# -- what comes back


def test_a_clip_comes_back_in_another_process(make: Make) -> None:
    """Every sample and all that is known of it; what was never put is a miss."""
    fill(make(), 1)
    assert same(make().read(key(1)), kept(1))
    assert make().read(key(2)) is None


def test_making_one_touches_nothing(tmp_path: Path, make: Make) -> None:
    """Also looking for a clip makes no folder: a start costs nothing, whatever is in the cache."""
    assert make().read(key(1)) is None
    assert not make().has(key(1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["cut", "flip", "swap", "empty", "folder", "pipe", "link", "forbidden"])
def test_a_damaged_file_is_a_miss_and_goes(make: Make, harm: str) -> None:
    """Whatever stands in a clip's place, it is never served; once discarded the clip can be kept again."""
    disk = make()
    fill(disk, 1, 2)
    path = path_of(disk.folder.path, key(1))
    do_harm(path, harm, path_of(disk.folder.path, key(2)))
    if harm == "forbidden" and os.geteuid() == 0:
        assert same(disk.read(key(1)), kept(1))  # nothing is forbidden to root
        return
    with pytest.raises(DamagedClip):
        disk.read(key(1))
    disk.discard(key(1))
    assert disk.read(key(1)) is None
    fill(disk, 1)
    assert same(disk.read(key(1)), kept(1))
    assert same(disk.read(key(2)), kept(2))
    assert (disk.sums()["entries"], uncounted(disk)) == (2, 0)


def do_harm(path: Path, harm: str, other: Path) -> None:
    content = path.read_bytes()
    if harm == "forbidden":
        path.chmod(0)
        return
    path.unlink()
    if harm == "folder":
        path.mkdir()
    elif harm == "pipe":
        os.mkfifo(path)
    elif harm == "link":
        path.symlink_to(other)
    else:
        flipped = bytes([*content[:-50], content[-50] ^ 1, *content[-49:]])
        path.write_bytes({"cut": content[:-1], "flip": flipped, "swap": other.read_bytes(), "empty": b""}[harm])


def test_what_was_put_right_meanwhile_is_not_discarded(make: Make) -> None:
    """Another process may have replaced a damaged file between the look and the discarding."""
    disk = make()
    fill(disk, 1)
    disk.discard(key(1))
    assert same(disk.read(key(1)), kept(1))


def test_want_of_descriptors_costs_no_clip(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be opened just now is trouble of this machine's, and not a damaged clip."""
    disk = make()
    fill(disk, 1)

    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("unavoce.cache.disk.folder.os.open", refuse)
        with pytest.raises(CacheError, match="Too many open files"):
            disk.read(key(1))
    assert same(disk.read(key(1)), kept(1))


@pytest.mark.parametrize("name", ["\ud83d", "v" * 5000])
def test_what_could_not_be_read_back_is_not_written(make: Make, name: str) -> None:
    """Names that do not fit into the file's beginning would be lost with the index: they are not kept at all."""
    disk = make()
    assert not disk.put(key(1), kept(1, voice=Voice("fake", name, "en")))
    assert (files_or_none(disk), disk.problem) == ({}, "")


def files_or_none(disk: DiskCache) -> dict[str, int]:
    return files(disk.folder.path) if disk.folder.path.exists() else {}


# -- bounds


def test_entries_are_bounded(make: Make) -> None:
    """The least recently used goes; a use that was noted counts, the last of several the most."""
    disk = make(max_entries=4)
    fill(disk, 1, 2, 3, 4)
    disk.note({key(2): 1, key(1): 1}, {})
    fill(disk, 5)
    assert held(disk) == {1, 2, 4, 5}
    fill(disk, 6, 7)
    assert held(disk) == {1, 5, 6, 7}


def test_putting_again_is_a_use(make: Make) -> None:
    """A clip that is there already is not written twice, and goes later."""
    disk = make(max_entries=2)
    fill(disk, 1, 2)
    before = path_of(disk.folder.path, key(1)).stat()
    fill(disk, 1, 3)
    after = path_of(disk.folder.path, key(1)).stat()
    assert held(disk) == {1, 3}
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_bytes_are_bounded(make: Make) -> None:
    """As many go as must for a large one; one larger than the whole tier is not kept and costs nothing."""
    disk = make(max_bytes=4 * SIZE)
    fill(disk, 1, 2, 3, 4)
    assert disk.put(key(5), kept(5, 40 + SIZE // 2))
    assert held(disk) == {3, 4, 5}
    assert not disk.put(key(6), kept(6, 4 * SIZE))
    assert held(disk) == {3, 4, 5}
    assert sum(files(disk.folder.path).values()) == disk.sums()["bytes"] <= 4 * SIZE


def test_a_tier_of_nothing_keeps_nothing(make: Make) -> None:
    """With no entries or no bytes allowed nothing is written, and nothing is wrong."""
    for limits in ({"max_entries": 0}, {"max_bytes": 0}):
        disk = make(**limits)
        assert not disk.put(key(1), kept(1))
        assert disk.problem == ""


def test_smaller_bounds_hold_from_the_next_start(make: Make) -> None:
    """What a larger cache left is removed in the background, a batch at a time, the oldest first."""
    fill(make(), *range(100))
    disk = make(max_entries=10)
    turns = 0
    while disk.tidy():
        turns += 1
    assert held(disk) == set(range(90, 100))
    assert turns > 3


def test_smaller_bounds_hold_at_the_first_put(make: Make) -> None:
    """Before anything is added, what is too much has gone."""
    fill(make(), *range(100))
    disk = make(max_entries=10)
    fill(disk, 200)
    assert held(disk) == {*range(91, 100), 200}


@pytest.mark.parametrize("lose", ["index", "content"])
def test_bounds_hold_also_where_the_index_is_lost(make: Make, lose: str) -> None:
    """Files that no index knows of count before the next clip is written; none of them is lost for it."""
    fill(make(), *range(20))
    disk = make(max_entries=20)
    index = disk.folder.path / "index.sqlite"
    index.unlink() if lose == "index" else index.write_bytes(b"rubbish" * 500)
    fill(disk, 100)
    assert len(held(disk)) == 20
    assert (disk.sums()["entries"], uncounted(disk)) == (20, 0)


def test_wrong_sums_do_not_empty_the_cache(make: Make) -> None:
    """An index that claims far more than there is costs a batch of clips, and is then made anew."""
    disk = make(max_entries=1000)
    fill(disk, *range(100))
    disk._notebook.using(lambda index: index.count({"bytes": 1e12}))
    fill(disk, 100)
    assert len(held(disk)) >= 100 - 64
    assert uncounted(disk) == 0


def test_a_file_that_will_not_go_keeps_its_row(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It still counts, others go in its place, and writing goes on."""
    disk = make(max_entries=3)
    fill(disk, 1, 2, 3)
    remove = disk.folder.remove

    def refuse(name: str) -> None:
        if name == key(1):
            raise PermissionError(errno.EPERM, "Operation not permitted")
        remove(name)

    monkeypatch.setattr(disk.folder, "remove", refuse)
    fill(disk, 4, 5)
    assert held(disk) == {1, 4, 5}
    assert (disk.sums()["entries"], disk.problem) == (3, "")


def test_where_nothing_will_go_nothing_is_written(make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends, says so, and the bounds hold."""
    disk = make(max_entries=3)
    fill(disk, 1, 2, 3)

    def refuse(_: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(disk.folder, "remove", refuse)
        assert not disk.put(key(4), kept(4))
    assert (held(disk), "remedy" in disk.problem) == ({1, 2, 3}, True)
    clock.since_start_s += REST_S
    fill(disk, 4)
    assert disk.problem == ""


# -- age, and clocks that are wrong


def aged(days: float) -> dict[str, Any]:
    return {"max_age": MaxAge(days * DAY_S)}


def test_what_is_too_old_is_not_served_and_goes(make: Make, clock: Clock) -> None:
    """From the moment it is too old, whether or not it has been removed yet."""
    disk = make(**aged(30))
    fill(disk, 1)
    clock.now_s += 29 * DAY_S
    fill(disk, 2, made_at=clock.now_s)
    assert disk.read(key(1)) is not None
    clock.now_s += 2 * DAY_S
    assert disk.read(key(1)) is None
    tidied(disk)
    assert held(disk) == {2}


def test_what_is_too_old_is_replaced(make: Make, clock: Clock) -> None:
    """A clip made anew takes the place of one that may not be served any more, before that was removed."""
    disk = make(**aged(1))
    assert disk.put(key(1), kept(1), phrase=True)
    clock.now_s += 2 * DAY_S
    fill(disk, 1, made_at=clock.now_s)
    assert same(disk.read(key(1)), kept(1, made_at=clock.now_s))
    assert disk._notebook.using(lambda index: index.is_phrase(key(1)))


def test_a_clock_that_is_not_set_yet_makes_nothing_old(make: Make, clock: Clock) -> None:
    """A small computer that starts in 1970 keeps its cache; what it makes before it knows the time goes later."""
    disk = make(**aged(30))
    fill(disk, 1)
    clock.now_s = 60.0
    assert same(disk.read(key(1)), kept(1))
    fill(disk, 2, made_at=60.0)
    assert disk.read(key(2)) is not None
    tidied(disk)
    assert held(disk) == {1, 2}
    clock.now_s = MADE_AT + DAY_S
    assert disk.read(key(2)) is None
    tidied(disk)
    assert held(disk) == {1}


def test_a_clock_that_was_ahead_keeps_nothing_for_ever(make: Make, clock: Clock) -> None:
    """A clip dated into the future would never grow old: once the clock is right it goes."""
    disk = make(**aged(30))
    clock.now_s = MADE_AT + 3650 * DAY_S
    fill(disk, 1, made_at=clock.now_s)
    assert disk.read(key(1)) is not None
    clock.now_s = MADE_AT
    assert disk.read(key(1)) is None
    tidied(disk)
    assert held(disk) == set()


@pytest.mark.parametrize("jump_s", [-(MADE_AT - RELEASED), -MADE_AT, -2 * MADE_AT, -3600.0, 3600.0, 1e9])
def test_without_a_greatest_age_the_clock_does_not_matter(make: Make, clock: Clock, jump_s: float) -> None:
    """However it jumps, everything is served, kept in the order of use, and nothing goes."""
    disk = make(max_entries=3)
    fill(disk, 1, 2, 3)
    clock.now_s += jump_s
    disk.note({key(1): 1}, {})
    tidied(disk)
    assert all(same(disk.read(key(number)), kept(number)) for number in (1, 2, 3))
    fill(disk, 4, made_at=clock.now_s)
    assert held(disk) == {1, 3, 4}


def test_counts_of_use_fade(make: Make, clock: Clock) -> None:
    """What was said often last month is not said often now."""
    disk = make()
    fill(disk, 1, 2)
    tidied(disk)
    disk.note({key(1): 5, key(2): 2}, {})
    assert disk.most_used(9, 3) == [key(1)]
    clock.now_s += 8 * DAY_S
    tidied(disk)
    tidied(disk)
    assert (disk.most_used(9, 3), disk.most_used(9, 2)) == ([], [key(1)])


# -- privacy


def test_only_phrases_reach_the_disk_where_that_is_asked(make: Make) -> None:
    """No other clip is ever written; those that were written before go."""
    fill(make(), 1, 2)
    disk = make(phrases_only=True)
    assert not disk.put(key(3), kept(3))
    assert disk.put(key(2), kept(2), phrase=True)
    assert disk.put(key(4), kept(4), phrase=True)
    tidied(disk)
    assert held(disk) == {2, 4}


def test_what_a_kill_left_half_written_goes(make: Make) -> None:
    """It is somebody's sound: it does not stay until the next clip is written."""
    disk = make()
    fill(disk, 1)
    (disk.folder.path / "new.wav").write_bytes(b"half")
    tidied(disk)
    assert not (disk.folder.path / "new.wav").exists()


# -- clearing


def voices(disk: DiskCache) -> None:
    """1, 2: one voice, an older and a newer clip; 3: another voice; 4: another engine."""
    fill(disk, 1)
    fill(disk, 2, made_at=MADE_AT + 10)
    fill(disk, 3, voice=OTHER)
    fill(disk, 4, voice=Voice("piper", "tone", "en"))


@pytest.mark.parametrize(
    ("which", "left"),
    [
        (Which(), set()),
        (Which(engine="piper"), {1, 2, 3}),
        (Which(voice="tone"), {3}),
        (Which(engine="fake", voice="tone"), {3, 4}),
        (Which(made_before=MADE_AT + 5), {2}),
        (Which(engine="none"), {1, 2, 3, 4}),
    ],
)
@pytest.mark.parametrize("lost", [False, True])
def test_clearing_while_another_process_works(make: Make, which: Which, left: set[int], lost: bool) -> None:
    """Just the clips that fit go, and are counted; the other goes on writing, and learns what was cleared."""
    server, command = make(), make()
    voices(server)
    known, _ = server.clearings_after(None)
    if lost:
        (server.folder.path / "index.sqlite").unlink()
    assert command.clear(which) == 4 - len(left)
    assert held(command) == left
    assert server.clearings_after(known)[1] == [which]
    fill(server, 9)
    assert held(server) == left | {9}
    assert (server.sums()["entries"], uncounted(server)) == (len(left) + 1, 0)


def test_clearing_goes_by_the_files(make: Make) -> None:
    """Also where the index says something else of a clip: what was to go is gone."""
    disk = make()
    fill(disk, 1, 2)
    disk._notebook.using(lambda index: index._run("UPDATE clips SET voice = 'tune'", ()))
    assert disk.clear(Which(voice="tone")) == 2
    assert held(disk) == set()


def test_clearing_everything_leaves_nothing_behind(make: Make) -> None:
    """Damaged files go as well, and one that was in the making."""
    disk = make()
    fill(disk, 1)
    path_of(disk.folder.path, key(1)).write_bytes(b"rubbish")
    (disk.folder.path / "new.wav").write_bytes(b"half")
    disk.clear(Which())
    assert (files(disk.folder.path), (disk.folder.path / "new.wav").exists()) == ({}, False)


def test_clearing_what_cannot_be_cleared_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked learns that clips are still there."""
    disk = make()
    fill(disk, 1)

    def refuse(_: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(disk.folder, "remove", refuse)
    with pytest.raises(CacheError, match="not permitted"):
        disk.clear(Which())


# -- two processes


def test_two_processes_keep_a_clip_once(make: Make) -> None:
    """The second finds the first one's file and leaves it; the sums count it once."""
    one, two = make(), make()
    fill(one, 1)
    before = path_of(one.folder.path, key(1)).stat().st_ino
    fill(two, 1)
    assert path_of(one.folder.path, key(1)).stat().st_ino == before
    assert (one.sums()["entries"], two.sums()["entries"]) == (1, 1)
    assert same(two.read(key(1)), kept(1))


def test_two_processes_share_their_bounds(make: Make) -> None:
    """Uses that one noted save a clip from the other."""
    one, two = make(max_entries=3), make(max_entries=3)
    fill(one, 1, 2)
    fill(two, 3)
    one.note({key(1): 1}, {})
    fill(two, 4)
    assert held(one) == held(two) == {1, 3, 4}


def test_two_processes_learn_of_every_file_together(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both take up a lost index's files at a time, no part of the folder is passed over."""
    fill(make(), *range(40))
    (make().folder.path / "index.sqlite").unlink()
    one, two = make(), make()
    one.tidy()
    two.tidy()
    sums, others_turns = Index.sums, iter(range(20))

    def meanwhile(index: Index) -> dict[str, float]:
        found = sums(index)
        if (
            index is one._notebook._index
            and not index._database.in_transaction
            and next(others_turns, None) is not None
        ):
            two.tidy()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Index, "sums", meanwhile)
        tidied(one)
    assert (one.problem, two.problem) == ("", "")
    assert (one.sums()["entries"], uncounted(one)) == (40, 0)


def test_the_folder_may_vanish(make: Make) -> None:
    """Removed under a running server, it is made again, and its clips are misses."""
    disk = make()
    fill(disk, 1)
    disk.folder.path.rename(disk.folder.path.with_name("gone"))
    assert disk.read(key(1)) is None
    fill(disk, 2)
    assert (held(disk), disk.sums()["entries"]) == ({2}, 1)


def test_a_lost_index_is_noticed_in_mid_write(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is left that the new index does not know of."""
    disk = make()
    fill(disk, 1)
    write = disk.folder.write

    def lose(name: str, data: bytes) -> None:
        write(name, data)
        (disk.folder.path / "index.sqlite").unlink()
        tidied(make())

    with monkeypatch.context() as patch:
        patch.setattr(disk.folder, "write", lose)
        disk.put(key(2), kept(2))
    assert uncounted(disk) == 0


# -- trouble


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O error")])
def test_a_disk_that_refuses_is_left_alone_for_a_while(
    make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    """Nothing is raised; `problem` says why until a clip could be written again; clips are served all the time."""
    disk = make()
    fill(disk, 1)
    tried: list[str] = []

    def refuse(name: str, _: bytes) -> None:
        tried.append(name)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(disk.folder, "write", refuse)
        assert not disk.put(key(2), kept(2))
        assert not disk.put(key(3), kept(3))
    assert tried == [key(2)]
    assert str(error.strerror) in disk.problem
    assert "remedy" in disk.problem
    assert same(disk.read(key(1)), kept(1))
    assert not disk.put(key(3), kept(3))
    clock.since_start_s += REST_S
    assert disk.put(key(3), kept(3))
    assert disk.problem == ""
    assert uncounted(disk) == 0


def test_a_disk_that_is_nearly_full_is_not_filled(make: Make) -> None:
    """Below the reserve nothing is written, and the message is the same each time."""
    disk = make(reserve_bytes=1 << 60)
    assert not disk.put(key(1), kept(1))
    assert "nearly full; remedy" in disk.problem
    assert files(disk.folder.path) == {}


def test_a_lock_that_passed_is_no_problem_any_more(make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What kept notes from being written is forgotten as soon as they can be, without waiting for a new clip."""
    monkeypatch.setattr("unavoce.storage.database.BUSY_S", 0.0)
    disk, other = make(), make()
    fill(disk, 1)

    def hold(index: Index) -> None:
        with index.writing():
            disk.note({}, {"hits_disk": 1})

    disk.close()
    other._notebook.using(hold)
    assert "locked" in disk.problem
    clock.since_start_s += REST_S
    disk.note({}, {"hits_disk": 1})
    assert disk.problem == ""


def test_the_folder_of_others_is_never_used(make: Make) -> None:
    """Nothing is read or written, and the reason is told with the remedy."""
    fill(make(), 1)
    disk = make()
    disk.folder.path.chmod(0o777)
    with pytest.raises(CacheError, match="chmod go-w"):
        disk.read(key(1))
    assert not disk.put(key(2), kept(2))
    assert "chmod go-w" in disk.problem
    with pytest.raises(CacheError, match="chmod go-w"):
        disk.sums()
    assert set(files(disk.folder.path)) == {key(1)}


def test_a_folder_that_can_be_written_again_is(make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that could only be read is opened anew after the rest."""
    fill(make(), 1)
    disk = make()
    with monkeypatch.context() as patch:
        patch.setattr("unavoce.cache.disk.notebook.os.access", lambda *_: False)
        assert disk.sums()["entries"] == 1
        assert not disk.tidy()
        assert not disk.put(key(2), kept(2))
        assert "readonly" in disk.problem
    clock.since_start_s += REST_S
    fill(disk, 2)
    assert held(disk) == {1, 2}


def test_default_limits_leave_room_for_others() -> None:
    """A quarter of a gibibyte stays free, and there is a bound on entries and bytes."""
    assert (Limits().reserve_bytes, Limits().max_bytes, Limits().max_entries) == (256 << 20, 1 << 30, 10_000)
    assert ANY_SIZE.max_age is None
    assert VOICE != OTHER
