"""`verify`: every clip is read, and files and index agree afterwards."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from unavoce.audio.pcm import Pcm
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.disk.verify import Verdict, count_files, verify
from unavoce.cache.kept import Kept
from unavoce.engines.base import Voice
from unavoce.errors import CacheError

VOICE = Voice("fake", "tone", "en")


@pytest.fixture
def disk(tmp_path: Path) -> DiskCache:
    """Eight clips."""
    disk = DiskCache(tmp_path / "cache", Limits(reserve_bytes=0))
    for number in range(8):
        samples = np.arange(1000, dtype=np.int16) + number
        assert disk.put(key(number), Kept(Pcm(samples, 8000), VOICE, 1_800_000_000.0))
    return disk


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def file_of(disk: DiskCache, number: int) -> Path:
    return disk.folder.path / "clips" / key(number)[:2] / f"{key(number)}.wav"


def verified(disk: DiskCache) -> tuple[Verdict, dict[str, str], int]:
    """The verdict, the damaged clips with the reasons, and the steps told."""
    damaged: dict[str, str] = {}
    steps: list[None] = []
    return verify(disk, step=lambda: steps.append(None), damaged=damaged.__setitem__), damaged, len(steps)


def test_a_whole_cache_is_left_as_it_is(disk: DiskCache) -> None:
    """Every clip is checked and none is touched."""
    assert count_files(disk) == 8
    assert verified(disk) == (Verdict(checked=8), {}, 8)
    assert disk.sums()["entries"] == 8


def test_damaged_clips_are_removed_and_named(disk: DiskCache) -> None:
    """One flipped bit, a cut and a swap are each found; what is whole stays, and a second look finds nothing."""
    flipped = file_of(disk, 0)
    content = bytearray(flipped.read_bytes())
    content[-100] ^= 1
    flipped.write_bytes(content)
    file_of(disk, 1).write_bytes(file_of(disk, 1).read_bytes()[:500])
    shutil.copy(file_of(disk, 3), file_of(disk, 2))
    verdict, damaged, steps = verified(disk)
    assert verdict == Verdict(checked=8, damaged=3)
    assert damaged.keys() == {key(0), key(1), key(2)}
    assert "another key" in damaged[key(2)]
    assert steps == 8
    assert not any(disk.has(key(number)) for number in range(3))
    assert verified(disk)[0] == Verdict(checked=5)
    assert disk.sums()["entries"] == 5


def test_files_and_index_agree_afterwards(disk: DiskCache) -> None:
    """A row whose file is gone goes; a whole file without a row gets one; what is no file of ours is left alone."""
    file_of(disk, 0).unlink()
    disk.close()
    (disk.folder.path / "clips" / "note.txt").write_text("mine")
    assert verified(disk)[0] == Verdict(checked=7, missing=1, strangers=1)
    disk.close()
    (disk.folder.path / "index.sqlite").unlink()
    assert verified(disk)[0] == Verdict(checked=7, adopted=7, strangers=1)
    assert disk.sums()["entries"] == 7
    assert (disk.folder.path / "clips" / "note.txt").exists()


def test_a_folder_that_is_not_ours_alone_is_refused(disk: DiskCache) -> None:
    """What others may write is not checked and put right, but told."""
    disk.folder.path.chmod(0o777)
    with pytest.raises(CacheError, match="remedy: chmod go-w"):
        verified(DiskCache(disk.folder.path, Limits()))
