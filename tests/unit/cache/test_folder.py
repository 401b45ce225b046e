"""The folder of clips: ours alone, and whatever else stands in it does no harm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.clips import key, path_of

from unavoce.cache.disk.clip_file import MAX_FILE_BYTES
from unavoce.cache.disk.folder import ClipFolder
from unavoce.errors import CacheError

KEY = key(0)


@pytest.fixture
def folder(tmp_path: Path) -> ClipFolder:
    made = ClipFolder(tmp_path / "cache")
    made.create()
    return made


def place(folder: ClipFolder) -> Path:
    """Where the clip lies, with its shard made."""
    path = path_of(folder.path, KEY)
    path.parent.mkdir(exist_ok=True)
    return path


def test_a_folder_is_made_for_nobody_else(tmp_path: Path) -> None:
    """Neither the folder nor any below it can be entered by others."""
    folder = ClipFolder(tmp_path / "a" / "cache")
    folder.create()
    folder.write(KEY, b"sound")
    for path in (folder.path, folder.path / "clips", place(folder).parent):
        assert path.stat().st_mode & 0o077 == 0


def test_what_is_written_can_be_read(folder: ClipFolder) -> None:
    """All of it, and the beginning of it with its size; then it is replaced, and removed."""
    folder.write(KEY, b"a" * 10_000)
    assert folder.read(KEY) == b"a" * 10_000
    assert folder.head(KEY) == (b"a" * 4096, 10_000)
    folder.write(KEY, b"b")
    assert folder.read(KEY) == b"b"
    assert (folder.shards(), list(folder.keys(KEY[:2]))) == ([KEY[:2]], [KEY])
    folder.remove(KEY)
    folder.remove(KEY)
    with pytest.raises(FileNotFoundError):
        folder.read(KEY)


def test_the_folder_of_another_user_is_refused(folder: ClipFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from it nor made in it: who owns it may change what is said."""
    folder.write(KEY, b"sound")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(CacheError, match="belongs to another user; remedy"):
        folder.read(KEY)
    with pytest.raises(CacheError, match="belongs to another user; remedy"):
        ClipFolder(folder.path).create()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away; the test above stands in for it")
def test_a_folder_that_was_given_away_is_refused(folder: ClipFolder) -> None:
    """Also where only the folder of the clips belongs to another user, and also while it is in use."""
    folder.write(KEY, b"sound")
    os.chown(folder.path / "clips", 12_345, -1)
    with pytest.raises(CacheError, match="belongs to another user"):
        folder.read(KEY)


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o702])
@pytest.mark.parametrize("which", [".", "clips"])
def test_a_folder_others_may_write_into_is_refused(folder: ClipFolder, mode: int, which: str) -> None:
    """The message names the remedy."""
    (folder.path / which).chmod(mode)
    with pytest.raises(CacheError, match=r"others may write into .*; remedy: chmod go-w"):
        folder.read(KEY)
    with pytest.raises(CacheError, match="others may write"):
        folder.create()


def test_a_link_in_the_place_of_the_clips_is_refused(folder: ClipFolder, tmp_path: Path) -> None:
    """A folder elsewhere is not taken for ours."""
    (folder.path / "clips").rename(tmp_path / "elsewhere")
    (folder.path / "clips").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CacheError, match="is no folder"):
        folder.read(KEY)


def test_the_folder_itself_may_be_a_link(folder: ClipFolder, tmp_path: Path) -> None:
    """An operator may have put it on another disk; whose that one is, is looked at all the same."""
    folder.write(KEY, b"sound")
    (tmp_path / "link").symlink_to(folder.path)
    linked = ClipFolder(tmp_path / "link")
    linked.create()
    assert linked.read(KEY) == b"sound"
    folder.path.chmod(0o777)
    with pytest.raises(CacheError, match="others may write"):
        linked.read(KEY)


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    """It says so, and leaves the file alone."""
    (tmp_path / "cache").write_text("mine")
    with pytest.raises(CacheError, match=r"cannot be made .*remedy"):
        ClipFolder(tmp_path / "cache").create()
    assert (tmp_path / "cache").read_text() == "mine"


