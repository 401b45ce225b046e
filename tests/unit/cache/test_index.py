"""The index: sums that are always those of its rows, and told from a broken one whatever happened to its file."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.clips import ANY_SIZE, MADE_AT, VOICE, Clock, files, kept, key, same, tidied

from unavoce.cache.disk.index import Index, Row
from unavoce.cache.disk.tier import DiskCache
from unavoce.cache.kept import Which
from unavoce.storage.database import DatabaseBroken


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def index(path: Path) -> Iterator[Index]:
    with closing(Index(path)) as made:
        yield made


def add(index: Index, *numbers: int, size: int = 100, engine: str = "fake", voice: str = "tone") -> None:
    with index.writing():
        for number in numbers:
            index.add(Row(key(number), size, engine, voice, MADE_AT + number))


def altered(path: Path, statement: str) -> None:
    """Changed by somebody else."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


def test_sums_follow_the_rows(index: Index) -> None:
    """Rows that come, go, change their size or never were: entries and bytes are those that are there."""
    add(index, 1, 2, 3)
    index.remove(key(2))
    index.remove(key(9))
    index.resize(key(3), 150)
    index.resize(key(9), 150)
    assert index.sums() == {"entries": 2, "bytes": 250}
    with index.writing():
        index.check()


def test_the_order_of_use(index: Index) -> None:
    """A use moves a clip to the end, the last of several behind the others; one adopted is the next to go."""
    add(index, 1, 2, 3)
    index.touch({key(1): 2, key(9): 1, key(2): 1})
    index.add(Row(key(4), 1, "fake", "tone", MADE_AT), used=False)
    assert index.oldest(9) == [key(4), key(3), key(1), key(2)]
    assert index.most_used(9, 1) == [key(1), key(2)]
    index.forget_uses()
    assert index.most_used(9, 1) == [key(1)]


def test_which_clips_are_meant(index: Index) -> None:
    """By engine, voice and age, each or all of them, and no more than were asked for."""
    add(index, 1, 2)
    add(index, 3, voice="other")
    add(index, 4, engine="else")
    index.mark(key(1))
    assert set(index.which(Which(), 9)) == {key(1), key(2), key(3), key(4)}
    assert set(index.which(Which(engine="fake", voice="tone"), 9)) == {key(1), key(2)}
    assert index.which(Which(engine="fake", made_before=MADE_AT + 2), 9) == [key(1)]
    assert set(index.which(Which(), 9, phrases=False)) == {key(2), key(3), key(4)}
    assert len(index.which(Which(), 2)) == 2
    assert index.misdated(MADE_AT + 3, 9) == [key(4)]
    assert index.by_voice()[0] == ("fake", "tone", 2, 200)


def test_clearings_are_told_in_order_and_not_for_ever(index: Index) -> None:
    """Each has a larger number than those before, also when the clock stands still or goes back; 64 are kept."""
    index.cleared(Which(engine="a"), MADE_AT)
    first = index.last_clearing()
    index.cleared(Which(voice="b"), MADE_AT)
    index.cleared(Which(made_before=3.5), MADE_AT - 9)
    assert index.clearings_after(first) == [Which(voice="b"), Which(made_before=3.5)]
    for _ in range(100):
        index.cleared(Which(), MADE_AT + 1)
    assert len(index.clearings_after(0)) == 64


def test_an_index_made_anew_tells_newer_clearings(path: Path) -> None:
    """A server that knew of clearings in an index that was lost learns of those in the next one."""
    with closing(Index(path)) as old:
        old.cleared(Which(engine="a"), MADE_AT)
        known = old.last_clearing()
        old.discard()
    with closing(Index(path)) as new:
        new.cleared(Which(engine="b"), MADE_AT + 1)
        assert new.clearings_after(known) == [Which(engine="b")]


def test_what_was_not_finished_did_not_happen(index: Index) -> None:
    """An error inside a transaction takes back what it wrote."""

    def half() -> None:
        with index.writing():
            index.add(Row(key(1), 5, "fake", "tone", MADE_AT))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert index.sums() == {"entries": 0, "bytes": 0}


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000, b"S" * 16])
def test_a_file_that_is_no_database_is_broken(path: Path, content: bytes) -> None:
    """It is told as broken, not as out of reach."""
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken):
        Index(path)


def test_an_empty_file_is_a_new_index(path: Path) -> None:
    """A kill may leave one before anything was written."""
    path.touch()
    with closing(Index(path)) as index:
        assert index.sums() == {"entries": 0, "bytes": 0}


