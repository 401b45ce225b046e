"""`unavoce serve`: the server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import click

from unavoce.cli import options
from unavoce.cli.logs import log_to_stderr
from unavoce.server.serving import serve
from unavoce.settings import load_settings


@click.command("serve")
@click.option("--host", metavar="H", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=int, metavar="P", help="Port to listen on (default: 8010; 0 takes any free one).")
@options.config
def command(host: str | None, port: int | None, config: Path | None) -> None:
    """Serve until Ctrl-C. Prints one line with the address when connections are accepted."""
    settings = load_settings(config, host=host, port=port)
    log_to_stderr(settings.log_level, settings.log_format)
    # The server takes SIGINT itself once it runs; one that comes before that is a clean end all the same.
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(settings))
