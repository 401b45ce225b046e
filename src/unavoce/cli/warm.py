"""`unavoce cache warm`: has a person's own phrases made and kept before anybody asks for them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from unavoce.cache.disk.background import BackgroundDisk
from unavoce.cli import options
from unavoce.cli.cache_folder import opened
from unavoce.composition import build_stage, cores_for
from unavoce.engines.base import Voice
from unavoce.errors import CacheError, EngineError, EngineRefused, EngineUnavailable
from unavoce.narration.stage import Stage
from unavoce.narration.warming import Outcome, sentences_of, warm
from unavoce.settings import Settings, load_settings
from unavoce.settings.model import MAX_PHRASES_BYTES, numbered_phrases

NICENESS = 10
"""A server on this machine, and its listeners, come first."""

Line = tuple[int, str]
"""A phrase and the number of its line."""


@click.command("warm")
@click.argument("file", metavar="FILE")
@click.option("--voice", metavar="V", help="Only in this one of `unavoce voices` (default: each engine's own).")
@options.config
@options.as_json
@click.pass_context
def command(ctx: click.Context, file: str, voice: str | None, config: Path | None, as_json: bool) -> None:
    """Make the phrases in FILE, one a line, and keep them; `-` reads standard input.

    What is kept already is passed over, so that the same command goes on where it was stopped. Exit 1 if any failed.
    """
    settings = load_settings(config)
    phrases = _phrases(file)
    with opened(settings, writing=True) as disk:
        disk.sums()  # where it cannot be used this is said before any engine starts
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with Screen() as screen:
        try:
            asyncio.run(_warm(settings, phrases, voice, screen))
        except (KeyboardInterrupt, CacheError):
            screen.say(f"stopped: {screen.tally}; the same command goes on from here")
            raise
    click.echo(json.dumps(asdict(screen.tally)) if as_json else str(screen.tally))
    ctx.exit(1 if screen.tally.failed else 0)


def _phrases(file: str) -> list[Line]:
    try:
        with click.open_file(file, "rb") as stream:
            return numbered_phrases(stream.read(MAX_PHRASES_BYTES + 1))
    except UnicodeDecodeError:
        raise click.BadParameter(f"{file}: it is not UTF-8.", param_hint="FILE") from None
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror or error}.", param_hint="FILE") from None
    except ValueError as error:
        raise click.BadParameter(f"{file}: expected {error}.", param_hint="FILE") from None


# -- what is shown


@dataclass(slots=True)
class Tally:
    """Phrases, each counted once for every voice."""

    warmed: int = 0
    present: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.warmed:,} warmed, {self.present:,} present, {self.failed:,} failed"


class Screen:
    """A progress bar on a terminal, else a line for each phrase; on standard error."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._console = Console(stderr=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._progress = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._progress.add_task("starting the engines", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)

    def count(self, outcome: Outcome, voice: Voice, number: int, reason: str = "") -> None:
        """One phrase is done, in one voice; the text itself is not shown."""
        setattr(self.tally, outcome, getattr(self.tally, outcome) + 1)
        who = f"{voice.engine}/{voice.name}"
        self._progress.update(self._task, advance=1, description=who)
        if reason or not self._console.is_terminal:
            self.say(f"line {number}, {who}: {outcome}{f' ({reason})' if reason else ''}")

    def give_up(self, count: int, voice: Voice, number: int, reason: str) -> None:
        """All that is left in a voice whose engine has fallen."""
        self.tally.failed += count
        self._progress.update(self._task, advance=count)
        self.say(f"line {number} and after it, {voice.engine}/{voice.name}: failed ({reason})")


# -- what is done


async def _warm(settings: Settings, phrases: Sequence[Line], name: str | None, screen: Screen) -> None:
    """All phrases in one voice, then in the next: the first is heard most."""
    # Making engines reads files.
    async with await asyncio.to_thread(build_stage, settings, cores_for(settings)) as stage:
        voices = await _voices(stage, name, screen)
        screen.begin(len(phrases) * len(voices))
        for voice in voices:
            await _warm_all(stage, voice, phrases, name, screen)


async def _voices(stage: Stage, name: str | None, screen: Screen) -> list[Voice]:
    """The voices to warm, of engines that can speak. Raises EngineUnavailable where none can, or RequestError."""
    for engine in stage.chain.engines:
        await stage.chain.started(engine.name)
    wanted = stage.chain.find_voice(name)
    voices = stage.chain.casting(wanted).voices if name is None else (wanted,)
    down = [voice.engine for voice in voices if stage.chain.is_down(voice.engine)]
    told = [f"{engine} cannot speak: {stage.chain.status(engine).reason}" for engine in down]
    if len(down) == len(voices):
        raise EngineUnavailable("; ".join(told))
    for line in told:
        screen.say(f"passed over: {line}")
    return [voice for voice in voices if voice.engine not in down]


async def _warm_all(stage: Stage, voice: Voice, phrases: Sequence[Line], name: str | None, screen: Screen) -> None:
    cast = stage.chain.casting(stage.chain.find_voice(name)).voices
    for done, (number, phrase) in enumerate(phrases):
        if stage.chain.is_down(voice.engine):
            screen.give_up(len(phrases) - done, voice, number, stage.chain.status(voice.engine).reason)
            return
        try:
            outcome = await _warm_one(stage, voice, sentences_of(phrase, cast, stage))
            screen.count(outcome, voice, number)
        except EngineError as error:
            screen.count("failed", voice, number, str(error))


async def _warm_one(stage: Stage, voice: Voice, sentences: Sequence[str]) -> Outcome:
    """Returns when the phrase is on disk. Raises EngineError."""
    if not sentences:
        raise EngineRefused("there is nothing to say in it")
    outcome = await warm(stage, voice, sentences)
    await _on_disk(stage)
    return outcome


async def _on_disk(stage: Stage) -> None:
    """Returns when everything made so far is on disk. Raises CacheError where the disk takes no more."""
    tier = stage.cache.disk
    assert isinstance(tier, BackgroundDisk)  # noqa: S101 - settings that keep nothing on disk were refused
    await tier.flush()
    if tier.disk.problem:
        raise CacheError(tier.disk.problem)
