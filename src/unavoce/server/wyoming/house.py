"""What all connections of the Wyoming door share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat
from unavoce.server.limits.buckets import Buckets
from unavoce.server.wyoming.frames import Bounds
from unavoce.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    chat: Chat
    chain: Chain
    note: Callable[[str, str], None]
    """Told the door and the code of each error."""
    rate_hz: int
    max_chars: int
    """Of the text of one stream."""
    bounds: Bounds
    pace: Buckets
    """Events of an address."""

    @classmethod
    def of(cls, settings: Settings, chat: Chat, chain: Chain, note: Callable[[str, str], None]) -> House:
        longest = max(settings.max_reply_chars, settings.max_message_chars)
        return cls(
            chat,
            chain,
            note,
            rate_hz=settings.sample_rate_hz,
            max_chars=settings.max_reply_chars,
            bounds=Bounds.of_texts(longest),
            pace=Buckets(settings.max_events_per_s),
        )
