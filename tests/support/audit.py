"""Which files and which addresses this process touches: Python tells every one before it does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Touched:
    """What was opened and connected to, or looked up, since the watch began."""

    files: list[str] = field(default_factory=list)
    addresses: list[tuple[str, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self.files.append(str(arguments[0]))
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self.addresses.append(arguments[1][:2])
        elif event == "socket.getaddrinfo":
            self.names.append(_text(arguments[0]))
        elif event == "subprocess.Popen":
            self.programs.append(str(arguments[0]))


_watches: list[Touched] = []
_hooked: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for touched in _watches:
        touched.note(event, arguments)


@contextmanager
def watching() -> Iterator[Touched]:
    """Everything that is touched within the block."""
    if not _hooked:
        sys.addaudithook(_hook)  # for good: there is no way to take one back
        _hooked.append(True)
    touched = Touched()
    _watches.append(touched)
    try:
        yield touched
    finally:
        _watches.remove(touched)


def _text(name: Any) -> str:
    return name.decode("latin-1") if isinstance(name, bytes) else str(name)
