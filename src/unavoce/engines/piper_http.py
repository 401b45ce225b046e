"""Piper's own HTTP server (`python -m piper.http_server`), in the three dialects that are about.

Measured with 1.8 and 1.4.2: whole WAVs labelled `text/html`; a text without words, and anything it does not like, is a
500; a voice it does not know is silently its default one. So voices are checked against its list and always asked for
by name. The first server (before 1.3) takes bare text, has one voice and no list.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import Field

from unavoce.audio.pcm import Pcm
from unavoce.audio.wav import WavReader
from unavoce.engines.base import Emit, Engine, EngineContext, EngineOptions, Voice
from unavoce.engines.parts import check_speakable
from unavoce.engines.remote import SpeechServer
from unavoce.engines.remote_options import UNNAMED, ServerUrl, fingerprint, unknown_voice
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

MAX_VOICES: Final = 1000
TRIAL: Final = "Ready."
TRIAL_LIMIT_S: Final = 60.0


class PiperHttpOptions(EngineOptions):
    """Section `piper_http` of the settings."""

    url: ServerUrl = "http://127.0.0.1:5000"
    voice: str = ""
    """A name from the server's `/voices`; empty for the one it was started with."""
    speaker: str = Field(default="", coerce_numbers_to_str=True)
    """Of a voice with several speakers: a name or number from its config."""
    length_scale: float | None = Field(default=None, ge=0.25, le=4.0)
    """Above 1 is slower; the voice's own where not given."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a server wants to be asked. `path` empty: not known yet."""

    path: str = ""
    bare: bool = False
    """The text alone is the body, and there is but one voice."""


@dataclass(frozen=True, slots=True)
class ServedVoice:
    """What `/voices` says of a voice."""

    name: str
    language: str = "mul"
    digest: str = ""
    length_scale: float = 1.0
    speakers: int = 1
    speaker_ids: Mapping[str, int] = field(default_factory=dict)

    def speaker_id(self, speaker: str) -> int | None:
        """The id of a speaker given by name or number; None when there is no such speaker."""
        if speaker in self.speaker_ids:
            return self.speaker_ids[speaker]
        return int(speaker) if speaker.isdecimal() and int(speaker) < self.speakers else None


