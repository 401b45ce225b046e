"""Halves of a Piper model on disk: kept, damaged, in the way of others, and without a place to lie."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.piper_model import HifiGan, piper_model, text, written

from unavoce.engines import piper_halves
from unavoce.engines.onnx_runs import Run, session
from unavoce.engines.piper_decoder import Decoder, encode
from unavoce.engines.piper_halves import FACTS, MAX_KEPT, halves, tidy
from unavoce.engines.piper_parts import Halves
from unavoce.engines.piper_reach import Uncuttable
from unavoce.engines.piper_voices import VoiceFiles

TINY = HifiGan("2", (3,), ((1,),), ((2, 4), (2, 4)), width=4)
DIGEST = "ab" * 32
NAME = f"cut-{DIGEST[:32]}-v{piper_halves.FORMAT}"


@pytest.fixture
def files(tmp_path: Path) -> VoiceFiles:
    return written(piper_model(TINY), tmp_path / "tiny.onnx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "piper"


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Models that have been cut, each time."""
    from unavoce.engines import piper_cutting

    done: list[Path] = []
    cut = piper_cutting.cut

    def noted(model: Path, places: Any) -> Any:
        done.append(model)
        return cut(model, places)

    monkeypatch.setattr(piper_cutting, "cut", noted)
    return done


def speaks(made: Halves) -> bool:
    latent = encode(session(made.encoder, 1), made, text([1, 2, 3]), Run())
    flow = session(made.flow.model, 1) if made.flow else None
    return (
        len(Decoder(session(made.decoder, 1), made, flow).decode(latent, 0, latent.frames, Run())) == latent.frames * 4
    )


def test_halves_are_made_once(files: VoiceFiles, folder: Path, cuts: list[Path]) -> None:
    """The second time they are read, and are the same; nothing else is left in the folder."""
    made = halves(files, DIGEST, folder)
    assert halves(files, DIGEST, folder) == made
    assert speaks(made)
    assert (len(cuts), [path.name for path in folder.iterdir()]) == (1, [NAME])


@pytest.mark.parametrize("name", ["encoder.onnx", "flow.onnx", "decoder.onnx"])
def test_what_was_removed_is_missed(files: VoiceFiles, folder: Path, name: str) -> None:
    """Halves that somebody has removed since are no longer there, and are made anew."""
    made = halves(files, DIGEST, folder)
    assert made.are_there
    (folder / NAME / name).unlink()
    assert not made.are_there
    assert halves(files, DIGEST, folder).are_there


def test_a_pair_is_about_as_large_as_the_model(tmp_path: Path, folder: Path) -> None:
    """No weight lies in both halves."""
    files = written(piper_model(HifiGan("1", (9,), ((1,),), ((2, 4),), width=64), channels=64), tmp_path / "large.onnx")
    made = halves(files, DIGEST, folder)
    assert made.flow
    parts = [made.encoder, made.flow.model, made.decoder]
    assert sum(part.stat().st_size for part in parts) < files.size * 1.1


