"""The server's log on standard error: one line an event, its fields behind its name."""

from __future__ import annotations

import logging

from unavoce.settings.model import LogLevel

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else in one is a field of the event."""


class EventFormatter(logging.Formatter):
    """`time LEVEL logger event name=value …`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        fields = [f"{name}={_value(value)}" for name, value in vars(record).items() if name not in _OWN]
        return " ".join([super().formatMessage(record), *fields])


def _value(value: object) -> str:
    """Quoted where it would not be one word, so that a field cannot pose as another or as a line."""
    text = str(value)
    return text if text.isprintable() and text and " " not in text and '"' not in text else ascii(text)


def log_to_stderr(level: LogLevel) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(EventFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs URLs, and some speech servers take the text in one
    # Its every connection is no event of ours, and at "debug" it quotes what goes over WebSockets: what is said.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
