"""`unavoce cache`: what is kept on disk, and its care. Works while servers run on the same folder."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from unavoce.cache import report
from unavoce.cache.disk.tier import DiskCache
from unavoce.cache.disk.verify import Verdict, count_files, verify
from unavoce.cache.kept import Which
from unavoce.cli import ages, options, warm
from unavoce.cli.cache_folder import opened
from unavoce.cli.table import print_table, size
from unavoce.cli.terminal import visible
from unavoce.settings import load_settings

MOST_NAMED = 20
"""Damaged clips that are named one by one."""


@click.group("cache")
def command() -> None:
    """What was spoken once and is kept on disk."""
    logging.disable(logging.CRITICAL)  # what a part logs while it fails is said in a line of ours, once


command.add_command(warm.command)


# -- stats


@command.command("stats")
@options.config
@options.as_json
def stats(config: Path | None, as_json: bool) -> None:
    """Show what is kept, how often it was of use, and what it saved."""
    with opened(load_settings(config), writing=False) as disk:
        document = report.document(disk, report.figures(disk))
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        _show(document)


def _show(document: report.Document) -> None:
    print_table(_overview(document))
    if document["remedy"]:
        click.echo(f"  → {document['remedy']}")
    if document["voices"]:
        click.echo()
        print_table([("engine", "voice", "clips", "size"), *map(_voice_row, document["voices"])])


def _overview(document: report.Document) -> list[tuple[str, str]]:
    state = document["status"] if document["status"] == "ok" else f"{document['status']}: {document['detail']}"
    return [
        ("folder", document["folder"]),
        ("state", state),
        ("clips", f"{document['entries']:,} of at most {document['maxEntries']:,}"),
        ("size", f"{size(document['bytes'])} of at most {size(document['maxBytes'])}"),
        ("heard", _heard(document)),
        ("saved", f"{document['savedSynthesisS']:,.1f} s of synthesis, {document['savedCost']:,.4f} of charges"),
    ]


def _heard(document: report.Document) -> str:
    hits = document["hits"]
    if document["hitRate"] is None:
        return "no sentence yet"
    return (
        f"{sum(hits.values()):,} sentences: {hits['memory']:,} from memory, {hits['disk']:,} from disk,"
        f" {hits['none']:,} from an engine ({document['hitRate']:.1%} kept)"
    )


def _voice_row(voice: report.Document) -> tuple[str, ...]:
    return voice["engine"], voice["voice"], f"{voice['entries']:,}", size(voice["bytes"])


# -- verify


@command.command("verify")
@options.config
@options.as_json
@click.pass_context
def verify_(ctx: click.Context, config: Path | None, as_json: bool) -> None:
    """Read every clip, remove damaged ones and set the index right; exit 1 if any was damaged."""
    with opened(load_settings(config), writing=True) as disk:
        verdict = _verified(disk)
    if as_json:
        click.echo(json.dumps({"folder": str(disk.folder.path), **asdict(verdict)}, indent=2))
    else:
        _tell_verdict(verdict)
    ctx.exit(1 if verdict.damaged else 0)


def _verified(disk: DiskCache) -> Verdict:
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    named = 0

    def damaged(key: str, reason: str) -> None:
        nonlocal named
        named += 1
        if named <= MOST_NAMED:
            console.print(f"damaged, removed: {key} ({reason})", soft_wrap=True, highlight=False, markup=False)

    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking", total=count_files(disk))
        return verify(disk, step=lambda: progress.advance(task), damaged=damaged)


def _tell_verdict(verdict: Verdict) -> None:
    said = [f"{verdict.checked:,} clips checked", f"{verdict.damaged:,} damaged and removed"]
    said.append(f"{verdict.adopted:,} files taken into the index")
    said.append(f"{verdict.missing:,} entries without a file taken out")
    if verdict.strangers:
        said.append(f"{verdict.strangers:,} files that are none of the cache's left alone")
    click.echo(", ".join(said))


# -- clear


@command.command("clear")
@click.option("--engine", metavar="E", help="Only clips of this engine.")
@click.option("--voice", metavar="V", help="Only clips in this voice.")
@click.option("--older-than", callback=ages.option, metavar="AGE", help="Only clips made longer ago: 30d, 12h, 90m.")
@click.option("--yes", is_flag=True, help="Do not ask before everything goes.")
@options.config
@options.as_json
def clear(
    *, engine: str | None, voice: str | None, older_than: float | None, yes: bool, config: Path | None, as_json: bool
) -> None:
    """Remove clips: those that fit every option given, or all."""
    which = Which(engine, voice, None if older_than is None else time.time() - older_than)
    with opened(load_settings(config), writing=True) as disk:
        if which == Which() and not yes and sys.stdin.isatty():
            click.confirm(f"Remove every clip in {visible(str(disk.folder.path))}?", abort=True, err=True)
        there = _there(disk)
        clips, freed = _cleared(disk, which)
    if as_json:
        click.echo(json.dumps({"folder": str(disk.folder.path), "entries": clips, "bytes": freed}, indent=2))
    else:
        click.echo(f"{clips:,} clips removed ({size(freed)})")
    if not clips:
        _say_what_is_unknown(which, there)


def _there(disk: DiskCache) -> Sequence[tuple[str, str]]:
    """Engine and voice of every clip there is, those of a lost index as well."""
    disk.adopt_all()
    return [(engine, voice) for engine, voice, *_ in disk.by_voice()]


def _cleared(disk: DiskCache, which: Which) -> tuple[int, int]:
    """How many clips went, and their bytes, as far as running servers did not add to them meanwhile."""
    before = disk.sums().get("bytes", 0)
    clips = disk.clear(which)
    return clips, max(0, int(before - disk.sums().get("bytes", 0)))


def _say_what_is_unknown(which: Which, there: Sequence[tuple[str, str]]) -> None:
    """A name that no clip has is told, with those there are: it may be misspelt."""
    for what, wanted, names in (
        ("of engine", which.engine, {engine for engine, _ in there}),
        ("in voice", which.voice, {voice for _, voice in there}),
    ):
        if wanted is not None and wanted not in names:
            known = ", ".join(sorted(names)) or "none"
            click.echo(f"unavoce: there is no clip {what} {visible(wanted)!r}; there are: {visible(known)}", err=True)
