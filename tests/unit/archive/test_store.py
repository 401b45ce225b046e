"""History on disk as a whole: what is damaged is set aside, what is refused is told, one server at a time, limits."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.archive import NOW, events, found_in, record

from unavoce.chat.archive.housekeeping import Housekeeping
from unavoce.chat.archive.ledger import CLEARINGS_KEPT_S, Ledger
from unavoce.chat.archive.records import Limits, Which, binding_of
from unavoce.chat.archive.store import REST_S, HistoryStore
from unavoce.errors import HistoryError
from unavoce.storage.ages import DAY_S, MaxAge


class Clock:
    """Both clocks of a store, in seconds."""

    def __init__(self) -> None:
        self.now_s = NOW
        self.steady_s = 0.0

    def passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.steady_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[HistoryStore]:
    with closing(opened(tmp_path, clock)) as made:
        yield made


def opened(folder: Path, clock: Clock, **limits: float | MaxAge) -> HistoryStore:
    made = Limits(**limits)  # type: ignore[arg-type]
    return HistoryStore(folder, made, now=lambda: clock.now_s, monotonic=lambda: clock.steady_s)


def texts(store: HistoryStore, session: str = "one") -> list[str]:
    return [one.text for one in store.read(session, binding_of(session, ""))]


def test_a_session_is_read_by_its_key_only(store: HistoryStore) -> None:
    """What is written under a key is not there for another one, and the file does not hold the key's digest."""
    store.write([record("one", 0, "Good evening.", key="digest-of-a-key")], 0)
    assert store.read("one", binding_of("one", "")) == []
    assert store.read("two", binding_of("two", "digest-of-a-key")) == []
    assert [one.text for one in store.read("one", binding_of("one", "digest-of-a-key"))] == ["Good evening."]
    assert found_in(store.place.path.parent, "digest-of-a-key") == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"this is no database, whatever else it is " * 100),
        lambda path: path.write_bytes(path.read_bytes()[:1500]),
        lambda path: altered(path, "DROP TABLE messages"),
        lambda path: altered(path, "PRAGMA user_version = 7"),
        lambda path: altered(path, "UPDATE messages SET text = 5"),
        lambda path: altered(path, "UPDATE messages SET text = x'ff'"),
        lambda path: altered(path, "UPDATE messages SET role = 'system'"),
    ],
)
def test_a_damaged_file_is_set_aside(
    tmp_path: Path, clock: Clock, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """It is kept under another name and told, once; the new file takes what is said from then on."""
    with closing(opened(tmp_path, clock)) as store:
        store.write([record("one", 0, "Good evening.")], 0)
    damage(store.place.path)
    as_it_was = store.place.path.read_bytes()
    with closing(opened(tmp_path, clock)) as store, caplog.at_level(logging.WARNING):
        assert texts(store) == []
        store.write([record("one", 1, "And then?")], 0)
        assert texts(store) == ["And then?"]
        assert (store.problem, str(store.place.damaged) in store.set_aside) == ("", True)
    assert events(caplog) == ["history_set_aside"]
    assert store.place.damaged.read_bytes()[:1000] == as_it_was[:1000]
    assert stat.S_IMODE(store.place.path.stat().st_mode) == 0o600


def altered(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def test_a_file_that_is_removed_under_it_is_made_anew(store: HistoryStore) -> None:
    """What was in it is gone, what is said next is kept."""
    store.write([record("one", 0, "Good evening.")], 0)
    for path in store.place.path.parent.glob("history.sqlite*"):
        path.unlink()
    store.write([record("one", 1, "And then?")], 0)
    assert texts(store) == ["And then?"]


def test_a_disk_that_refuses_is_left_alone_for_a_while(
    store: HistoryStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each call says why at once, the log says it once, and when the disk is well again it is used again."""
    store.write([record("one", 0, "Good evening.")], 0)
    with monkeypatch.context() as patch:
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        patch.setattr(Ledger, "put", lambda *_: (_ for _ in ()).throw(full))
        for _ in range(3):
            with pytest.raises(HistoryError, match=r"disk is full.*remedy"):
                store.write([record("one", 1, "And then?")], 0)
    with pytest.raises(HistoryError, match="disk is full"):
        texts(store)
    assert events(caplog) == ["history_not_kept"]
    assert "And then?" not in caplog.text
    clock.passes(REST_S)
    store.write([record("one", 1, "And then?")], 0)
    assert (texts(store), store.problem) == (["Good evening.", "And then?"], "")


def test_a_full_database_keeps_what_it_has(store: HistoryStore, clock: Clock) -> None:
    """SQLite's own refusal for want of room: nothing of the batch is written, all that was there stays."""
    store.write([record("one", 0, "Good evening.")], 0)
    ledger = store._ledger
    assert ledger is not None
    ledger._run(f"PRAGMA max_page_count = {ledger.bytes // 1024 + 5}")
    with pytest.raises(HistoryError, match="full"):
        store.write([record("one", 1, "short"), record("one", 2, "x" * 20_000)], 0)
    clock.passes(REST_S)
    assert texts(store) == ["Good evening."]


def test_one_server_at_a_time(store: HistoryStore, clock: Clock) -> None:
    """A second one is told who has the file and what to do, and has it once the first has gone."""
    store.write([record("one", 0, "Good evening.")], 0)
    with closing(opened(store.place.path.parent, clock)) as second:
        with pytest.raises(HistoryError, match=r"another server .*UNAVOCE_DATA_DIR"):
            second.write([record("two", 0, "Good morning.")], 0)
        store.close()
        clock.passes(REST_S)
        second.write([record("two", 0, "Good morning.")], 0)
        assert texts(second) == ["Good evening."]


@pytest.mark.parametrize("name", ["history.sqlite", "history.lock"])
def test_a_link_in_its_place_is_not_followed(store: HistoryStore, tmp_path: Path, name: str) -> None:
    """Neither is anything written to where it leads."""
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HistoryError, match="remedy"):
        store.write([record("one", 0, "Good evening.")], 0)
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_a_pipe_or_a_strangers_file_is_refused(store: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever put it there is not told what is said."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(HistoryError, match="another user"):
        store.write([record("one", 0, "Good evening.")], 0)


def test_what_is_too_old_goes(tmp_path: Path, clock: Clock) -> None:
    """It is not told from that moment on; looked over, it is gone from the file, and a set aside file is gone."""
    with closing(opened(tmp_path, clock, max_age=MaxAge(DAY_S))) as store:
        store.write([record("one", 0, "Yesterday's words."), record("one", 9_000, "Today's words.")], 0)
        store.place.damaged.write_bytes(b"Older words.")
        os.utime(store.place.damaged, (NOW, NOW))
        clock.passes(DAY_S + 5)
        assert texts(store) == ["Today's words."]
        store.expire()
        assert found_in(tmp_path, "Yesterday's words.") == []
        assert len(found_in(tmp_path, "Today's words.")) > 0
        assert not store.place.damaged.exists()


def test_what_a_wrong_clock_has_dated_goes_too(tmp_path: Path, clock: Clock) -> None:
    """By its date it would not grow old for years; a clock that is not set yet takes nothing away."""
    with closing(opened(tmp_path, clock, max_age=MaxAge(DAY_S))) as store:
        store.write([record("one", 0, "Good evening."), record("one", 1, "Later.", at=NOW + 900 * DAY_S)], 0)
        clock.now_s = 5.0
        store.expire()
        assert texts(store) == ["Good evening.", "Later."]
        clock.now_s = NOW + 5
        assert texts(store) == ["Good evening."]
        store.expire()
        assert found_in(tmp_path, "Later.") == []


def test_what_is_forgotten_is_gone_from_every_file(store: HistoryStore) -> None:
    """From the database and from its log, at once."""
    store.write([record("one", 0, "The secret of Nineveh."), record("two", 0, "Good evening.")], 0)
    assert found_in(store.place.path.parent, "The secret of Nineveh.") != []
    assert store.forget(Which("one")) == 1
    assert found_in(store.place.path.parent, "The secret of Nineveh.") == []
    assert texts(store, "two") == ["Good evening."]


def test_the_file_stays_within_its_bound(tmp_path: Path, clock: Clock) -> None:
    """The oldest go as others come, which is told, and their text is gone from every file once the log is let go."""
    with closing(opened(tmp_path, clock, max_bytes=1 << 20)) as store:
        lost = []
        for number in range(60):
            told = record(f"s{number}", 0, f"Text {number:03} " + "x" * 40_000, at=NOW + number)
            lost += store.write([told], 0).lost
            clock.passes(10)
        assert sum(path.stat().st_size for path in tmp_path.glob("history.sqlite*")) < 2.5 * (1 << 20)
        gone = [which.session for which in lost]
        assert gone == [f"s{number}" for number in range(len(gone))]
        assert 30 < len(gone) < 60
        assert found_in(tmp_path, "Text 000 ") == []
        assert texts(store, "s59") != []


def test_nothing_is_written_that_another_process_has_cleared(store: HistoryStore, clock: Clock) -> None:
    """The next batch is handed back with what was cleared; after that it is taken."""
    first = store.write([record("one", 0, "Good evening.")], 0)
    housekeeping = Housekeeping(store.place.path.parent, lambda: clock.now_s)
    assert housekeeping.clear(Which("one")) == 1
    told = store.write([record("one", 0, "Good evening, sir.")], first.clearing)
    assert (told.written, told.lost) == (False, (Which("one", clock.now_s),))
    assert texts(store) == []
    assert store.write([record("two", 0, "Good morning.")], told.clearing).written


def test_who_has_missed_clearings_forgets_everything(store: HistoryStore, clock: Clock) -> None:
    """They are told for a day; a server that could not ask for longer cannot know what was cleared."""
    store.write([record("one", 0, "Good evening.")], 0)
    clock.passes(CLEARINGS_KEPT_S + 1)
    told = store.write([], 0)
    assert (told.written, told.lost) == (False, (Which(before=clock.now_s),))
    assert store.write([], told.clearing).written


def test_a_damaged_file_goes_with_everything(tmp_path: Path, clock: Clock) -> None:
    """The command line clears also what it cannot read, but only when all is to go."""
    housekeeping = Housekeeping(tmp_path, lambda: clock.now_s)
    assert housekeeping.clear(Which()) == 0
    assert list(tmp_path.iterdir()) == []
    for path in (housekeeping.place.path, housekeeping.place.damaged):
        path.write_bytes(b"The secret of Nineveh. " * 1000)
    with pytest.raises(HistoryError, match=r"damaged .*remedy"):
        housekeeping.clear(Which("one"))
    assert housekeeping.clear(Which()) == 0
    assert found_in(tmp_path, "Nineveh") == []
