"""The finding "cache" of `unavoce doctor`: whether clips can be kept on disk."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing

from unavoce.cache import report
from unavoce.cache.disk.tier import DiskCache
from unavoce.cli.checks import Finding
from unavoce.cli.table import size
from unavoce.composition import build_disk
from unavoce.errors import REMEDY, CacheError
from unavoce.settings import Settings

PART = "cache"


def cache(settings: Settings) -> Finding:
    """Opens it as the server does, reads its figures and writes a file beside them. Blocks."""
    if off := report.turned_off(settings.cache_max_entries, settings.cache_max_bytes):
        return Finding(PART, "note", f"nothing is kept on disk ({off})", "leave that setting out to keep clips")
    with closing(build_disk(settings)) as disk:
        try:
            sums = disk.sums()
            _write(disk)
        except CacheError as error:
            cause, _, remedy = report.told(error).partition(REMEDY)
            return Finding(PART, "wrong", cause, remedy)
        return _kept(disk, int(sums["entries"]), int(sums["bytes"]))


def _write(disk: DiskCache) -> None:
    if problem := report.unwritable(disk):
        raise CacheError(problem)
    folder = disk.folder.path
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"unavoce")
    except OSError as error:
        reason = error.strerror or error
        raise CacheError(f"{folder} cannot be written ({reason}){REMEDY}see to that folder and its disk") from error


def _kept(disk: DiskCache, entries: int, kept_bytes: int) -> Finding:
    folder = disk.folder.path
    free = shutil.disk_usage(folder).free
    detail = f"{folder}: {entries:,} clips, {size(kept_bytes)}; {size(free)} free"
    cause, _, remedy = report.nearly_full(disk).partition(REMEDY)
    return Finding(PART, "wrong", f"{detail}: {cause}", remedy) if cause else Finding(PART, "ok", detail)
