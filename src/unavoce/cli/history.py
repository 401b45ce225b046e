"""`unavoce history`: what was said and is kept on disk, and its clearing. Works while a server uses that file."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from unavoce.chat.archive.housekeeping import Housekeeping
from unavoce.chat.archive.records import Figures, Which
from unavoce.cli import ages, options
from unavoce.cli.table import print_table, size
from unavoce.cli.terminal import visible
from unavoce.settings import Settings, load_settings

MOST_SHOWN = 20
"""Sessions that are shown one by one; `--json` names up to 1,000."""


@click.group("history")
def command() -> None:
    """What was said and is kept on disk (UNAVOCE_HISTORY=disk)."""
    logging.disable(logging.CRITICAL)  # what a part logs while it fails is said in a line of ours, once


# -- stats


@command.command("stats")
@options.config
@options.as_json
def stats(config: Path | None, as_json: bool) -> None:
    """Show how much is kept, since when, and of which sessions; no text."""
    settings = load_settings(config)
    keeping = Housekeeping(settings.data_dir)
    document = _document(settings, keeping, keeping.figures())
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        _show(document)


def _document(settings: Settings, keeping: Housekeeping, figures: Figures) -> dict[str, Any]:
    damaged = keeping.place.damaged
    return {
        "history": settings.history,
        "file": str(keeping.place.path),
        "damaged": str(damaged) if damaged.exists() else None,
        "sessions": figures.sessions,
        "messages": figures.messages,
        "bytes": figures.bytes,
        "maxBytes": settings.history_max_bytes,
        "maxAgeDays": settings.history_max_age_days,
        "oldestAt": None if figures.oldest_at is None else round(figures.oldest_at * 1000),
        "latest": [
            {"sessionId": session, "messages": messages, "lastAt": round(last_at * 1000)}
            for session, messages, last_at in figures.listed
        ],
    }


def _show(document: dict[str, Any]) -> None:
    kept = "in memory only" if document["history"] == "memory" else "on disk"
    days = document["maxAgeDays"]
    rows = [
        ("file", document["file"]),
        ("history", f"kept {kept}" + (f", for {days:g} days" if days else "")),
        ("messages", f"{document['messages']:,} of {document['sessions']:,} sessions"),
        ("size", f"{size(document['bytes'])} of at most {size(document['maxBytes'])}"),
        ("oldest", _when(document["oldestAt"]) if document["oldestAt"] else "none"),
    ]
    print_table([*rows, *([("damaged", document["damaged"])] if document["damaged"] else [])])
    if document["latest"]:
        click.echo()
        latest = document["latest"][:MOST_SHOWN]
        rows_of = [(one["sessionId"], f"{one['messages']:,}", _when(one["lastAt"])) for one in latest]
        print_table([("session", "messages", "last"), *rows_of])


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


# -- clear


@command.command("clear")
@click.option("--session", metavar="ID", help="Only messages of this session.")
@click.option("--older-than", callback=ages.option, metavar="AGE", help="Only messages older than that: 30d, 12h, 90m.")
@click.option("--yes", is_flag=True, help="Do not ask before everything goes.")
@options.config
@options.as_json
def clear(*, session: str | None, older_than: float | None, yes: bool, config: Path | None, as_json: bool) -> None:
    """Remove messages for good: those that fit every option given, or all."""
    keeping = Housekeeping(load_settings(config).data_dir)
    which = Which(session) if older_than is None else Which(session, time.time() - older_than)
    if which == Which() and keeping.files and not yes and sys.stdin.isatty():
        click.confirm(f"Remove every message in {visible(str(keeping.place.path))}?", abort=True, err=True)
    gone = keeping.clear(which)
    if as_json:
        click.echo(json.dumps({"file": str(keeping.place.path), "messages": gone}, indent=2))
    else:
        click.echo(f"{gone:,} messages removed")
    if session is not None and not gone:
        click.echo(f"unavoce: no message of session {visible(session)!r} fits", err=True)
    if keeping.place.damaged.exists():
        named = visible(str(keeping.place.damaged))
        click.echo(f"unavoce: {named}, a damaged file set aside, goes with everything only, or by hand", err=True)
