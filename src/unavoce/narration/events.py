"""What a narrator says of one reply, in the order in which it happens. Frozen records; times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from unavoce.audio.pcm import Samples
from unavoce.text import Sentence

EndReason = Literal["complete", "aborted", "failed"]


@dataclass(frozen=True, slots=True)
class Token:
    """Text as it is written. `start`: its place in the reply's text, in code points."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class SentenceCut:
    sentence: Sentence


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A clip, or a piece of one, encoded; `audio` decodes on its own."""

    index: int
    sentence: int
    last: bool
    """True on a sentence's final chunk, which carries the pause after it."""
    content_type: str
    audio: bytes
    samples: Samples
    """What `audio` holds, as int16 PCM."""
    rate_hz: int
    engine: str
    voice: str
    cache: Literal["memory", "disk", "none"]
    text: str
    """The sentence's displayed text on its first chunk, else empty."""

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True, slots=True)
class TextDone:
    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sentence that could not be spoken. `partial`: the first part of it was."""

    sentence: int
    reason: str
    partial: bool


@dataclass(frozen=True, slots=True)
class AudioDone:
    total_chunks: int
    reason: EndReason
    engines: tuple[str, ...]
    skipped: tuple[Skipped, ...]


@dataclass(slots=True)
class Timings:
    """Milestones in seconds since the message's arrival; None where not reached. Audio: when it was sent."""

    first_token_s: float | None = None
    first_sentence_s: float | None = None
    first_audio_s: float | None = None
    last_token_s: float | None = None
    last_audio_s: float | None = None

    def token(self, at_s: float) -> None:
        self.last_token_s = at_s
        if self.first_token_s is None:
            self.first_token_s = at_s

    def sentence(self, at_s: float) -> None:
        if self.first_sentence_s is None:
            self.first_sentence_s = at_s

    def audio(self, at_s: float) -> None:
        self.last_audio_s = at_s
        if self.first_audio_s is None:
            self.first_audio_s = at_s


@dataclass(frozen=True, slots=True)
class Done:
    text: str
    reason: EndReason
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something went wrong that the person who asked should know. `code` as in docs/protocol.md."""

    code: str
    message: str


Event = Token | SentenceCut | TextDone | AudioDone | Done | Failure
