"""`/api/replies/{replyId}/trace`, as `chat/traces.py` writes it. docs/protocol.md says what each time means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unavoce.server.openapi.health import Count
from unavoce.server.openapi.operation import TEXT, Answer, Described, Operation, Parameter, json_of
from unavoce.server.openapi.refusals import UNAUTHORISED, refused

At = int
"""Milliseconds since the message's arrival."""


class Timings(Described):
    """Milliseconds since the message's arrival; null where it was not, or not yet, reached."""

    first_token: At | None
    first_sentence: At | None
    first_audio: At | None
    """The first chunk was sent."""
    last_token: At | None
    last_audio: At | None


class TracedAttempt(Described):
    """An engine that was asked for a sentence."""

    engine: str
    started_ms: At | None
    ended_ms: At | None
    outcome: Literal["spoken", "late", "failed", "withdrawn"] | None
    """Null while it is wanted."""
    reason: str
    """For a person: why, where it was not spoken; else empty."""


class TracedSentence(Described):
    """When one sentence was cut, asked for, made, sent and heard."""

    sentence: Count
    """Its number."""
    cut_ms: At
    queued_ms: At | None
    started_ms: At | None
    synthesised_ms: At | None
    encode_ms: Annotated[float, Field(ge=0)] | None
    """How long shaping and encoding took."""
    sent_ms: At | None
    last_sent_ms: At | None
    plays_from_ms: At | None
    """As estimated, and as the listener corrected it; may lie ahead."""
    plays_to_ms: At | None
    duration_ms: Count | None
    """Of its sound sent so far."""
    engine: str | None
    voice: str | None
    cache: Literal["memory", "disk", "none"] | None
    """Where its sound came from."""
    chunks: Count
    skipped: str | None
    """Why it could not be spoken, or not to its end."""
    attempts: Annotated[list[TracedAttempt], Field(max_length=16)]


class Trace(Described):
    """The timeline of a reply. Holds no text."""

    reply_id: str
    session_id: str
    """Empty for a reply without a conversation."""
    door: Literal["socketio", "openai", "wyoming"]
    """Where it was asked for."""
    started_at: int
    """When the message arrived, Unix time in ms."""
    now_ms: At
    """When this was answered."""
    status: Literal["running", "complete", "aborted", "failed"]
    timings: Timings
    sentences: Annotated[list[TracedSentence], Field(max_length=1000)]


EXAMPLE = {
    "replyId": "5hVx0bq7oZcWJkA3pTn1Ug",
    "sessionId": "u2mE8sYdLrQ6fKb0wNiGtA",
    "door": "socketio",
    "startedAt": 1764000000000,
    "nowMs": 2911,
    "status": "complete",
    "timings": {"firstToken": 31, "firstSentence": 420, "firstAudio": 573, "lastToken": 911, "lastAudio": 1014},
    "sentences": [
        {
            "sentence": 0,
            "cutMs": 420,
            "queuedMs": 421,
            "startedMs": 421,
            "synthesisedMs": 569,
            "encodeMs": 2.1,
            "sentMs": 573,
            "lastSentMs": 575,
            "playsFromMs": 573,
            "playsToMs": 2210,
            "durationMs": 1637,
            "engine": "piper",
            "voice": "joe",
            "cache": "none",
            "chunks": 2,
            "skipped": None,
            "attempts": [
                {"engine": "piper", "startedMs": 421, "endedMs": 569, "outcome": "spoken", "reason": ""},
            ],
        }
    ],
}

OPERATIONS = (
    Operation(
        "get",
        "/api/replies/{replyId}/trace",
        "Operating",
        "What became of a reply when",
        "While it runs and afterwards; kept of the last 1,000 replies, in memory. Only for the key that the reply was"
        " asked for with.",
        [
            Answer(200, "The timeline so far.", json_of(Trace, EXAMPLE)),
            UNAUTHORISED,
            refused(
                404, "There is none, not for this key, or not any more.", "unknown_reply", "there is no such reply"
            ),
        ],
        [
            Parameter(
                "replyId",
                "path",
                "As the reply's events name it.",
                {**TEXT, "minLength": 1, "maxLength": 100},
                EXAMPLE["replyId"],
                required=True,
            )
        ],
    ),
)