def test_no_folder_is_an_absent_file(tmp_path: Path) -> None:
    """A cache that was never written to has nothing."""
    folder = ClipFolder(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        folder.read(KEY)
    assert (folder.has(KEY), folder.shards(), list(folder.strangers())) == (False, [], [])


def test_a_link_is_not_followed(folder: ClipFolder, tmp_path: Path) -> None:
    """What it points at is neither read nor removed nor written."""
    (tmp_path / "other").write_bytes(b"other")
    place(folder).symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic link"):
        folder.read(KEY)
    assert not folder.has(KEY)
    folder.write(KEY, b"sound")
    assert folder.read(KEY) == b"sound"
    folder.remove(KEY)
    assert (tmp_path / "other").read_bytes() == b"other"


def test_a_link_in_the_place_of_the_file_in_the_making_is_not_followed(folder: ClipFolder, tmp_path: Path) -> None:
    """It is removed, and what it points at stays as it is."""
    (tmp_path / "other").write_bytes(b"other")
    (folder.path / "new.wav").symlink_to(tmp_path / "other")
    folder.write(KEY, b"sound")
    assert (folder.read(KEY), (tmp_path / "other").read_bytes()) == (b"sound", b"other")


def test_a_pipe_does_not_hold_anybody_up(folder: ClipFolder) -> None:
    """One that nobody writes to is refused at once."""
    os.mkfifo(place(folder))
    with pytest.raises(OSError, match="no plain file"):
        folder.read(KEY)
    assert not folder.has(KEY)
    folder.remove(KEY)
    assert not place(folder).exists()


def test_a_file_that_is_too_large_is_not_read(folder: ClipFolder) -> None:
    """It is refused by its size, before any of it is in memory."""
    with place(folder).open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    for look in (folder.read, folder.head):
        with pytest.raises(OSError, match="no plain file of a clip's size"):
            look(KEY)


def test_an_empty_folder_in_a_clips_place_gives_way(folder: ClipFolder) -> None:
    """It is no clip, and a clip can be written there."""
    place(folder).mkdir()
    with pytest.raises(OSError, match="no plain file"):
        folder.read(KEY)
    folder.write(KEY, b"sound")
    assert folder.read(KEY) == b"sound"


def test_refusing_a_file_leaves_nothing_open(folder: ClipFolder) -> None:
    """The next descriptor is the same as before, however often what stands there is no clip."""
    place(folder).mkdir()
    before = os.dup(0)
    os.close(before)
    for _ in range(3):
        with pytest.raises(OSError, match="no plain file"):
            folder.read(KEY)
    after = os.dup(0)
    os.close(after)
    assert after == before


def test_a_filled_folder_in_a_clips_place_is_left_alone(folder: ClipFolder) -> None:
    """What somebody put there is not ours to remove; nothing is left in the making."""
    place(folder).mkdir()
    (place(folder) / "precious").touch()
    for attempt in (lambda: folder.write(KEY, b"sound"), lambda: folder.remove(KEY)):
        with pytest.raises(OSError, match="not empty"):
            attempt()
    assert (place(folder) / "precious").exists()
    assert not (folder.path / "new.wav").exists()


def test_a_file_in_the_place_of_a_shard_gives_way(folder: ClipFolder) -> None:
    """One stray file does not keep a part of the clips from being written."""
    (folder.path / "clips" / KEY[:2]).write_text("stray")
    with pytest.raises(NotADirectoryError):
        folder.read(KEY)
    folder.remove(KEY)
    folder.write(KEY, b"sound")
    assert folder.read(KEY) == b"sound"


def test_what_a_kill_left_in_the_making_is_written_over(folder: ClipFolder) -> None:
    """There is never more than one such file, and it never becomes a clip."""
    (folder.path / "new.wav").write_bytes(b"half a so")
    folder.write(KEY, b"sound")
    assert sorted(path.name for path in folder.path.iterdir()) == ["clips"]


def test_strangers_are_told_from_clips(folder: ClipFolder) -> None:
    """Names that no clip has are listed as such, and never as keys."""
    folder.write(KEY, b"sound")
    strange = {"notes.txt", "A" * 64 + ".wav", KEY, f"{KEY}.wav.bak"}
    for name in strange:
        (place(folder).parent / name).touch()
    (folder.path / "clips" / "zz").mkdir()
    (folder.path / "clips" / "00").symlink_to(folder.path / "clips" / "zz")
    other = next(key(number) for number in range(1000) if key(number)[:2] not in (KEY[:2], "00"))
    (place(folder).parent / f"{other}.wav").touch()  # in another one's shard
    assert list(folder.keys(KEY[:2])) == [KEY]
    assert {path.name for path in folder.strangers()} == strange | {"zz", "00"}
