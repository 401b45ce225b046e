"""What the cache says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unavoce.cache import report
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.report import Figures, Memory
from unavoce.errors import CacheError

SUMS = {
    "entries": 3.0,
    "bytes": 3000.0,
    "hits_memory": 6.0,
    "hits_disk": 3.0,
    "hits_none": 1.0,
    "saved_s": 12.34567,
    "saved_cost": 0.00123456,
}


def disk_in(folder: Path) -> DiskCache:
    return DiskCache(folder, Limits(max_bytes=4000, max_entries=5))


def test_the_document_holds_what_was_counted_and_the_bounds(tmp_path: Path) -> None:
    """Entries, bytes, voices, hits by tier, their rate and what was saved, under the wire's names, as plain JSON."""
    found = Figures(SUMS, [("piper", "joe", 2, 2000), ("xtts", "ana", 1, 1000)])
    document = report.document(disk_in(tmp_path), found)
    assert json.loads(json.dumps(document)) == {
        "status": "ok",
        "detail": "ready",
        "remedy": None,
        "folder": str(tmp_path),
        "entries": 3,
        "maxEntries": 5,
        "bytes": 3000,
        "maxBytes": 4000,
        "voices": [
            {"engine": "piper", "voice": "joe", "entries": 2, "bytes": 2000},
            {"engine": "xtts", "voice": "ana", "entries": 1, "bytes": 1000},
        ],
        "hits": {"memory": 6, "disk": 3, "none": 1},
        "hitRate": 0.9,
        "savedSynthesisS": 12.346,
        "savedCost": 0.001235,
        "memory": None,
    }


def test_a_problem_is_told_with_its_remedy_apart(tmp_path: Path) -> None:
    """Figures that could be read stay in the document; those that could not are null."""
    told = report.document(disk_in(tmp_path), Figures(SUMS, (), "the disk is full; remedy: make room"))
    assert (told["status"], told["detail"], told["remedy"]) == ("degraded", "the disk is full", "make room")
    assert told["entries"] == 3
    unknown = report.document(disk_in(tmp_path), None, "no answer; remedy: see to that disk", Memory(1, 2, 3))
    assert (unknown["status"], unknown["entries"], unknown["bytes"]) == ("degraded", None, None)
    assert unknown["memory"] == {"entries": 1, "bytes": 2, "maxBytes": 3}


def test_before_the_first_sentence_there_is_no_rate(tmp_path: Path) -> None:
    """Nothing heard is not a rate of 0; a folder that is not there yet is empty, and is not made by looking."""
    folder = tmp_path / "none"
    document = report.document(disk_in(folder), report.figures(disk_in(folder)))
    assert (document["status"], document["entries"], document["hitRate"]) == ("ok", 0, None)
    assert not folder.exists()


def test_without_a_disk_the_document_has_the_same_fields(tmp_path: Path) -> None:
    """A reader of the document need not know which settings made it."""
    with_disk = report.document(disk_in(tmp_path), Figures({}, ()))
    without = report.document_without_disk({"memory": 1, "none": 3}, Memory(1, 2, 3))
    assert without.keys() == with_disk.keys()
    assert (without["status"], without["hitRate"], without["savedCost"]) == ("off", 0.25, None)


def test_the_setting_that_turns_the_disk_off_is_named() -> None:
    """Entries or bytes of 0 do; other values do not."""
    assert report.turned_off(0, 1) == "UNAVOCE_CACHE_MAX_ENTRIES=0"
    assert report.turned_off(1, 0) == "UNAVOCE_CACHE_MAX_BYTES=0"
    assert report.turned_off(1, 1) == ""


def test_a_locked_index_is_no_fault_of_the_disk() -> None:
    """The remedy is to try again; other errors keep theirs."""
    locked = CacheError("the cache in /c cannot be used (database is locked); remedy: see to that folder")
    assert report.told(locked).endswith("try again, or stop it")
    assert report.told(CacheError("it is full; remedy: make room")) == "it is full; remedy: make room"


def test_an_empty_folder_of_ones_own_is_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder made for the cache before its first clip is none that is read-only; one on a read-only mount is."""
    assert report.unwritable(disk_in(tmp_path)) == ""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert "read-only; remedy: " in report.unwritable(disk_in(tmp_path))


def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path) -> None:
    """Less free than is left to others: the figures are there, and so is the remedy."""
    disk = DiskCache(tmp_path, Limits(reserve_bytes=1 << 62))
    document = report.document(disk, report.figures(disk))
    disk.close()
    assert (document["status"], document["entries"]) == ("degraded", 0)
    assert "nearly full" in document["detail"]
    assert document["remedy"].startswith("make room")
