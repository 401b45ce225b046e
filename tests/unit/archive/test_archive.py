"""History on disk as the event loop sees it: never waited for, within bounds, whatever the disk does."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.archive import events, running, said

from unavoce.chat.archive import archive as archive_module
from unavoce.chat.archive.archive import MOST_JOBS, Archive
from unavoce.chat.archive.housekeeping import Housekeeping
from unavoce.chat.archive.records import Which
from unavoce.chat.archive.store import HistoryStore
from unavoce.chat.history import Entry
from unavoce.chat.session import Session
from unavoce.errors import HistoryError


class Answer:
    """A reply that is being given."""

    def __init__(self) -> None:
        self.text = ""
        self.heard_text: str | None = ""

    @property
    def for_model(self) -> str:
        return self.text


class Hanging(HistoryStore):
    """Over a disk that hangs while `free` is not set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.free = threading.Event()
        self.free.set()

    def _using(self, do: Callable[..., Any]) -> Any:
        self.free.wait()
        return super()._using(do)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Hanging]:
    made = Hanging(tmp_path)
    yield made
    made.free.set()
    made.close()


@contextmanager
def no_patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever waits for the disk waits no longer than for what is there at once."""
    with monkeypatch.context() as patch:
        for limit in ("LOOK_S", "FORGET_S", "CLOSE_S"):
            patch.setattr(archive_module, limit, 0)
        yield


async def texts(archive: Archive, session: Session) -> list[str]:
    return [one.text for one in await archive.find(session.id, session.key)]


async def test_what_is_said_is_found(store: Hanging) -> None:
    """At once, also where it was not written yet; by its key alone."""
    async with running(Archive(store)) as archive:
        session = Session("digest")
        archive.keep(session, said(session, "Good evening."))
        assert await texts(archive, session) == ["Good evening."]
        assert await archive.find(session.id, "another") == []
        assert await archive.find("another", "digest") == []
    assert (archive.problem, archive.detail) == ("", archive.file)


async def test_an_answer_is_followed_until_it_is_settled(store: Hanging) -> None:
    """Each writing has its words so far, and the last one those it was settled with; then it is let go of."""
    async with running(Archive(store)) as archive:
        session, answer = Session(""), Answer()
        entry = Entry("assistant", reply_id="r", reply=answer)
        session.add(entry)
        archive.keep(session, entry)
        for words in ("Good", "Good evening", "Good evening, sir."):
            answer.text = words
            answer.heard_text = "Good"
            await archive.flush()
            assert await texts(archive, session) == [words]
        entry.settle("Good evening, sir.", "Good evening,", "Good evening,")
        await archive.flush()
        (told,) = await archive.find(session.id, "")
        assert (told.text, told.heard, told.known, told.reply_id) == (
            *("Good evening, sir.", "Good evening,", "Good evening,", "r"),
        )
        assert not archive._waiting


async def test_it_is_written_without_being_asked(store: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task in the background writes what is said."""
    archive, session, written = Archive(store), Session(""), asyncio.Event()
    note = archive._note_written
    monkeypatch.setattr(archive, "_note_written", lambda batch: (note(batch), batch and written.set()))
    async with running(archive):
        archive.keep(session, said(session, "Good evening."))
        await written.wait()
        assert not archive._waiting
        assert await texts(archive, session) == ["Good evening."]


async def test_what_waits_is_written_at_the_end(store: Hanging) -> None:
    """Closing writes everything, and takes nothing more."""
    archive, session = Archive(store), Session("")
    archive.keep(session, said(session, "Good evening."))
    await archive.close()
    archive.keep(session, said(session, "Too late."))
    with pytest.raises(HistoryError):
        await archive.find(session.id, "")
    async with running(Archive(store)) as again:
        assert await texts(again, session) == ["Good evening."]