class PiperHttpEngine(Engine):
    """The configured voice first, then the others that the server has."""

    name = "piper-http"
    Options = PiperHttpOptions
    max_concurrency = 2

    def __init__(self, options: PiperHttpOptions, context: EngineContext) -> None:
        super().__init__(options, context)
        self._options = options
        self._server = SpeechServer(options.url, setting=self.name)
        self._route = Route()
        self._voices = [ServedVoice(options.voice or UNNAMED)]

    def voices(self) -> Sequence[Voice]:
        return [self._voice(served) for served in self._voices]

    async def start(self) -> None:
        route = await self._find_route()
        voices = [ServedVoice(self._options.voice or UNNAMED)] if route.bare else await self._served()
        self._check_speaker(voices[0])
        self._route, self._voices = route, voices
        how = f"route {route.path}, bare text" if route.bare else f"route {route.path}"
        self.detail = f"Piper's HTTP server, {how}, voice {voices[0].name}"

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        served = next((one for one in self._voices if one.name == voice.name), None)
        if served is None and voice.name == UNNAMED:
            served = self._voices[0]  # a reply that began before the server had said its name
        if served is None:
            raise EngineRefused(f"the piper-http engine has no voice {voice.name!r}")
        if not self._route.path:
            raise EngineUnavailable("the piper-http engine has not been started")
        check_speakable(spoken, self.max_chars)
        request = self._bare(spoken, voice) if self._route.bare else {"json": self._body(spoken, served, voice)}
        await self._server.speak("POST", self._route.path, WavReader(), emit, **request)

    async def close(self) -> None:
        await self._server.close()

    # -- which server

    async def _find_route(self) -> Route:
        """A route that exists answers 405 to the wrong method, and 404 where it does not exist."""
        if (await self._server.ask("GET", "/synthesize")).status == 405:
            return Route("/synthesize")
        if (await self._server.ask("GET", "/voices")).status == 200:
            return Route("/")
        await self._try_bare_text()
        return Route("/", bare=True)

    async def _try_bare_text(self) -> None:
        """Whether a server that says nothing of itself speaks."""
        heard: list[Pcm] = []
        try:
            async with asyncio.timeout(TRIAL_LIMIT_S):
                await self._server.speak("POST", "/", WavReader(), heard.append, content=TRIAL.encode())
        except TimeoutError as error:
            raise self._no_piper(f"no sound within {TRIAL_LIMIT_S:g} s") from error
        except EngineUnavailable:
            raise
        except EngineError as error:
            raise self._no_piper(str(error)) from error
        if not heard:
            raise self._no_piper("it sent no sound")

    async def _served(self) -> list[ServedVoice]:
        """The voices that the server has, the one to speak in first."""
        answer = await self._server.ask("GET", "/voices")
        listed = answer.json() if answer.status == 200 else None
        if not isinstance(listed, dict) or not listed:
            raise self._no_piper(f"{answer.status} and no list came from /voices")
        voices = {name: _described(name, config) for name, config in list(listed.items())[:MAX_VOICES]}
        wanted = self._options.voice or await self._servers_own(voices)
        if wanted not in voices:
            raise unknown_voice(wanted, voices, self._server.where, self._server.entry("VOICE"))
        return [voices.pop(wanted), *voices.values()]

    async def _servers_own(self, voices: Mapping[str, ServedVoice]) -> str:
        """The name of the voice that the server was started with; empty where it cannot be known."""
        if len(voices) == 1:
            return next(iter(voices))
        info = (await self._server.ask("GET", "/info")).json()
        voice = info.get("voice") if isinstance(info, dict) else None
        return str(voice.get("name", "")) if isinstance(voice, dict) else ""

    def _check_speaker(self, served: ServedVoice) -> None:
        if self._options.speaker and served.speaker_id(self._options.speaker) is None:
            names = ", ".join(list(served.speaker_ids)[:10]) or f"a number below {served.speakers}"
            fault = f"voice {served.name} has no speaker {self._options.speaker!r}"
            raise EngineUnavailable(f"{fault}; remedy: set {self._server.entry('SPEAKER')} to one of {names}")

    def _no_piper(self, found: str) -> EngineUnavailable:
        remedy = f"start python -m piper.http_server there, or correct {self._server.entry('URL')}"
        return EngineUnavailable(f"{self._server.where} is not Piper's HTTP server ({found}); remedy: {remedy}")

    # -- what is asked for

    def _voice(self, served: ServedVoice) -> Voice:
        scale = f"length_scale={self._options.length_scale:g}" if self._options.length_scale else ""
        model = fingerprint(served.digest, scale, self._options.revision)
        speaker = self._options.speaker if served is self._voices[0] else ""
        return Voice(self.name, served.name, served.language, model, speaker)

    def _body(self, spoken: str, served: ServedVoice, voice: Voice) -> dict[str, Any]:
        scale = (self._options.length_scale or served.length_scale) / voice.speed
        body: dict[str, Any] = {"text": _harmless(spoken), "voice": served.name, "length_scale": scale}
        if served.speakers > 1:
            body["speaker_id"] = served.speaker_id(voice.speaker) or 0
        return body

    @staticmethod
    def _bare(spoken: str, voice: Voice) -> dict[str, Any]:
        if voice.speed != 1.0:
            raise EngineRefused("this Piper server is too old to speak at another pace than its own")
        return {"content": _harmless(spoken).encode()}


def _described(name: str, config: object) -> ServedVoice:
    """Raises nothing: what a config does not say keeps its default."""
    config = config if isinstance(config, dict) else {}
    return ServedVoice(
        name,
        _language(name, config),
        hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16],
        _number(_part(config, "inference").get("length_scale"), 1.0),
        int(_number(config.get("num_speakers"), 1)),
        _speaker_ids(config.get("speaker_id_map")),
    )


def _speaker_ids(named: object) -> dict[str, int]:
    return {str(key): int(_number(value, 0)) for key, value in named.items()} if isinstance(named, dict) else {}


def _language(name: str, config: Mapping[str, Any]) -> str:
    """BCP 47: as the config says, else as a name such as `en_US-joe-medium` says."""
    code = _part(config, "language").get("code") or _part(config, "espeak").get("voice")
    if not code:
        code = name.partition("-")[0] if name.count("-") >= 2 else "mul"
    return str(code).replace("_", "-")


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = config.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else default


def _harmless(spoken: str) -> str:
    """`[[…]]` would be read as phonemes."""
    return spoken.replace("[[", " ").replace("]]", " ")
