"""A session: one conversation and the clients attached to it."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable

from unavoce.chat.archive.records import MESSAGES_KEPT, Record, Which
from unavoce.chat.client import Client
from unavoce.chat.history import Entry
from unavoce.llm.base import Message


def new_id() -> str:
    """192 random bits, safe in a URL."""
    return secrets.token_urlsafe(24)


class Session:
    """Bound to the key that made it (`key`: empty where no keys are set). `recorded`: one that was found on disk."""

    def __init__(self, key: str, recorded: Iterable[Record] = ()) -> None:
        self.id = new_id()
        self.key = key
        self.entries: deque[Entry] = deque(maxlen=MESSAGES_KEPT)
        self.clients: dict[str, Client] = {}
        self._next_number = 0
        for record in recorded:
            self.id = record.session
            self._next_number = record.number
            self.add(_entry(record))

    def add(self, entry: Entry) -> None:
        """The next message."""
        entry.number = self._next_number
        self._next_number += 1
        self.entries.append(entry)

    def lose(self, which: Which) -> None:
        """Forget the messages that fit."""
        left = [entry for entry in self.entries if not which.fits(self.id, entry.number, entry.at)]
        if len(left) < len(self.entries):
            self.entries = deque(left, maxlen=MESSAGES_KEPT)

    def conversation(self) -> list[Message]:
        """All messages so far, for the model."""
        return [Message(entry.role, text) for entry in self.entries if (text := entry.for_model)]


def _entry(record: Record) -> Entry:
    return Entry(record.role, record.text, record.heard, record.known, record.reply_id, at=record.at)
