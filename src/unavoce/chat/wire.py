"""A narrator's events as they stand on the wire (docs/protocol.md). Wire names are camelCase, times milliseconds."""

from __future__ import annotations

from typing import Any

from unavoce.chain.member import EngineStatus
from unavoce.narration.events import (
    AudioDone,
    Chunk,
    Done,
    Event,
    Failure,
    SentenceCut,
    Skipped,
    TextDone,
    Timings,
    Token,
)

Wired = tuple[str, dict[str, Any]]
"""An event's name and its payload, still without the session's and the reply's id."""


def event_on_wire(event: Event) -> Wired:
    match event:
        case Token():
            return "chat:token", {"text": event.text, "start": event.start}
        case SentenceCut(sentence):
            place = {"sentence": sentence.number, "start": sentence.start, "end": sentence.end}
            return "chat:sentence", {**place, "text": sentence.text}
        case TextDone():
            return "chat:text_done", {"text": event.text}
        case AudioDone():
            return "chat:audio_done", _audio_done(event)
        case Done():
            timings = timings_on_wire(event.timings)
            return "chat:done", {"text": event.text, "reason": event.reason, "timings": timings}
        case Failure():
            return "chat:error", {"code": event.code, "message": event.message}


def chunk_on_wire(chunk: Chunk) -> Wired:
    return "chat:audio_chunk", {
        "index": chunk.index,
        "sentence": chunk.sentence,
        "last": chunk.last,
        "contentType": chunk.content_type,
        "audio": chunk.audio,
        "durationMs": round(chunk.duration_s * 1000),
        "sampleRate": chunk.rate_hz,
        "engine": chunk.engine,
        "voice": chunk.voice,
        "cache": chunk.cache,
        "text": chunk.text,
    }


def status_on_wire(status: EngineStatus) -> Wired:
    return "engine:status", {
        "engine": status.engine,
        "status": status.status,
        "reason": status.reason,
        "since": round(status.since * 1000),
    }


def _audio_done(event: AudioDone) -> dict[str, Any]:
    return {
        "totalChunks": event.total_chunks,
        "reason": event.reason,
        "engines": list(event.engines),
        "skipped": [_skipped(one) for one in event.skipped],
    }


def _skipped(skipped: Skipped) -> dict[str, Any]:
    entry: dict[str, Any] = {"sentence": skipped.sentence, "reason": skipped.reason}
    return {**entry, "partial": True} if skipped.partial else entry


def timings_on_wire(timings: Timings) -> dict[str, int | None]:
    return {
        "firstToken": _ms(timings.first_token_s),
        "firstSentence": _ms(timings.first_sentence_s),
        "firstAudio": _ms(timings.first_audio_s),
        "lastToken": _ms(timings.last_token_s),
        "lastAudio": _ms(timings.last_audio_s),
    }


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
