"""The disk cache as the command line opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from unavoce.cache import report
from unavoce.cache.disk.tier import DiskCache
from unavoce.composition import build_disk
from unavoce.errors import REMEDY, CacheError
from unavoce.settings import Settings


@contextmanager
def opened(settings: Settings, *, writing: bool) -> Iterator[DiskCache]:
    """The disk cache, closed behind. Raises CacheError where settings turn it off, or it cannot be used."""
    if off := report.turned_off(settings.cache_max_entries, settings.cache_max_bytes):
        folder = settings.cache_folder
        remedy = f"give it another value; what is still in {folder} may be deleted"
        raise CacheError(f"nothing is kept on disk with {off}{REMEDY}{remedy}")
    with closing(build_disk(settings)) as disk:
        if writing and (problem := report.unwritable(disk)):
            raise CacheError(problem)
        try:
            yield disk
        except CacheError as error:
            raise CacheError(report.told(error)) from error
