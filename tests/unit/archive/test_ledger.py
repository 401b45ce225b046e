"""The database of what was said: what is written is read, what is deleted stands nowhere in its files any more."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.archive import NOW, record

from unavoce.chat.archive.ledger import PAGE_BYTES, Ledger
from unavoce.chat.archive.records import MESSAGES_KEPT, Record, Which


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "history.sqlite")) as opened:
        yield opened


def put(ledger: Ledger, *records: Record) -> None:
    with ledger.writing():
        ledger.put(records)


def delete(ledger: Ledger, which: Which) -> int:
    with ledger.writing():
        return ledger.delete(which)


def on_disk(ledger: Ledger) -> bytes:
    """Every byte of the database's files."""
    folder = ledger._path.parent
    return b"".join(path.read_bytes() for path in sorted(folder.glob("history*")) if not path.name.endswith("-shm"))


@pytest.mark.parametrize("text", ["", "Good evening.", "Grüße an Ænima 🎩\0\r\n", "half \ud800 a pair", "x" * 100_000])
def test_what_is_written_is_read(ledger: Ledger, text: str) -> None:
    """Any text comes back as it was, in each of a message's three texts."""
    told = replace(record("one", 0, text), role="assistant", heard=text, known=text, reply_id="r")
    put(ledger, told)
    assert ledger.read("one") == [told]


def test_an_answer_that_grows_is_one_message(ledger: Ledger) -> None:
    """Written again, a message has its latest words, and its place."""
    first, second = record("one", 0, "Good"), record("one", 1, "Yes?")
    put(ledger, first, second)
    put(ledger, replace(first, text="Good evening.", heard="Good"))
    assert ledger.read("one") == [replace(first, text="Good evening.", heard="Good"), second]


def test_of_a_long_conversation_the_newest_are_kept(ledger: Ledger) -> None:
    """As in memory: the oldest go when there are more than are kept."""
    put(ledger, *(record("one", number, str(number)) for number in range(MESSAGES_KEPT + 3)))
    assert [one.number for one in ledger.read("one")] == list(range(3, MESSAGES_KEPT + 3))
    assert ledger.messages == MESSAGES_KEPT


@pytest.mark.parametrize(
    ("which", "left"),
    [
        (Which("one"), [("two", 0), ("two", 1)]),
        (Which(before=NOW + 1), [("one", 1), ("two", 1)]),
        (Which("two", before=NOW + 1), [("one", 0), ("one", 1), ("two", 1)]),
        (Which("two", up_to=0), [("one", 0), ("one", 1), ("two", 1)]),
        (Which(), []),
    ],
)
def test_what_is_deleted_is_what_fits(ledger: Ledger, which: Which, left: list[tuple[str, int]]) -> None:
    """Messages that fit go, others stay, and a session without any goes too."""
    put(ledger, *(record(session, number, "x") for session in ("one", "two") for number in (0, 1)))
    assert delete(ledger, which) == 4 - len(left)
    assert [(one.session, one.number) for session in ("one", "two") for one in ledger.read(session)] == left
    assert ledger._all("SELECT id FROM sessions ORDER BY id") == [(one,) for one in sorted({one for one, _ in left})]


def test_the_oldest_make_room(ledger: Ledger) -> None:
    """Past the bound the oldest messages of all sessions go, down to nine tenths of it, and which is told exactly."""
    put(ledger, *(record(f"s{number % 7}", number // 7, "x" * 5000, at=NOW + number) for number in range(300)))
    with ledger.writing():
        assert ledger.trim(ledger.bytes) == []
        lost = ledger.trim(1 << 20)
    assert 0.85 * (1 << 20) < ledger.bytes <= 0.9 * (1 << 20)
    left = [one for number in range(7) for one in ledger.read(f"s{number}")]
    assert 100 < len(left) < 250
    assert min(one.at for one in left) == NOW + 300 - len(left)
    assert not any(which.fits(one.session, one.number, one.at) for which in lost for one in left)
    assert sum(which.up_to + 1 for which in lost if which.up_to is not None) == 300 - len(left)


WORD = re.compile(rb"Q\d{9}")


class Words:
    """Texts of words that stand nowhere else."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - an order of events, no secret
        self.count = 0

    def text(self) -> str:
        begin, self.count = self.count, self.count + self.chance.choice([1, 2, 3, 10, 30, 60, 400])
        return " ".join(f"Q{number:09}" for number in range(begin, self.count))


@pytest.mark.parametrize("seed", range(6))
def test_deleted_text_stands_nowhere(ledger: Ledger, seed: int) -> None:
    """After any order of writing, growing and deleting, the files hold no word that is in no message any more."""
    words, there = Words(seed), dict[tuple[str, int], Record]()
    for step in range(400):
        chance = words.chance.random()
        if chance < 0.6 or not there:
            written = record(f"s{words.chance.randrange(12)}", step, words.text())
        elif chance < 0.75:
            written = replace(words.chance.choice(list(there.values())), text=words.text(), heard=words.text())
        else:
            one = words.chance.choice(list(there.values()))
            which = words.chance.choice(
                [Which(one.session), Which(one.session, up_to=one.number), Which(before=NOW + 5)]
            )
            delete(ledger, which)
            there = {place: other for place, other in there.items() if not which.fits(*place, other.at)}
            continue
        put(ledger, written)
        there[written.session, written.number] = written
    assert ledger.scrub()
    content = on_disk(ledger)
    said = b" ".join(f"{one.text} {one.heard}".encode() for one in there.values())
    assert set(WORD.findall(content)) <= set(WORD.findall(said))
    assert len(set(WORD.findall(content))) > 100  # what is there is found by this


def test_the_file_is_as_large_as_what_is_in_it(ledger: Ledger) -> None:
    """What is counted is pages in use; emptied, the file gives them back."""
    put(ledger, *(record("one", number, "x" * 10_000) for number in range(50)))
    assert ledger.bytes > 50 * 10_000
    delete(ledger, Which())
    assert ledger.bytes < 20 * PAGE_BYTES
    ledger.shrink()
    assert ledger.scrub()
    assert ledger._path.stat().st_size == ledger.bytes


def test_clearings_are_learnt_of_once(ledger: Ledger) -> None:
    """Each by whoever knows those before it, in their order; those of yesterday are told no more."""
    with ledger.writing():
        ledger.cleared(Which("one"), NOW)
        ledger.cleared(Which(before=NOW - 60), NOW)
    last, cleared = ledger.clearings_after(0)
    assert cleared == [Which("one", NOW), Which(None, NOW - 60)]
    assert ledger.clearings_after(last) == (last, [])
    with ledger.writing():
        ledger.cleared(Which("two"), NOW + 2 * 86_400)
    assert [which.session for which in ledger.clearings_after(0)[1]] == ["two"]
    assert [which.session for which in ledger.clearings_after(last)[1]] == ["two"]
