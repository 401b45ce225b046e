"""Logs: named events with fields, one line each; what was said is in none of them."""

from __future__ import annotations

import logging
import sys

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LineFormatter(logging.Formatter):
    """`12:00:01 WARNING engine_status engine=piper status=down reason='no such file'`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = super().formatMessage(record)
        return " ".join([line, *(f"{name}={value!r}" for name, value in fields.items())])


def log_to_stderr(level: str) -> None:
    """Send every log line of `level` (debug, info, warning, error) and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Their "info" is a line per request or packet, and may hold what was said.
    for name in ("engineio", "socketio", "httpx", "httpcore", "websockets", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
