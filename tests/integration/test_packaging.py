"""The wheel and the sdist, built from this tree as an index would have them: without Node and without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "unavoce" / "web"
LIMIT_S = 300
CALL = "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"
LOOK = """
import shutil, unavoce
from unavoce.web.site import Site
site = Site.load()
assert not shutil.which("node") and not shutil.which("npm")
assert not site.missing, site.missing
print(unavoce.__file__, site.digest, *[route.path for route in site.routes()])
"""


def alone(tmp_path: Path, command: Sequence[str], cwd: Path, **environ: str) -> str:
    """What a command says on a machine with an empty PATH and no way out."""
    nowhere = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0", "PIP_NO_INDEX": "1"}
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LANG") if name in os.environ}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **nowhere, "PATH": "", "HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


def build(what: str, source: Path, target: Path) -> Path:
    made = alone(target, [sys.executable, "-c", CALL, f"build_{what}", str(target)], source)
    return target / made.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def whole(archive: zipfile.ZipFile) -> dict[str, bytes]:
    return {name: archive.read(name) for name in archive.namelist()}


def unpacked(sdist: Path, folder: Path) -> Path:
    """The sdist's one folder, written into `folder`."""
    with tarfile.open(sdist) as archive:
        for member in archive:
            content = archive.extractfile(member)
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read() if content else b"")
    return folder / sdist.name.removesuffix(".tar.gz")


def page_files() -> dict[str, bytes]:
    """What must be packed, by its place in the package."""
    served = [path for part in ("page", "player", "vendor") for path in (WEB / part).rglob("*") if path.is_file()]
    return {f"unavoce/web/{path.relative_to(WEB).as_posix()}": path.read_bytes() for path in served}


def test_the_wheel_holds_the_page_the_player_and_the_libraries(wheel: Path) -> None:
    """Every file of the page, the player and the libraries, with their licences, byte by byte."""
    expected = page_files()
    assert {"unavoce/web/vendor/marked.LICENSE.txt", "unavoce/web/vendor/socket.io-client.LICENSE.txt"} <= set(expected)
    with zipfile.ZipFile(wheel) as archive:
        assert {name: archive.read(name) for name in archive.namelist() if name in expected} == expected


def test_the_sdist_builds_the_same_wheel_without_npm(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    """The sdist carries the libraries and the build hook, so that the wheel made from it is the same to the byte."""
    source = unpacked(sdist, tmp_path)
    assert (source / "hatch_build.py").is_file()
    (tmp_path / "out").mkdir()
    again = build("wheel", source, tmp_path / "out")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as other:
        assert {name: one.read(name) for name in one.namelist()} == {
            name: other.read(name) for name in other.namelist()
        }


def test_the_installed_wheel_serves_the_page_without_node(wheel: Path, tmp_path: Path) -> None:
    """Installed by pip into an empty folder, it finds its files where there is neither Node nor a source tree."""
    target = tmp_path / "site"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    alone(tmp_path, [sys.executable, *install], tmp_path)
    # Not the editable install of this tree, which stands later on the path.
    place, digest, *paths = alone(tmp_path, [sys.executable, "-c", LOOK], tmp_path, PYTHONPATH=str(target)).split()
    assert Path(place).is_relative_to(target)
    assert len(digest) == 16
    assert "/" in paths
