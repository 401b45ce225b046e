"""A session: one conversation and the clients attached to it."""

from __future__ import annotations

import secrets
from collections import deque

from unavoce.chat.client import Client
from unavoce.chat.history import Entry
from unavoce.llm.base import Message

MAX_ENTRIES = 1000
"""Messages kept of one conversation; the oldest go first."""


def new_id() -> str:
    """192 random bits, safe in a URL."""
    return secrets.token_urlsafe(24)


class Session:
    """Bound to the key that made it (`key`: empty where no keys are set)."""

    def __init__(self, key: str) -> None:
        self.id = new_id()
        self.key = key
        self.entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self.clients: dict[str, Client] = {}

    def conversation(self) -> list[Message]:
        """All messages so far, for the model."""
        return [Message(entry.role, text) for entry in self.entries if (text := entry.for_model)]
