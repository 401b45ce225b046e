"""Messages as tests keep them, and what stands in the files they are kept in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from unavoce.chat.archive.archive import Archive
from unavoce.chat.archive.records import Record, binding_of
from unavoce.chat.history import Entry
from unavoce.chat.session import Session

NOW = 1_800_000_000.0


def record(session: str, number: int, text: str, *, at: float | None = None, key: str = "") -> Record:
    """A message of the person's; the later, the higher its number."""
    made_at = NOW + number if at is None else at
    return Record(session, number, binding_of(session, key), "user", text, None, None, None, made_at)


def said(session: Session, text: str) -> Entry:
    """A message that the session has now."""
    entry = Entry("user", text)
    session.add(entry)
    return entry


@asynccontextmanager
async def running(archive: Archive) -> AsyncIterator[Archive]:
    """The archive, doing what it does in the background; closed behind."""
    task = asyncio.create_task(archive.run())
    try:
        yield archive
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await archive.close()


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What this package has logged, by name."""
    return [one.getMessage() for one in caplog.records if one.name.startswith("unavoce")]


def found_in(folder: Path, text: str) -> list[str]:
    """The files below `folder`, whatever they are called, in which `text` stands: in UTF-8 or UTF-16, as it is or
    escaped."""
    escaped = {ascii(text)[1:-1], json.dumps(text)[1:-1]}
    forms = [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), *map(str.encode, escaped)]
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    )