def test_kept_halves_are_read_without_onnx(files: VoiceFiles, folder: Path) -> None:
    """A start that finds its halves does not import what makes them."""
    halves(files, DIGEST, folder)
    program = "\n".join(
        [
            "import sys; from pathlib import Path; from unavoce.engines.piper_halves import halves",
            "from unavoce.engines.piper_voices import VoiceFiles",
            f"path = Path({str(files.model)!r})",
            f"files = VoiceFiles('tiny', path, path, 'en', {{}}, 1, {files.size}, {files.mtime_ns})",
            f"halves(files, {DIGEST!r}, Path({str(folder)!r}))",
            "print('onnx' in sys.modules, 'onnxruntime' in sys.modules)",
        ]
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False"]


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", ["encoder.onnx", "flow.onnx", "decoder.onnx", FACTS])
@pytest.mark.parametrize("damage", [cut_short, flipped, emptied, Path.unlink, replaced_by_a_folder])
def test_what_is_damaged_is_made_anew(
    files: VoiceFiles, folder: Path, cuts: list[Path], name: str, damage: Callable[[Path], None]
) -> None:
    """No byte may be missing or other than it was written, in any of the files."""
    made = halves(files, DIGEST, folder)
    damage(folder / NAME / name)
    assert halves(files, DIGEST, folder) == made
    assert speaks(made)
    assert (len(cuts), [path.name for path in folder.iterdir()]) == (2, [NAME])


@pytest.mark.parametrize(
    "change",
    [
        {"samples_per_frame": 0},
        {"samples_per_frame": "4"},
        {"levels": []},
        {"levels": [[2, 3]]},
        {"levels": [[1, 3], [2, 5], [3, 5]]},
        {"levels": [[1, -3]]},
        {"latent": ""},
        {"extra": ["x"] * 101},
        {"overhead": float("inf")},
        {"flow": {"sha256": "0" * 64, "source": "x", "extra": [], "context": -1, "weight": 1.0}},
        {"encoder_sha256": "../../etc"},
        {"another": 1},
    ],
)
def test_facts_of_another_hand_are_not_taken(
    files: VoiceFiles, folder: Path, cuts: list[Path], change: dict[str, object]
) -> None:
    """What is said of the halves has to be possible, even where its digest fits."""
    made = halves(files, DIGEST, folder)
    path = folder / NAME / FACTS
    content = json.dumps({**json.loads(path.read_text().splitlines()[0]), **change}).encode()
    path.write_bytes(content + b"\n" + hashlib.sha256(content).hexdigest().encode())
    assert halves(files, DIGEST, folder) == made
    assert len(cuts) == 2


def test_without_a_folder_they_lie_elsewhere(files: VoiceFiles, tmp_path: Path, cuts: list[Path]) -> None:
    """Where nothing can be kept they are made once per process, in a temporary place."""
    (tmp_path / "piper").write_text("in the way")
    made = halves(files, DIGEST, tmp_path / "piper")
    assert speaks(made)
    assert halves(files, DIGEST, tmp_path / "piper") == made
    assert (len(cuts), tmp_path in made.encoder.parents) == (1, False)


def no_space(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_nothing_half_made(
    files: VoiceFiles, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where there is no room anywhere, the voice is not cut, says so, and leaves no files."""
    monkeypatch.setattr(piper_halves, "_elsewhere", lambda: tmp_path / "elsewhere")
    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(Uncuttable, match=r"no room.*No space left"):
        halves(files, DIGEST, folder)
    assert [*folder.iterdir(), *(tmp_path / "elsewhere").iterdir()] == []


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08" * 50])
def test_what_is_no_model_is_not_cut(files: VoiceFiles, folder: Path, content: bytes) -> None:
    """A file that is damaged or another thing is refused, and leaves no files."""
    files.model.write_bytes(content)
    status = files.model.stat()
    another = VoiceFiles("x", files.model, files.model, "en", {}, 1, status.st_size, status.st_mtime_ns)
    with pytest.raises(Uncuttable):
        halves(another, DIGEST, folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("change", [Path.unlink, lambda path: os.utime(path, (1, 1))])
def test_a_model_that_changed_is_not_cut(files: VoiceFiles, folder: Path, change: Callable[[Path], None]) -> None:
    """Halves are kept under the digest of the model that was found at the start, and of no other."""
    change(files.model)
    with pytest.raises(Uncuttable, match=r"changed since the start|cannot be read"):
        halves(files, DIGEST, folder)


def test_a_model_that_changes_meanwhile_is_not_kept(
    files: VoiceFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was cut of a file that is being written is thrown away."""
    from unavoce.engines import piper_cutting

    monkeypatch.setattr(piper_cutting, "prove", lambda _: os.utime(files.model, (1, 1)))
    with pytest.raises(Uncuttable, match="changed"):
        halves(files, DIGEST, folder)
    assert list(folder.iterdir()) == []


def test_halves_that_say_something_else_are_not_kept(
    files: VoiceFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before they are used, they are heard: whole and in windows, with the same samples."""
    from unavoce.engines import piper_cutting

    monkeypatch.setattr(piper_cutting, "_in_windows", lambda decoder, latent: decoder.decode(latent, 0, 5, Run()))
    with pytest.raises(Uncuttable, match="do not speak"):
        halves(files, DIGEST, folder)
    assert list(folder.iterdir()) == []


def test_without_onnx_the_remedy_is_named(files: VoiceFiles, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the package speaks whole sentences, and says what to install."""
    monkeypatch.delitem(sys.modules, "unavoce.engines.piper_cutting", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(Uncuttable, match=r"remedy: pip install 'unavoce\[piper\]'"):
        halves(files, DIGEST, folder)


def test_what_is_no_longer_of_use_goes(files: VoiceFiles, folder: Path, tmp_path: Path) -> None:
    """Halves of a model that is gone or another one, of an older format, and what a killed process left."""
    gone = written(piper_model(TINY, seed=2), tmp_path / "gone.onnx")
    halves(gone, "cd" * 32, folder)
    gone.model.unlink()
    for name in (
        "cut-0123-v0",
        f"cut-0123-v{piper_halves.FORMAT}",
        "cut-0123-v1.7-aa.part",
        f"cut-0123-v{piper_halves.FORMAT + 1}",
    ):
        (folder / name).mkdir()
    long_ago = time.time() - piper_halves.PART_AGE_S - 60
    os.utime(folder / "cut-0123-v1.7-aa.part", (long_ago, long_ago))
    (folder / "cut-0123-v1.8-bb.part").mkdir()
    (folder / "fingerprints.json").write_text("{}")
    halves(files, DIGEST, folder)
    left = {path.name for path in folder.iterdir()}
    assert left == {NAME, f"cut-0123-v{piper_halves.FORMAT + 1}", "cut-0123-v1.8-bb.part", "fingerprints.json"}


def test_only_so_many_are_kept(files: VoiceFiles, folder: Path) -> None:
    """Those made longest ago go first."""
    made = halves(files, DIGEST, folder)
    for number in range(MAX_KEPT):
        copy = folder / f"cut-{number:032x}-v{piper_halves.FORMAT}"
        copy.mkdir()
        (copy / FACTS).write_bytes((made.encoder.parent / FACTS).read_bytes())
        os.utime(copy, (number + 1, number + 1))
    tidy(folder)
    left = {path.name for path in folder.iterdir()}
    assert len(left) == MAX_KEPT
    assert NAME in left
    assert f"cut-{0:032x}-v{piper_halves.FORMAT}" not in left


def test_processes_that_start_at_once_do_not_hurt_each_other(files: VoiceFiles, folder: Path) -> None:
    """Each has whole halves, of which one pair is left, also where a damaged one lay there."""
    (folder / NAME).mkdir(parents=True)
    program = "\n".join(
        [
            "import sys; from pathlib import Path; from unavoce.engines.piper_halves import halves",
            "import unavoce.engines.piper_cutting; from unavoce.engines.onnx_runs import session",
            "from unavoce.engines.piper_voices import VoiceFiles",
            f"path = Path({str(files.model)!r})",
            f"files = VoiceFiles('tiny', path, path, 'en', {{}}, 1, {files.size}, {files.mtime_ns})",
            "print('ready', flush=True); sys.stdin.readline()",
            f"made = halves(files, {DIGEST!r}, Path({str(folder)!r}))",
            "print(made.samples_per_frame, flush=True)",
        ]
    )
    pipe = subprocess.PIPE
    running = [subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [(process.communicate()[0], process.returncode) for process in running]
    assert ends == [("4\n", 0)] * 3
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert speaks(halves(files, DIGEST, folder))
