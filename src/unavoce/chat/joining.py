"""A client comes to a session: after a lost connection, or from a second tab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from unavoce.chat.client import Client
from unavoce.chat.replies import unknown_reply
from unavoce.chat.reply import Reply
from unavoce.chat.session import Session
from unavoce.errors import RequestError


def check_after(replies: Mapping[str, Reply], after: Mapping[str, int]) -> None:
    """Raises RequestError where `after` names a reply or a chunk that there is not."""
    for reply_id, index in after.items():
        if reply_id not in replies:
            raise unknown_reply(reply_id)
        if index >= replies[reply_id].next_index:
            raise RequestError("invalid", f"after: chunk {index} of reply {reply_id!r} was not sent yet")


def hand_over(
    session: Session, client: Client, replies: Iterable[Reply], after: Mapping[str, int], *, attached: bool
) -> list[dict[str, Any]]:
    """`client` takes over the sound of the replies named in `after`, and is told the text of others that run.

    `attached`: it was before, so that their text has reached it.
    """
    _tell_displaced(session, client, [reply for reply in replies if reply.id in after])
    joined = []
    for reply in replies:
        next_index = reply.next_index
        if reply.id in after:
            next_index = reply.take_over(client, after[reply.id], knows_text=attached)
        elif not attached and not reply.over:
            reply.catch_up(client)
        joined.append({"replyId": reply.id, "nextIndex": next_index})
    return joined


def _tell_displaced(session: Session, client: Client, taken: list[Reply]) -> None:
    """Tell those who heard these replies that `client` hears them now: two would speak at once otherwise."""
    for other in session.clients.values():
        replies = [reply.id for reply in taken if reply.owner is other]
        if replies and other is not client:
            other.outbox.post("chat:sound_taken", {"sessionId": session.id, "replies": replies})
