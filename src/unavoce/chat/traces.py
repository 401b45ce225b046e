"""Traces of replies: as they stand on the wire (docs/protocol.md), and kept of replies that are over.

Wire names are camelCase, times milliseconds since the message's arrival.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from unavoce.chat.wire import timings_on_wire
from unavoce.narration.trace import Attempt, ReplyTrace, SentenceTrace

MAX_TRACES = 1000
"""Of replies that nobody can come back to any more; the oldest go first."""
MAX_BYTES = 16 * 1024 * 1024
"""About what they take together."""
SENTENCE_BYTES, ATTEMPT_BYTES, CHUNK_BYTES = 700, 400, 80
"""Of which each takes about so much."""

Door = Literal["socketio", "openai", "wyoming"]
"""Where a reply was asked for."""

Clock = Callable[[float], int]
"""From the event loop's time to milliseconds since the message's arrival."""


@dataclass(frozen=True, slots=True, eq=False)
class TracedReply:
    """What can be told of a reply, running or over."""

    reply_id: str
    session_id: str
    """Empty for one without a conversation."""
    key: str
    """Digest of the API key it was asked for with."""
    began_at: float
    """Unix time, seconds."""
    trace: ReplyTrace
    door: Door = "socketio"

    @property
    def bytes(self) -> int:
        """What it takes, about."""
        sentences = self.trace.sentences
        attempts = sum(len(one.attempts) for one in sentences)
        chunks = len(self.trace.clock)
        return SENTENCE_BYTES * (1 + len(sentences)) + ATTEMPT_BYTES * attempts + CHUNK_BYTES * chunks

    def on_wire(self) -> dict[str, Any]:
        trace = self.trace
        clock: Clock = lambda at_s: round((at_s - trace.arrived_s) * 1000)  # noqa: E731 - a closure, named by its type
        return {
            "replyId": self.reply_id,
            "sessionId": self.session_id,
            "door": self.door,
            "startedAt": round(self.began_at * 1000),
            "nowMs": clock(asyncio.get_running_loop().time()),
            "status": trace.ended or "running",
            "timings": timings_on_wire(trace.timings),
            "sentences": [_sentence(sentence, trace.plays(sentence), clock) for sentence in trace.sentences],
        }


class Traces:
    """Kept of replies that are over, for whoever looks back: at most MAX_TRACES in MAX_BYTES."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, TracedReply] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        return self._bytes

    def get(self, reply_id: str) -> TracedReply | None:
        return self._kept.get(reply_id)

    def keep(self, traced: TracedReply) -> None:
        """Keep the trace of a reply that has ended: it does not grow any more."""
        self._kept[traced.reply_id] = traced
        self._bytes += traced.bytes
        while len(self._kept) > MAX_TRACES or self._bytes > MAX_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.bytes


def _sentence(sentence: SentenceTrace, plays: tuple[float, float] | None, clock: Clock) -> dict[str, Any]:
    sentence.look()
    return {
        "sentence": sentence.number,
        "cutMs": clock(sentence.cut_s),
        "queuedMs": _at(sentence.queued_s, clock),
        "startedMs": _at(sentence.started_s, clock),
        "synthesisedMs": _at(sentence.synthesised_s, clock),
        "encodeMs": None if sentence.encode_s is None else round(sentence.encode_s * 1000, 1),
        "sentMs": _at(sentence.sent_s, clock),
        "lastSentMs": _at(sentence.last_sent_s, clock),
        "playsFromMs": clock(plays[0]) if plays else None,
        "playsToMs": clock(plays[1]) if plays else None,
        "durationMs": round(sentence.sound_s * 1000) if sentence.chunks else None,
        "engine": sentence.engine,
        "voice": sentence.voice,
        "cache": sentence.cache,
        "chunks": sentence.chunks,
        "skipped": sentence.skipped,
        "attempts": [_attempt(attempt, clock) for attempt in sentence.attempts if attempt.engine_asked],
    }


def _attempt(attempt: Attempt, clock: Clock) -> dict[str, Any]:
    return {
        "engine": attempt.engine,
        "startedMs": _at(attempt.started_s, clock),
        "endedMs": _at(attempt.ended_s, clock),
        "outcome": attempt.outcome,
        "reason": attempt.reason,
    }


def _at(at_s: float | None, clock: Clock) -> int | None:
    return None if at_s is None else clock(at_s)
