"""How an event is written: `time LEVEL logger event name=value …` for people, one JSON object a line for programs.

Whatever a field holds, an event is one line (for people its traceback follows, indented), and of bounded length.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

MAX_CHARS: Final = 4_000
"""Of a field; the rest is left out."""
MAX_TRACEBACK: Final = 16_000
"""Characters of a traceback; its end is kept, which tells most."""
MAX_ITEMS, MAX_DEPTH = 100, 3
"""Of a field that is a list or a table, in JSON."""
LARGEST: Final = 2**53
"""Larger whole numbers are written as text: many readers of JSON would round them."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""What records have of themselves; anything else in one is a field of the event."""


class HumanFormatter(logging.Formatter):
    """`time LEVEL logger event name=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = (f"{_word(name)}={_word(_text(value))}" for name, value in _fields(record))
        head = (self.formatTime(record), record.levelname, record.name, _visible(_event(record)))
        lines = [" ".join((*head, *fields))]
        lines += [f"  {_visible(line)}" for line in _traceback(self, record).splitlines()]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "event", …}`; a traceback is the field `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _text(_event(record)),
        }
        for name, value in _fields(record):
            line[f"{name}_" if name in line or name == "exception" else _text(name)] = _plain(value)
        if traceback := _traceback(self, record):
            line["exception"] = _text(traceback, MAX_TRACEBACK)
        return json.dumps(line, allow_nan=False)


def _event(record: logging.LogRecord) -> str:
    """The event's name; of others' loggers a sentence."""
    try:
        return record.getMessage()
    except Exception:  # its arguments do not fit
        return str(record.msg)


def _fields(record: logging.LogRecord) -> list[tuple[str, object]]:
    return [(name, value) for name, value in vars(record).items() if name not in _OWN]


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    return formatter.formatException(record.exc_info)[-MAX_TRACEBACK:]


def _text(value: object, most: int = MAX_CHARS) -> str:
    """Any value as text that can be written as UTF-8."""
    try:
        text = value if isinstance(value, str) else str(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= most else f"{text[:most]}…"


def _word(text: str) -> str:
    """Quoted where it would not be one word, so that a field cannot pose as another or as a line."""
    plain = text.isprintable() and text and not {" ", '"', "'"} & set(text)
    return text if plain else ascii(text)


def _visible(text: str) -> str:
    """Without line breaks, and without what moves a terminal's cursor."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _plain(value: object, depth: int = 0) -> Any:
    """As JSON has it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return {_text(name): _plain(one, depth + 1) for name, one in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [_plain(one, depth + 1) for one in value[:MAX_ITEMS]]
    return _text(value)
