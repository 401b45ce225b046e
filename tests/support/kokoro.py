"""Kokoro for tests that listen to it, set up by the command that users type."""

from __future__ import annotations

import fcntl
from pathlib import Path

from rich.console import Console

from unavoce.cli.install import install

CACHE = Path(__file__).parents[2] / ".cache" / "kokoro"


def data_dir_with_kokoro() -> Path:
    """A data directory with Kokoro in it, fetched once for this working copy; what is damaged is mended."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        install(CACHE / "kokoro", Console(quiet=True))
    return CACHE
