"""The server's log on standard error: one line an event, its fields behind its name. For people, or as JSON lines."""

from __future__ import annotations

import logging
import sys

from unavoce.cli.log_lines import HumanFormatter, JsonFormatter
from unavoce.settings.model import LogFormat, LogLevel


def log_to_stderr(level: LogLevel, form: LogFormat = "auto") -> None:
    """`level` is that of this package's own events. `form` `auto`: for people on a terminal, else JSON."""
    human = sys.stderr.isatty() if form == "auto" else form == "human"
    handler = logging.StreamHandler()
    handler.setFormatter(HumanFormatter() if human else JsonFormatter())
    # Others' loggers tell what is wrong and no more, at any level of ours: below that they write whole frames, with
    # keys and messages in them (the web server's), and URLs, in which some speech servers take the text.
    logging.basicConfig(level=max(logging.WARNING, getattr(logging, level.upper())), handlers=[handler])
    logging.getLogger("unavoce").setLevel(level.upper())
    logging.captureWarnings(capture=True)
