"""Wyoming's frames, read within bounds. The package's own reader believes whatever lengths a client names.

A frame is a line of JSON, `{"type", "data"?, "data_length"?, "payload_length"?}`, then `data_length` bytes of JSON that
are laid over `data`, then `payload_length` bytes. Source: the package's `event.py`.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from wyoming.event import Event

HEADER_BYTES = 256 * 1024
"""Of a frame's first line. Older clients write all of the text there."""
PAYLOAD_BYTES = 256 * 1024
"""No event that is understood here brings one."""
BYTES_PER_CHARACTER = 6
"""The most that one takes in JSON, but for those beyond the first 65,536 written as escapes."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a client may say, and how long it may take."""

    data_bytes: int
    header_bytes: int = HEADER_BYTES
    payload_bytes: int = PAYLOAD_BYTES
    event_s: float = 10.0
    """From an event's first byte to its last."""
    idle_s: float = 300.0
    """Without an event, while nothing is spoken; then the connection is closed."""
    write_s: float = 20.0
    """Without taking anything of what is written; then the connection is cut."""
    part_s: float = 1.0
    """For the other end to close as well, once it was told the end."""

    @classmethod
    def of_texts(cls, characters: int) -> Bounds:
        """Where texts have at most so many characters."""
        return cls(data_bytes=BYTES_PER_CHARACTER * characters + 16 * 1024)


class Unreadable(Exception):
    """What came is no frame, or is larger or slower than it may be. Nothing after it can be understood."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def read_event(reader: asyncio.StreamReader, bounds: Bounds) -> Event | None:
    """The next event; None where the client has closed its side. `reader` is made with a limit of `header_bytes`.

    Raises TimeoutError when none begins within `idle_s`, Unreadable, and ConnectionError.
    """
    async with asyncio.timeout(bounds.idle_s):
        first = await reader.read(1)
    if not first:
        return None
    try:
        async with asyncio.timeout(bounds.event_s):
            return await _rest_of(first, reader, bounds)
    except TimeoutError:
        raise Unreadable("too_slow", f"an event took more than {bounds.event_s:g} s to arrive") from None
    except asyncio.LimitOverrunError:
        raise Unreadable("too_long", f"an event's first line has more than {bounds.header_bytes} bytes") from None
    except asyncio.IncompleteReadError:
        raise Unreadable("malformed", "the connection ended within an event") from None


async def _rest_of(first: bytes, reader: asyncio.StreamReader, bounds: Bounds) -> Event:
    header = _object(first if first == b"\n" else first + await reader.readuntil(b"\n"), "its first line")
    data_bytes = _length(header, "data_length", bounds.data_bytes)
    payload_bytes = _length(header, "payload_length", bounds.payload_bytes)
    kind, data = header.get("type"), header.get("data")
    if not isinstance(kind, str) or not isinstance(data, dict | None):
        raise Unreadable("malformed", "an event is an object with a type, and with data that is an object")
    if data_bytes:
        data = {**(data or {}), **_object(await reader.readexactly(data_bytes), "its data")}
    if payload_bytes:
        await reader.readexactly(payload_bytes)
    return Event(kind, data or {})


def _length(header: dict[str, Any], name: str, most: int) -> int:
    length = header.get(name)
    if length is None:
        return 0
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise Unreadable("malformed", f"{name} is not a number of bytes")
    if length > most:
        raise Unreadable("too_long", f"{name} is {length} bytes; at most {most} are taken")
    return length


def _object(content: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(content.decode())
    except (ValueError, RecursionError):
        raise Unreadable("malformed", f"an event cannot be read: {what} is not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise Unreadable("malformed", f"an event cannot be read: {what} is not a JSON object")
    return found


def sendable(text: str) -> str:
    """Text that came from a client, fit to be sent back: JSON can hold half a surrogate pair, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
