"""A session: one conversation, the clients attached to it, and its replies."""

from __future__ import annotations

import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unavoce.llm.base import Message, Role

if TYPE_CHECKING:
    from unavoce.chat.client import Client
    from unavoce.chat.reply import Reply

MAX_ENTRIES = 1000
"""Messages kept of one conversation; the oldest go first."""


def new_id() -> str:
    """192 random bits, safe in a URL."""
    return secrets.token_urlsafe(24)


@dataclass(slots=True, eq=False)
class Entry:
    """A message of the conversation. A reply that is not settled yet is asked for its text."""

    role: Role
    said: str = ""
    heard: str | None = None
    known: str | None = None
    reply_id: str | None = None
    reply: Reply | None = None
    at: float = field(default_factory=time.time)
    """Unix time, seconds."""

    def settle(self, said: str, heard: str | None, known: str) -> None:
        """The reply is over: keep its words and let it go."""
        self.said, self.heard, self.known, self.reply = said, heard, known, None

    @property
    def text(self) -> str:
        return self.said if self.reply is None else self.reply.text

    @property
    def heard_text(self) -> str | None:
        return self.heard if self.reply is None else self.reply.heard_text

    @property
    def for_model(self) -> str:
        """What the conversation's next message should know of it: of a stopped reply, only what was heard."""
        if self.reply is not None:
            return self.reply.for_model
        return self.said if self.known is None else self.known

    def on_wire(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"role": self.role, "text": self.text, "at": round(self.at * 1000)}
        if (heard := self.heard_text) is not None:
            entry["heardText"] = heard
        if self.reply_id is not None:
            entry["replyId"] = self.reply_id
        return entry


class Session:
    """Bound to the key that made it (`key`: empty where no keys are set)."""

    def __init__(self, key: str) -> None:
        self.id = new_id()
        self.key = key
        self.entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self.clients: dict[str, Client] = {}
        self.replies: dict[str, Reply] = {}
        """Running, or over and not yet forgotten."""

    @property
    def running(self) -> list[Reply]:
        return [reply for reply in self.replies.values() if not reply.over]

    @property
    def idle(self) -> bool:
        return not self.clients and not self.replies

    def conversation(self) -> list[Message]:
        """All messages so far, for the model."""
        return [Message(entry.role, text) for entry in self.entries if (text := entry.for_model)]
