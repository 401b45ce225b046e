"""History as the settings want it: where it is kept on disk, within which limits."""

from __future__ import annotations

import logging

from unavoce.chat.archive.archive import Archive
from unavoce.chat.archive.place import Place
from unavoce.chat.archive.records import Limits
from unavoce.chat.archive.store import HistoryStore
from unavoce.settings import Settings
from unavoce.storage.ages import DAY_S, MaxAge

log = logging.getLogger(__name__)


def open_archive(settings: Settings) -> Archive | None:
    """Where history is kept on disk; None where it is not. Nothing is opened yet."""
    if settings.history == "memory":
        return None
    limits = Limits(max_bytes=settings.history_max_bytes, max_age=history_max_age(settings))
    return Archive(HistoryStore(settings.data_dir, limits))


def history_max_age(settings: Settings) -> MaxAge | None:
    """Of messages, in memory and on disk."""
    days = settings.history_max_age_days
    return None if days is None else MaxAge(days * DAY_S)


def say_what_is_left(settings: Settings) -> None:
    """Where history is not kept on disk any more, what once was still lies there: say so. Blocks."""
    place = Place(settings.data_dir)
    left = [str(path) for path in (place.path, place.damaged) if path.exists()]
    if settings.history == "memory" and left:
        log.warning("history_left_on_disk", extra={"files": ", ".join(left), "remedy": "unavoce history clear"})