def use(path: Path) -> None:
    """Everything that may notice that an index is not ours."""
    with closing(Index(path)) as index:
        index.sums()
        index.by_voice()
        index.oldest(9)
        index.clearings_after(0)
        add(index, 3)
        with index.writing():
            index.check()


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 2",
        "DROP TABLE clips",
        "DROP TABLE sums",
        "DROP TABLE clearings",
        "DELETE FROM sums WHERE name = 'bytes'",
        "UPDATE sums SET value = 1 WHERE name = 'entries'",
        "UPDATE sums SET value = -200 WHERE name = 'bytes'",
        "UPDATE sums SET value = 9e999",
        "UPDATE sums SET value = 'many'",
        "INSERT INTO sums VALUES ('adopted', -1e18)",
        "UPDATE clips SET bytes = -100",
        "DROP TRIGGER clips_in",
        "UPDATE clips SET key = '../../../etc/passwd' WHERE key = (SELECT MIN(key) FROM clips)",
        "UPDATE clips SET engine = x'00ff'",
        "UPDATE clips SET bytes = 'some'",
        "INSERT INTO clearings VALUES (1, 5, 'x', 'soon')",
    ],
)
def test_another_content_is_told_as_broken(path: Path, statement: str) -> None:
    """Whatever stands in it that we did not write, opening, checking and using it ends well or in DatabaseBroken."""
    with closing(Index(path)) as index:
        add(index, 1, 2)
    altered(path, statement)
    with pytest.raises(DatabaseBroken):
        use(path)


def test_a_check_is_not_disturbed_by_another_process(path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process writes while rows and sums are compared does not make them differ."""
    monkeypatch.setattr("unavoce.storage.database.BUSY_S", 0.0)
    add(index, 1, 2)
    refused: list[sqlite3.Error] = []
    with closing(Index(path)) as other:

        def write(statement: str) -> None:
            if statement.startswith("SELECT name"):
                try:
                    add(other, 3)
                except sqlite3.OperationalError as error:
                    refused.append(error)

        index._database.set_trace_callback(write)
        with index.writing():
            index.check()
    assert [str(error) for error in refused] == ["database is locked"]


def test_it_knows_when_its_file_is_gone(path: Path, index: Index) -> None:
    """Removed or replaced under us, it is lost, and then it discards nothing of another process."""
    assert not index.lost
    path.unlink()
    assert index.lost
    with closing(Index(path)) as other:
        assert index.lost
        add(other, 7)
        index.discard()
        assert other.sums()["entries"] == 1
    assert path.exists()


def test_an_index_that_cannot_be_written_can_be_read(path: Path) -> None:
    """What stands in it is told; writing is an error of reach and not a broken index."""
    with closing(Index(path)) as index:
        add(index, 1)
    with closing(Index(path, read_only=True)) as index:
        assert index.sums()["entries"] == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            add(index, 2)


# -- flipped bytes: the disk tier over an index that is damaged anywhere


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of several pages, and clips of two voices."""
    folder = tmp_path_factory.mktemp("well") / "cache"
    folder.mkdir(mode=0o700)
    disk = tidied(DiskCache(folder, ANY_SIZE))
    for number in range(40):
        voice = VOICE if number % 2 else type(VOICE)("fake", "other", "en")
        disk.put(key(number), kept(number, 10, voice=voice), phrase=number % 3 == 0)
    disk.note({key(3): 2}, {"hits_disk": 3})
    disk.clear(Which(engine="nobody"))
    disk.close()
    return folder


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_index_is_no_reason_to_fall(well: Path, tmp_path: Path, seed: int) -> None:
    """Bytes flipped anywhere, or blocks torn: all that is done still ends, serves exact clips, and heals."""
    folder = tmp_path / "cache"
    shutil.copytree(well, folder)
    damage(folder / "index.sqlite", random.Random(seed))  # noqa: S311 - to be repeated by its number
    clock = Clock()
    disk = DiskCache(folder, ANY_SIZE, now=clock.now, monotonic=clock.monotonic)
    for step in range(2):  # what is found only at the second turn
        disk.put(key(50 + step), kept(50 + step, 10))
        disk.note({key(3): 1}, {"hits_disk": 1})
        disk.clearings_after(0)
        disk.most_used(5, 1)
        tidied(disk)
        clock.since_start_s += 60
    disk.clear(Which(voice="other"))
    disk.adopt_all()
    for number in range(40):
        assert same(disk.read(key(number)), kept(number, 10) if number % 2 else None), number
    for shard in range(256):
        disk.reconcile(f"{shard:02x}")
    there = files(folder)
    assert disk.put(key(60), kept(60, 10))
    assert disk.problem == ""
    assert disk.sums()["entries"] == len(there) + 1
    disk.close()


def damage(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    kind = chance.choice(["bits", "bits", "bits", "zeros", "swap", "cut"])
    if kind == "bits":
        for _ in range(chance.choice([1, 2, 8, 64])):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif kind == "zeros":
        begin = chance.randrange(len(content))
        content[begin : begin + 512] = bytes(len(content[begin : begin + 512]))
    elif kind == "swap":
        one, other = chance.sample(range(len(content) // 4096), 2)
        pages = [content[page * 4096 : page * 4096 + 4096] for page in (one, other)]
        content[other * 4096 : other * 4096 + 4096], content[one * 4096 : one * 4096 + 4096] = pages
    else:
        del content[chance.randrange(len(content)) :]
    path.write_bytes(content)
