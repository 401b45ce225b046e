"""History on disk under fire, with real processes: killed at any instant, cleared while it is written, out of space."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.support.archive import found_in

from unavoce.chat.archive.housekeeping import Housekeeping
from unavoce.chat.archive.ledger import Ledger
from unavoce.chat.archive.records import Which

ROUNDS = 8

TALKER = """
import asyncio, resource, sys
from pathlib import Path
from unavoce.chat.archive import archive as module
from unavoce.chat.archive.archive import Archive
from unavoce.chat.archive.records import Limits
from unavoce.chat.archive.store import HistoryStore
from unavoce.chat.history import Entry
from unavoce.chat.session import Session

class Answer:
    text, heard_text = "", None
    for_model = property(lambda self: self.text)

def limit_files(most_bytes):
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

async def main(folder, turn, most_bytes):
    if most_bytes:
        limit_files(most_bytes)
    archive = Archive(HistoryStore(Path(folder)))
    session, told = Session(""), 0
    print("session", session.id, flush=True)
    while True:
        entry = Entry("assistant", reply_id="r", reply=Answer())
        session.add(entry)
        archive.keep(session, entry)
        for piece in range(8):
            entry.reply.text += f"M{entry.number:05}P{piece} " * 20
            await archive.flush() if not most_bytes else await flushed(archive)
            print("wrote", entry.number, piece, archive.problem, flush=True)
        entry.settle(entry.reply.text, None, entry.reply.text)
        if turn and entry.number % turn == turn - 1:
            await archive.forget(session.id)
            print("forgot", session.id, flush=True)
            session = Session("")
            print("session", session.id, flush=True)

async def flushed(archive):
    try:
        await archive.flush()
    except module.HistoryError:
        pass

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


@contextmanager
def talker(folder: Path, turn: int = 0, most_bytes: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that gives one answer after the other and prints a line when a part of one is on disk; after `turn`
    answers it has the session forgotten and begins another. `most_bytes`: of any file that it may write."""
    command = [sys.executable, "-c", TALKER, str(folder), str(turn), str(most_bytes)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def told(process: subprocess.Popen[str], lines: int) -> list[list[str]]:
    """So many lines of what it says, and then, killed, what it had said more."""
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    whole = "".join(said) + process.stdout.read()
    return [line.split() for line in whole[: whole.rfind("\n") + 1].splitlines()]


def test_a_kill_at_any_instant_loses_nothing_that_was_written(tmp_path: Path) -> None:
    """The file opens, is sound, and holds each message as it was written last, or as it was to be written next; what
    was forgotten does not come back."""
    chance = random.Random(15)  # noqa: S311 - to be repeated
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with talker(folder, turn=3) as process:
            lines = told(process, chance.randrange(3, 120))
        keeping = Housekeeping(folder)
        keeping.check()
        session = [line[1] for line in lines if line[0] == "session"][-1]
        forgotten = {line[1] for line in lines if line[0] == "forgot"}
        with closing(Ledger(folder / "history.sqlite")) as ledger:
            assert not any(ledger.read(one) for one in forgotten)
            kept = {one.number: one.text for one in ledger.read(session)}
        begun = next(at for at, line in enumerate(lines) if line == ["session", session])
        written = {int(line[1]): int(line[2]) for line in lines[begun:] if line[0] == "wrote"}
        for message, piece in written.items():
            parts = len(set(re.findall(r"P\d", kept[message])))
            assert piece + 1 <= parts <= piece + 2
        assert set(kept) - set(written) <= {max(written, default=-1) + 1}


@pytest.mark.parametrize("most_bytes", [40_000, 400_000])
def test_a_disk_without_room_costs_history_on_disk_alone(tmp_path: Path, most_bytes: int) -> None:
    """Where no file may grow any more, what is said goes on, why it is not kept is told, and what is there is sound."""
    with talker(tmp_path, most_bytes=most_bytes) as process:
        lines = told(process, 600)
    assert any("remedy:" in line for line in lines), lines[-1]
    Housekeeping(tmp_path).check()
    assert all(path.stat().st_size <= most_bytes for path in tmp_path.iterdir())


def test_clearing_beside_a_server_that_writes(tmp_path: Path) -> None:
    """However often it is cleared meanwhile, nothing that was said before a clearing stands in any file after it."""
    with talker(tmp_path) as process:
        assert process.stdout is not None
        for _ in range(6):
            while not (there := numbers(tmp_path)):
                process.stdout.readline()
            latest = f"M{max(there):05}P0 "
            assert found_in(tmp_path, latest) or found_in(tmp_path, latest)  # it may be on its way between two files
            Housekeeping(tmp_path).clear(Which())
            assert found_in(tmp_path, latest) == []
            process.stdout.readline()


def numbers(folder: Path) -> list[int]:
    """Of the messages that are on disk."""
    if not (folder / "history.sqlite").exists():
        return []
    with closing(Ledger(folder / "history.sqlite")) as ledger:
        return [number for (number,) in ledger._all("SELECT number FROM messages")]
