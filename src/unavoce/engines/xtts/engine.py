"""The engine `xtts`: finds out which kind of server it talks to and what that has, then speaks through it.

Everything in a request is checked beforehand, because these servers answer a wrong speaker or language as they answer a
broken model. One request at a time: several at once damage each other's sound on some servers, mostly without an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from unavoce.engines.base import Emit, Engine, EngineContext, Voice
from unavoce.engines.parts import check_speakable, in_parts
from unavoce.engines.remote_options import UNNAMED, fingerprint, secret
from unavoce.engines.xtts.api_server import ApiServer
from unavoce.engines.xtts.coqui import Coqui
from unavoce.engines.xtts.dialect import Dialect, Offer, Part, XttsServer
from unavoce.engines.xtts.languages import match, max_chars
from unavoce.engines.xtts.openai import OpenAi
from unavoce.engines.xtts.options import XttsOptions
from unavoce.engines.xtts.streaming import Streaming
from unavoce.errors import EngineRefused, EngineUnavailable, SettingsError
from unavoce.outbound import brief

DIALECTS: Final[tuple[type[Dialect], ...]] = (Streaming, ApiServer, Coqui, OpenAi)
"""In the order of asking: a tts-server has the OpenAI-style route too, but no language there."""
_HARMLESS = str.maketrans({"[": "(", "]": ")", "<": " ", ">": " "})
"""XTTS's own control tokens are words in brackets."""


@dataclass(frozen=True, slots=True)
class Found:
    """A server that was asked, and what of it is used."""

    dialect: Dialect
    voices: dict[str, Voice]
    """By name; the default first."""
    language: str
    """As the server writes it."""


class XttsEngine(Engine):
    """Every speaker of the server is a voice; the configured one, or the server's first, is the default."""

    name = "xtts"
    Options = XttsOptions

    def __init__(self, options: XttsOptions, context: EngineContext) -> None:
        super().__init__(options, context)
        if not options.url:
            raise SettingsError("xtts.url", "", "the address of an XTTS server, such as http://127.0.0.1:5002")
        self._options = options
        self.max_chars = max_chars(options.language)
        key = secret(options.api_key)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._server = XttsServer(options.url, setting=self.name, headers=headers, secret=key)
        self._found: Found | None = None
        self._doubtful = False
        """The server was not there when it was last asked: what comes back may be another."""

    def voices(self) -> Sequence[Voice]:
        if self._found is not None:
            return list(self._found.voices.values())
        return [self._voice(self._options.speaker)]

    async def start(self) -> None:
        dialect, offer = await self._ask_around()
        self._found = await self._choose(dialect, offer)
        self._doubtful = False
        name = next(iter(self._found.voices))
        self.detail = f"{dialect.title}, speaker {name}, language {self._found.language}"

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        if self._found is None or self._doubtful:
            await self.start()
        assert self._found is not None  # noqa: S101 - start either finds it or raises
        found = self._found
        speaker = self._speaker(voice, found)
        check_speakable(spoken, len(spoken))
        parts = [part for part in in_parts(spoken.translate(_HARMLESS), self.max_chars) if _sayable(part)]
        for part in parts:
            await self._say(found.dialect, Part(part, speaker, found.language, voice.speed), emit)

    async def _say(self, dialect: Dialect, part: Part, emit: Emit) -> None:
        try:
            await dialect.speak(part, emit)
        except EngineUnavailable:
            self._doubtful = True
            raise

    async def close(self) -> None:
        await self._server.close()

    # -- finding out

    async def _ask_around(self) -> tuple[Dialect, Offer]:
        """The first dialect the server speaks, and its offer. Raises EngineUnavailable."""
        wanted = [kind for kind in DIALECTS if self._options.dialect in ("auto", kind.name)]
        for kind in wanted:
            dialect = kind(self._server, self._options)
            if (offer := await dialect.look()) is not None:
                return dialect, offer
        raise EngineUnavailable(self._unknown(wanted))

    def _unknown(self, asked: Sequence[type[Dialect]]) -> str:
        url, dialect = self._server.entry("URL"), self._server.entry("DIALECT")
        kinds = " or ".join(kind.title for kind in asked)
        remedy = f"correct {url} (the address of an XTTS server up to its port) or {dialect}"
        return f"{self._server.where} does not answer like XTTS ({kinds}); remedy: {remedy}"

    async def _choose(self, dialect: Dialect, offer: Offer) -> Found:
        """What of the offer is used. Raises EngineUnavailable where a setting asks for something else."""
        wanted, language = self._options.speaker, self._options.language
        as_served = language if offer.languages is None else match(language, offer.languages)
        if as_served is None:
            raise self._missing("language", language, offer.languages or ())
        if wanted.endswith(".wav"):
            await dialect.clone(wanted)
        elif wanted and offer.speakers is not None and wanted not in offer.speakers:
            raise self._missing("speaker", wanted, offer.speakers)
        elif not wanted and not offer.speakers:
            remedy = f"give it one, or name it in {self._server.entry('SPEAKER')}"
            raise EngineUnavailable(f"{self._server.where} lists no speakers; remedy: {remedy}")
        voices = self._voices(dialect, [wanted] if wanted else [], offer.speakers or ())
        return Found(dialect, voices, as_served)

    def _voices(self, dialect: Dialect, first: Sequence[str], others: Sequence[str]) -> dict[str, Voice]:
        voices: dict[str, Voice] = {}
        for speaker in (*first, *others):
            voice = self._voice(speaker, dialect.name, dialect.fingerprint(speaker))
            voices.setdefault(voice.name, voice)
        return voices

    def _missing(self, kind: str, wanted: str, known: Sequence[str]) -> EngineUnavailable:
        few = brief(", ".join(known))
        remedy = f"set {self._server.entry(kind.upper())} to one of its {len(known)} ({few})"
        return EngineUnavailable(f"{self._server.where} has no {kind} {brief(wanted)!r}; remedy: {remedy}")

    # -- voices

    def _voice(self, speaker: str, *known: str) -> Voice:
        """`known`: what is known of the server's kind and model. A file is called by its name, wherever it lies."""
        name = PurePath(speaker).stem if speaker.endswith(".wav") else speaker or UNNAMED
        model = fingerprint(*known, self._options.revision)
        return Voice(self.name, name, self._options.language, model=model, speaker=speaker)

    def _speaker(self, voice: Voice, found: Found) -> str:
        """The speaker behind `voice`. Raises EngineRefused where the server has not this one, or not at this speed."""
        here = found.voices.get(voice.name)
        if here is None and not voice.speaker:  # asked for before the start, when the default had no name yet
            here = next(iter(found.voices.values()))
        if here is None:
            raise EngineRefused(f"{self._server.where} has no speaker {voice.name!r}")
        if voice.model not in (here.model, self._options.revision):  # the latter: asked for before the start
            raise EngineRefused(f"{self._server.where} now runs another model than this voice was made with")
        if voice.speed != 1.0 and not found.dialect.has_speed:
            raise EngineRefused(f"{found.dialect.title} speaks at one speed only, not at {voice.speed:g}")
        return here.speaker


def _sayable(text: str) -> bool:
    return any(char.isalnum() for char in text)
