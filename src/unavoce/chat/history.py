"""A conversation's messages, as history tells them and as the model should know them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from unavoce.llm.base import Role


class Answer(Protocol):
    """A reply that is not settled yet, asked for its words."""

    @property
    def text(self) -> str: ...

    @property
    def heard_text(self) -> str | None:
        """None for one without sound."""

    @property
    def for_model(self) -> str: ...


@dataclass(slots=True, eq=False)
class Entry:
    """A message of the conversation. A reply that is not settled yet is asked for its text."""

    role: Role
    said: str = ""
    heard: str | None = None
    known: str | None = None
    reply_id: str | None = None
    reply: Answer | None = None
    at: float = field(default_factory=time.time)
    """Unix time, seconds."""
    number: int = -1
    """Counts the session's messages from 0, once it is one of them."""

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
