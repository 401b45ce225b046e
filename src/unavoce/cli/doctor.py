"""`unavoce doctor`: checks every configured part and says in plain words what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from unavoce.cli import cache_check, checks, history_check, options, wyoming_check
from unavoce.cli.checks import Finding
from unavoce.errors import SettingsError
from unavoce.settings import Settings, load_settings

MARKS = {"ok": "✓", "note": "·", "wrong": "✗"}


@click.command("doctor")
@options.config
@options.as_json
@click.pass_context
def command(ctx: click.Context, config: Path | None, as_json: bool) -> None:
    """Check every configured part; exit 1 if anything is wrong."""
    logging.disable(logging.CRITICAL)  # what a part logs while it fails is said below, once
    findings = _examine(config)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        _print(findings)
    ctx.exit(1 if any(finding.status == "wrong" for finding in findings) else 0)


def _examine(config: Path | None) -> list[Finding]:
    try:
        settings = load_settings(config)
    except SettingsError as error:
        remedy = f"change or remove {error.name}; docs/configuration.md lists every setting"
        return [checks.python(), Finding("settings", "wrong", str(error), remedy)]
    source = config or Path("unavoce.toml")
    read = f"defaults, {source} and environment" if source.is_file() else "defaults and environment"
    return [checks.python(), Finding("settings", "ok", read), *asyncio.run(_parts(settings))]


async def _parts(settings: Settings) -> list[Finding]:
    """One after the other: engines that are timed side by side would look slower than they are."""
    findings = [checks.data_dir(settings.data_dir), await checks.port(settings), checks.doors(settings)]
    findings += await wyoming_check.wyoming(settings)
    findings.append(await asyncio.to_thread(cache_check.cache, settings))
    findings.append(await asyncio.to_thread(history_check.history, settings))
    findings += [await checks.engine(name, settings) for name in settings.engines]
    findings.append(await checks.model(settings))
    findings.append(checks.cores(settings))
    return [*findings, checks.codecs(settings), checks.card(settings)]


def _print(findings: Sequence[Finding]) -> None:
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        click.echo(f"{MARKS[finding.status]} {finding.part.ljust(width)}  {finding.detail}")
        if finding.remedy:
            click.echo(f"  {' ' * width}  → {finding.remedy}")
    wrong = sum(finding.status == "wrong" for finding in findings)
    click.echo(f"{wrong} thing(s) to mend." if wrong else "Everything works.")
