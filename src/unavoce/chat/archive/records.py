"""What goes between the event loop and the thread that keeps history on disk: copies that nobody changes any more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from unavoce.llm.base import Role
from unavoce.storage.ages import MaxAge

MESSAGES_KEPT: Final = 1000
"""Of one conversation, in memory and on disk; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it stood at one moment."""

    session: str
    number: int
    """Counts the session's messages from 0."""
    binding: bytes
    """Which key the session is bound to (`binding_of`)."""
    role: Role
    text: str
    heard: str | None
    known: str | None
    """What the conversation's next message should know of an answer; None: its text."""
    reply_id: str | None
    at: float
    """Unix time, seconds."""


@dataclass(frozen=True, slots=True)
class Which:
    """Messages that are to go: those that fit every field that is given."""

    session: str | None = None
    before: float = float("inf")
    """Made before; Unix time, seconds."""
    up_to: int | None = None
    """Numbered so at most."""
    after: float = float("-inf")
    """Made after, likewise."""

    def fits(self, session: str, number: int, at: float) -> bool:
        return (
            self.session in (None, session)
            and self.after < at < self.before
            and (self.up_to is None or number <= self.up_to)
        )


def outdated(max_age: MaxAge | None, now: float) -> tuple[Which, ...]:
    """What is too old by `now` (Unix time), and what a wrong clock has dated so late that it might never grow old."""
    if max_age is None:
        return ()
    return Which(before=max_age.oldest(now)), Which(after=max_age.latest(now))


@dataclass(frozen=True, slots=True)
class Limits:
    """Of what is kept on disk."""

    max_bytes: int = 256 << 20
    """Of the file, as far as it is in use."""
    max_age: MaxAge | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch of records."""

    written: bool
    """False: other processes had cleared something that was not known yet, so that nothing was written."""
    lost: tuple[Which, ...] = ()
    """What is on disk no more, and is to be forgotten in memory as well."""
    clearing: int = 0
    """The last clearing that this tells of."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is on disk."""

    sessions: int
    messages: int
    bytes: int
    """Of the file, as far as it is in use."""
    oldest_at: float | None
    """Unix time of the oldest message, seconds."""
    listed: tuple[tuple[str, int, float], ...] = field(default=())
    """Sessions with the number of their messages and the time of the last, the latest first; not all."""


def binding_of(session: str, key: str) -> bytes:
    """What ties a session to a key (its digest) in the file: neither the key nor its digest can be read from it, and
    equal keys do not look equal."""
    return hashlib.sha256(f"{session}:{key}".encode()).digest()
