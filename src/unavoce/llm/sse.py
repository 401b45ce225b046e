"""Server-sent events: bytes in, the data of each event out. Pure; any split of the input gives the same output.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import re
from typing import Final

MAX_EVENT_BYTES: Final = 1 << 18
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class SseReader:
    """Collects `data` fields; names, ids and comments are of no use here. Malformed UTF-8 is replaced."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._rest = b""
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, received: bytes) -> list[str]:
        """The data of the events that `received` completes. Raises `ValueError` when one grows beyond its bound."""
        text = self._rest + received
        held = b"\r" if text.endswith(b"\r") else b""  # the first half of a line end, perhaps
        *lines, rest = _LINE_END.split(text.removesuffix(b"\r"))
        self._rest = rest + held
        events = [event for line in lines if (event := self._take(line)) is not None]
        if len(self._rest) + self._data_bytes > self._max_event_bytes:
            raise ValueError(f"an event of more than {self._max_event_bytes} bytes")
        return events

    def flush(self) -> list[str]:
        """The data of a last event that lacks its blank line: some servers close without one."""
        events = [self._take(self._rest.removesuffix(b"\r")), self._take(b"")]
        self._rest = b""
        return [event for event in events if event is not None]

    def _take(self, line: bytes) -> str | None:
        if not line:
            event = b"\n".join(self._data).decode("utf-8", "replace") if self._data else None
            self._data, self._data_bytes = [], 0
            return event
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_bytes += len(value) + 1
        return None
