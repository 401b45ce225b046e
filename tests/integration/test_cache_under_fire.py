"""The disk tier under fire, with real processes: killed at any instant, out of space, without the right to write."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.clips import files, fingerprint, kept, key, path_of, tidied

from unavoce.cache.disk.tier import DiskCache, Limits

PATIENCE_S = 60.0
NUMBERS = 60
"""Clips that writers choose from: more than the bounds let stay."""
LIMITS = Limits(max_bytes=40_000, max_entries=25, reserve_bytes=0)
ROUNDS = 15

WRITER = f"""
import random, sys
from pathlib import Path
from tests.support.clips import kept, key
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.kept import Which

chance = random.Random(int(sys.argv[2]))
disk = DiskCache(Path(sys.argv[1]), Limits(max_bytes=40_000, max_entries=25, reserve_bytes=0))
while True:
    number = chance.randrange({NUMBERS})
    if disk.read(key(number)) is None:
        disk.put(key(number), kept(number, 50 * number + 1))
    disk.note({{key(number): 1}}, {{"hits_disk": 1}})
    if chance.random() < float(sys.argv[3]):
        disk.clear(Which(made_before=1e12))
    print(disk.problem, flush=True)
"""


def clip(number: int):  # type: ignore[no-untyped-def]
    """As the writers make it: sizes differ, so that a wrong one would be told."""
    return kept(number, 50 * number + 1)


@contextmanager
def writer(folder: Path, seed: int, clearing: float = 0.0) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes, evicts, notes and clears, and prints a line at each step: its problem, mostly none."""
    command = [sys.executable, "-c", WRITER, str(folder), str(seed), str(clearing)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def let_it(process: subprocess.Popen[bytes], steps: int) -> list[str]:
    """Read its progress: that many steps more; what it said."""
    assert process.stdout is not None
    return [process.stdout.readline().decode().strip() for _ in range(steps)]


def look_over(folder: Path) -> DiskCache:
    """What must hold after every kill: it opens, what it serves is exact, and no more lies there than may."""
    disk = DiskCache(folder, LIMITS)
    sums = disk.sums()
    there = files(folder)
    assert len(there) <= sums["entries"] <= LIMITS.max_entries
    assert sum(there.values()) <= LIMITS.max_bytes
    assert there.keys() <= set(disk._notebook.using(lambda index: index.oldest(1_000)))  # no file without a row
    for number in range(NUMBERS):
        found = disk.read(key(number))
        assert found is None or same_sound(found, number)
    return disk


def same_sound(found: object, number: int) -> bool:
    return fingerprint(found) == fingerprint(clip(number))  # type: ignore[arg-type]


def assert_counted(disk: DiskCache) -> None:
    """No file is without its row."""
    assert sum(disk.reconcile(f"{shard:02x}")[1] for shard in range(256)) == 0
    assert disk.sums()["entries"] == len(files(disk.folder.path))


def test_killed_at_any_instant(tmp_path: Path) -> None:
    """A writer is killed (-9) again and again, at seeded points of its way; whatever it left is whole, and counted."""
    chance = random.Random(4)  # noqa: S311 - to be repeated
    folder = tmp_path / "cache"
    for number in range(ROUNDS):
        with writer(folder, number) as process:
            let_it(process, chance.randrange(1, 120))
            busily(chance.randrange(40_000))
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
        look_over(folder).close()
    disk = tidied(look_over(folder))
    assert disk.problem == ""
    assert_counted(disk)
    assert disk.put(key(0), clip(0))


def busily(turns: int) -> None:
    """Lets a little of another process's work go by, without the clock: the kill comes in the middle of a step."""
    for _ in range(turns):
        pass


EVERY_LINE = """
import os, shutil, signal, sys
from pathlib import Path
from tests.support.clips import files, kept, key, path_of, same
from unavoce.cache.disk.clip_file import DamagedClip
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.kept import Which

template, folder = Path(sys.argv[1]), Path(sys.argv[2])
limits = Limits(max_entries=3, reserve_bytes=0)

def begin():
    disk = DiskCache(template, limits)
    for number in (1, 2, 3):
        assert disk.put(key(number), kept(number))
    while disk.tidy():
        pass
    path_of(template, key(2)).write_bytes(b"rubbish")
    disk.close()

def work(disk):
    disk.put(key(4), kept(4))
    disk.discard(key(2))
    disk._notebook.using(lambda index: disk._shelf.clear(index, Which(), key(4)[:2]))
    disk.put(key(2), kept(2))

def killed_at(line):
    def trace(frame, event, _):
        nonlocal line
        if "unavoce/cache" not in frame.f_code.co_filename.replace(os.sep, "/"):
            return None
        line -= event == "line"
        if line < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    child = os.fork()
    if not child:
        disk = DiskCache(folder, limits)
        sys.settrace(trace)
        work(disk)
        os._exit(0)
    return os.waitpid(child, 0)[1]

def check(line):
    disk = DiskCache(folder, limits)
    rows = set(disk._notebook.using(lambda index: index.oldest(100)))
    there = files(folder)
    assert there.keys() <= rows, f"a file without a row after line {line}"
    assert len(there) <= limits.max_entries, f"too many files after line {line}"
    for number in range(1, 6):
        try:
            found = disk.read(key(number))
        except DamagedClip:
            assert path_of(folder, key(number)).read_bytes() == b"rubbish", f"torn after line {line}"
        else:
            assert found is None or same(found, kept(number)), f"another clip after line {line}"
    assert disk.put(key(6), kept(6)) and same(disk.read(key(6)), kept(6)), f"no use after line {line}"
    disk.close()

begin()
line = 0
while True:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    status = killed_at(line)
    check(line)
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    line += 1
print(line)
"""


def test_killed_at_every_line(tmp_path: Path) -> None:
    """Between any two lines of putting, evicting, discarding and clearing a kill leaves whole clips, each counted."""
    done = run(EVERY_LINE, str(tmp_path / "template"), str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200


def test_two_processes_and_a_third_that_is_killed(tmp_path: Path) -> None:
    """Two that write, read and clear go on, without any trouble, while others are killed beside them."""
    chance = random.Random(7)  # noqa: S311 - to be repeated
    folder = tmp_path / "cache"
    with writer(folder, 100, 0.02) as one, writer(folder, 200, 0.02) as two:
        for number in range(6):
            with writer(folder, number, 0.02) as third:
                let_it(third, chance.randrange(1, 40))
                busily(chance.randrange(40_000))
                third.send_signal(signal.SIGKILL)
                third.wait(PATIENCE_S)
            assert [*let_it(one, 20), *let_it(two, 20)] == [""] * 40
            serves_only_exact_clips(folder)
    assert_counted(tidied(look_over(folder)))


def serves_only_exact_clips(folder: Path) -> None:
    disk = DiskCache(folder, LIMITS)
    for number in range(NUMBERS):
        found = disk.read(key(number))
        assert found is None or same_sound(found, number)


# -- a full disk

FULL = """
import resource, sys
from pathlib import Path
from tests.support.clips import Clock, kept, key, same
from unavoce.cache.disk.tier import REST_S, DiskCache, Limits

clock = Clock()
disk = DiskCache(Path(sys.argv[1]), Limits(reserve_bytes=0), now=clock.now, monotonic=clock.monotonic)
assert disk.put(key(1), kept(1))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
assert not disk.put(key(2), kept(2, 50_000))
print(disk.problem)
disk.note({key(1): 1}, {"hits_disk": 1})
assert not disk.tidy()
assert same(disk.read(key(1)), kept(1))
clock.since_start_s += REST_S
assert not disk.put(key(2), kept(2, 50_000))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
clock.since_start_s += REST_S
assert disk.put(key(2), kept(2, 50_000)), disk.problem
assert disk.problem == ""
assert same(disk.read(key(1)), kept(1)) and same(disk.read(key(2)), kept(2, 50_000))
assert sorted(path.name for path in Path(sys.argv[1]).glob("*.wav")) == []
print("well")
"""


@pytest.mark.parametrize("room", [0, 600, 5_000, 60_000])
def test_no_room_for_files(tmp_path: Path, room: int) -> None:
    """The system refuses every byte beyond a limit (of the clip, of the index or of both): clips are served, nothing
    half-written stays, the problem is told with a remedy, and writing goes on when there is room again."""
    done = run(FULL, str(tmp_path / "cache"), str(room))
    assert done.returncode == 0, done.stderr
    problem, well = done.stdout.splitlines()
    assert "remedy" in problem
    assert well == "well"


def run(program: str, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


# -- no right to write

READ_ONLY = """
import os, sys
from pathlib import Path
from tests.support.clips import kept, key, same
from unavoce.cache.disk.clip_file import DamagedClip
from unavoce.cache.disk.tier import DiskCache, Limits

folder = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
disk = DiskCache(folder, Limits(reserve_bytes=0))
assert same(disk.read(key(1)), kept(1)) and disk.read(key(5)) is None
assert disk.sums()["entries"] == 2
try:
    disk.read(key(2))
    raise SystemExit("a damaged clip was served")
except DamagedClip:
    disk.discard(key(2))
disk._rests_until_s = 0
assert not disk.put(key(3), kept(3))
disk._rests_until_s = 0
disk.note({key(1): 1}, {"hits_disk": 1})
disk._rests_until_s = 0
assert not disk.tidy()
assert disk.clearings_after(None)[1] == []
assert same(disk.read(key(1)), kept(1))
print(disk.problem)
disk.close()
"""
NOBODY = 54_321


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A cache of another user's own that this user may only read, as a read-only mount is: two clips, one damaged."""
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)  # only to be passed through
    folder = tmp_path / "cache"
    disk = tidied(DiskCache(folder, Limits(reserve_bytes=0)))
    for number in (1, 2):
        assert disk.put(key(number), kept(number))
    disk.close()
    path_of(folder, key(2)).write_bytes(b"RIFF")
    everything = [folder, *folder.rglob("*")]
    for path in everything:
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        path.chmod(0o500 if path.is_dir() else 0o400)
    yield folder
    for path in everything:
        path.chmod(0o700)


def test_a_folder_that_can_only_be_read(read_only: Path) -> None:
    """Clips are served from it, damaged ones are misses, nothing is changed, and no error comes out of it."""
    before = {path: path.stat().st_mtime_ns for path in read_only.rglob("*")}
    done = run(READ_ONLY, str(read_only), str(NOBODY))
    assert done.returncode == 0, done.stderr
    assert "remedy" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in read_only.rglob("*")} == before
