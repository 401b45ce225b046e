"""`unavoce serve` as people run it, with its own voice and model, heard by clients that are not ours."""

from __future__ import annotations

import numpy as np
from tests.support.client import check_order, decoded, joined, listening
from tests.support.protocol import check_event
from tests.support.server import real_server

__all__ = ["real_server"]
"""A fixture, found by its name in this module."""


async def test_a_message_is_answered_aloud(real_server: str) -> None:
    """The embedded model's answer to a message sent at once, while all is still loading, is heard in Piper's voice."""
    async with listening(real_server) as listener:
        _, reply = await listener.say("Good evening.")
        events = await listener.end(reply)
        check_order(events)
        for name, payload in listener.events:
            if name != "ack":
                check_event(name, payload)
        (done,) = listener.payloads(reply, "chat:done")
        assert done["reason"] == "complete"
        assert done["text"].strip()
        chunks = listener.chunks(reply)
        assert {(chunk["engine"], chunk["sampleRate"]) for chunk in chunks} == {("piper", 24_000)}
        assert np.abs(joined(chunks).astype(int)).max() > 1_000, "it can be heard"


async def test_a_streamed_text_sounds_the_same_however_it_comes(real_server: str) -> None:
    """A text in one-character pieces takes Piper as long to say as in one piece, give or take a breath."""
    text = "Good evening, sir. Dinner is served."
    async with listening(real_server) as listener:
        lengths = []
        for pieces in ([text], list(text)):
            reply = (await listener.ok("speak:start", {"format": "wav"}))["replyId"]
            for piece in pieces:
                await listener.ok("speak:text", {"replyId": reply, "text": piece})
            await listener.ok("speak:end", {"replyId": reply})
            check_order(await listener.end(reply))
            lengths.append(sum(len(decoded(chunk)) for chunk in listener.chunks(reply)) / 24_000)
        assert min(lengths) > 1.0
        assert max(lengths) / min(lengths) < 1.25, "Piper varies its pace a little from call to call"
