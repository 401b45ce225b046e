"""What all XTTS servers have in common, and where they differ: the interface of the four dialects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Emit
from unavoce.engines.incoming import SoundReader
from unavoce.engines.remote import Answer, SpeechServer
from unavoce.engines.xtts.options import XttsOptions
from unavoce.errors import EngineError, EngineRefused

MAX_NAMES, MAX_NAME_CHARS = 1_000, 200
"""Of a server's list of speakers or languages."""
MAX_LIST_BYTES = 1 << 20

MAX_TEXT_CHARS = 2_000
"""Of a request that are looked through for what was to be spoken: behind it may stand an embedding."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server says it has."""

    speakers: tuple[str, ...] | None
    languages: tuple[str, ...] | None
    """Codes. Either is None when it does not say."""


@dataclass(frozen=True, slots=True)
class Part:
    """One request: all in it was checked against the server's offer."""

    text: str
    speaker: str
    language: str
    speed: float = 1.0


class Dialect(ABC):
    """How one kind of server is asked. One instance per engine; it may keep what `look` learned."""

    name: ClassVar[str]
    """As in the settings."""
    title: ClassVar[str]
    """What the server's kind is called in the health report."""
    has_speed: ClassVar[bool] = False

    def __init__(self, server: SpeechServer, options: XttsOptions) -> None:
        self._server = server
        self._options = options

    @abstractmethod
    async def look(self) -> Offer | None:
        """What the server offers; None when it does not speak this dialect. Raises EngineError when it is silent."""

    async def clone(self, wav: str) -> None:
        """Make `wav` a speaker. Most servers read the file themselves, when they are asked to speak."""
        _ = wav

    def fingerprint(self, speaker: str) -> str:
        """What tells this speaker's sound from that of a namesake in another model; empty where nothing does."""
        _ = speaker
        return ""

    @abstractmethod
    async def speak(self, part: Part, emit: Emit) -> None:
        """Hand the sound to `emit` as it comes; return at its clean end. Raises EngineError."""


class XttsServer(SpeechServer):
    """A speech server with what XTTS adds to HTTP."""

    async def speak(self, method: str, path: str, reader: SoundReader, emit: Emit, **request: Any) -> None:
        """As ever, but an answer whose sound is refused on the way is read to its end: the server goes on with it."""
        outlet = _Until(emit)
        await super().speak(method, path, reader, outlet, **request)
        if outlet.error is not None:
            raise outlet.error

    def refusal(self, status: int, body: bytes, spoken: str = "") -> EngineError:
        if status == 500 and b"maximum of 400 tokens" in body:
            return EngineRefused(f"{self.where} finds this text too long for one request")
        return super().refusal(status, body, spoken[:MAX_TEXT_CHARS])


class _Until:
    """Hands sound on until it is refused."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.error: EngineError | None = None

    def __call__(self, piece: Pcm) -> None:
        if self.error is not None:
            return
        try:
            self._emit(piece)
        except EngineError as error:
            self.error = error


def as_json(answer: Answer) -> Any:
    """The answer's JSON; None when it has none, is no success, or too large to be read between two sounds."""
    return answer.json() if answer.status == 200 and len(answer.body) <= MAX_LIST_BYTES else None


def names(value: object) -> tuple[str, ...]:
    """The names in a list from outside, each once; what cannot be one is left out."""
    found = value if isinstance(value, list) else []
    fit = dict.fromkeys(name for name in found if isinstance(name, str) and _could_be_name(name))
    return tuple(fit)[:MAX_NAMES]


def _could_be_name(text: str) -> bool:
    return text.isprintable() and 0 < len(text.strip()) <= MAX_NAME_CHARS