async def test_a_disk_that_hangs_holds_nobody_up(
    store: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Messages are taken, looks and removals fail, which is told as a problem; afterwards all that waited is there."""
    async with running(Archive(store)) as archive:
        session = Session("")
        store.free.clear()
        archive.keep(session, said(session, "Good evening."))
        with no_patience(monkeypatch):
            with pytest.raises(HistoryError, match=r"no answer within.*remedy"):
                await texts(archive, session)
            with pytest.raises(HistoryError, match="no answer within"):
                await archive.forget("another")
        monkeypatch.setattr(archive_module, "HANGS_S", 0)
        assert "gave no answer" in archive.problem
        archive.keep(session, said(session, "And then?"))
        store.free.set()
        assert await texts(archive, session) == ["Good evening.", "And then?"]
        assert archive.problem == ""
    assert "Good evening" not in caplog.text


async def test_a_disk_that_hangs_is_not_asked_for_ever(store: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past so many jobs that wait for it, further ones are refused at once."""
    archive = Archive(store)
    store.free.clear()
    with no_patience(monkeypatch):
        for _ in range(MOST_JOBS):
            with pytest.raises(HistoryError, match="no answer within"):
                await archive.find("one", "")
        with pytest.raises(HistoryError, match="too much to do"):
            await archive.find("one", "")
    store.free.set()
    await archive.close()


async def test_a_disk_that_hangs_does_not_hold_up_the_end(
    store: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing gives up, and says so."""
    archive, session = Archive(store), Session("")
    archive.keep(session, said(session, "Good evening."))
    store.free.clear()
    with no_patience(monkeypatch), caplog.at_level(logging.WARNING):
        await archive.close()
    assert events(caplog) == ["history_not_flushed"]


@pytest.mark.parametrize(("bound", "most"), [("MOST_WAITING", 3), ("MOST_WAITING_CHARS", 30)])
async def test_what_waits_is_bounded(
    store: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, bound: str, most: int
) -> None:
    """Past the bound the oldest that wait are not kept on disk, which is told; the newest are."""
    monkeypatch.setattr(archive_module, bound, most)
    archive, session = Archive(store), Session("")
    for number in range(5):
        archive.keep(session, said(session, f"Message {number}."))
    assert await texts(archive, session) == ["Message 2.", "Message 3.", "Message 4."]
    assert "2 messages were not kept" in archive.detail
    assert events(caplog) == ["history_dropped"]
    await archive.close()


async def test_what_is_forgotten_is_written_no_more(store: Hanging) -> None:
    """Whether it waited or was being written: an answer that goes on for a while does not bring it back."""
    async with running(Archive(store)) as archive:
        session, answer = Session(""), Answer()
        entry = Entry("assistant", reply=answer)
        session.add(entry)
        archive.keep(session, entry)
        store.free.clear()
        writing = asyncio.create_task(archive.flush())
        await asyncio.sleep(0)
        forgetting = asyncio.create_task(archive.forget(session.id))
        await asyncio.sleep(0)
        store.free.set()
        await writing
        await forgetting
        answer.text = "And so on."
        await archive.flush()
        assert await texts(archive, session) == []


async def test_who_looks_while_it_is_forgotten_does_not_find_it(store: Hanging) -> None:
    """What was read before the removal is read again after it."""
    async with running(Archive(store)) as archive:
        session = Session("")
        archive.keep(session, said(session, "Good evening."))
        await archive.flush()
        store.free.clear()
        looking = asyncio.create_task(texts(archive, session))
        await asyncio.sleep(0)
        forgetting = asyncio.create_task(archive.forget(session.id))
        await asyncio.sleep(0)
        store.free.set()
        await forgetting
        assert await looking == []


async def test_what_others_clear_is_told(store: Hanging, tmp_path: Path) -> None:
    """Nothing of it is written again, and whoever keeps it in memory is told; what is said later is kept."""
    lost: list[Which] = []
    async with running(Archive(store)) as archive:
        archive.watch(lost.append)
        session, answer = Session(""), Answer()
        entry = Entry("assistant", reply=answer)
        session.add(entry)
        archive.keep(session, entry)
        answer.text = "Good"
        await archive.flush()
        assert await asyncio.to_thread(Housekeeping(tmp_path).clear, Which(session.id)) == 1
        answer.text = "Good evening."
        later = said(session, "And then?")
        archive.keep(session, later)
        await archive.flush()
        assert [which.fits(session.id, one.number, one.at) for which in lost for one in (entry, later)] == [True, False]
        assert await texts(archive, session) == ["And then?"]


async def test_a_mistake_of_ours_is_logged_and_goes_no_further(
    store: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asked is told that the disk cannot be used; the log has the traceback."""
    archive = Archive(store)
    with monkeypatch.context() as patch:
        patch.setattr(store, "read", lambda *_: 1 / 0)
        with pytest.raises(HistoryError, match="see its log"):
            await archive.find("one", "")
    assert "ZeroDivisionError" in caplog.text
    await archive.close()
