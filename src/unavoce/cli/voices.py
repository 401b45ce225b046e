"""`unavoce voices`: what can speak here."""

from __future__ import annotations

import json
from pathlib import Path

import click

from unavoce.cli import install, options
from unavoce.cli.table import print_table
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext, Voice
from unavoce.engines.registry import create_engine
from unavoce.errors import EngineError, EngineUnavailable
from unavoce.settings import Settings, load_settings

HEADINGS = ("voice", "engine", "language", "default")


@click.group("voices", invoke_without_command=True)
@options.config
@options.as_json
@click.pass_context
def command(ctx: click.Context, config: Path | None, as_json: bool) -> None:
    """List the voices of the configured engines, the default first."""
    if ctx.invoked_subcommand is not None:
        return
    voices = _voices(load_settings(config))
    if not voices:
        raise EngineUnavailable("no configured engine has a voice here; `unavoce doctor` says why")
    if as_json:
        click.echo(json.dumps([_record(voice, voice is voices[0]) for voice in voices], indent=2))
    else:
        print_table([HEADINGS, *(_row(voice, voice is voices[0]) for voice in voices)])


command.add_command(install.command)


def _voices(settings: Settings) -> list[Voice]:
    """Of every engine that is there; one that is not is named on standard error and passed over."""
    context = EngineContext(data_dir=settings.data_dir, cores=Cores())
    found: list[Voice] = []
    for name in settings.engines:
        try:
            found += create_engine(name, settings.engine_section(name), context).voices()
        except EngineError as error:
            click.echo(f"unavoce: {error}", err=True)
    return found


def _record(voice: Voice, default: bool) -> dict[str, object]:
    return {"voice": voice.name, "engine": voice.engine, "language": voice.language, "default": default}


def _row(voice: Voice, default: bool) -> tuple[str, ...]:
    return voice.name, voice.engine, voice.language, "*" if default else ""
