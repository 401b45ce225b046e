"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file (default: unavoce.toml in the current folder, if there).",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
