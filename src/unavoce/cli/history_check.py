"""The finding "history" of `unavoce doctor`: whether what is said is kept as configured."""

from __future__ import annotations

from unavoce.chat.archive.housekeeping import Housekeeping
from unavoce.cli.checks import Finding
from unavoce.cli.table import size
from unavoce.errors import REMEDY, HistoryError
from unavoce.settings import Settings

PART = "history"


def history(settings: Settings) -> Finding:
    """Opens the file as the server does, and checks it. Blocks."""
    keeping = Housekeeping(settings.data_dir)
    files = ", ".join(map(str, keeping.files))
    if settings.history == "memory":
        remedy = "unavoce history clear removes it, UNAVOCE_HISTORY=disk uses it"
        left = Finding(PART, "note", f"in memory only, but {files} is there from before", remedy)
        return left if files else Finding(PART, "ok", "in memory only")
    try:
        keeping.check()
        figures = keeping.figures()
    except HistoryError as error:
        cause, _, remedy = str(error).partition(REMEDY)
        return Finding(PART, "wrong", cause, remedy)
    detail = f"{keeping.place.path}: {figures.messages:,} messages, {size(figures.bytes)}"
    damaged = keeping.place.damaged
    if damaged.exists():
        remedy = "sqlite3's .recover may read it; `unavoce history clear` removes it with everything else"
        return Finding(PART, "note", f"{detail}; a damaged file was set aside as {damaged}", remedy)
    return Finding(PART, "ok", detail)
