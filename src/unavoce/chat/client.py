"""Who asks: a caller, by its key and its address; a client, which is one connection with its outbox."""

from __future__ import annotations

from dataclasses import dataclass, field

from unavoce.chat.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Caller:
    key: str = ""
    """Digest of the API key it came with; empty where no keys are set."""
    address: str = ""
    """Of the other end of its connection."""

    @property
    def identity(self) -> str:
        """What limits of a caller count by: the key, where there are keys; the address where there are none."""
        return self.key or self.address


@dataclass(slots=True, eq=False)
class Client:
    id: str
    outbox: Outbox
    caller: Caller = field(default_factory=Caller)
    sessions: set[str] = field(default_factory=set)
    """Ids of the sessions it is attached to."""

    @property
    def key(self) -> str:
        return self.caller.key
