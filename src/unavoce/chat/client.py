"""A client: one connection, with the key it came with and its outbox."""

from __future__ import annotations

from dataclasses import dataclass, field

from unavoce.chat.outbox import Outbox


@dataclass(slots=True, eq=False)
class Client:
    id: str
    outbox: Outbox
    key: str = ""
    """Digest of the API key it came with; empty where no keys are set."""
    sessions: set[str] = field(default_factory=set)
    """Ids of the sessions it is attached to."""
