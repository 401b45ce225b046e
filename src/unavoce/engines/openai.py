"""Any server with OpenAI's `POST /v1/audio/speech`: OpenAI, Kokoro-FastAPI, Speaches, openedai-speech, LocalAI, others.

Bare samples (`pcm`) are 24 kHz by OpenAI's word, but Speaches and openedai-speech send them at whatever rate the model
has, and say it nowhere. A WAV says its rate. So a server that is not OpenAI itself is tried once, with four words, and
what is then asked for is what was heard to be right (`_choose_format`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from pydantic import Field

from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.plausible import implausible
from unavoce.engines.base import Emit, Engine, EngineContext, EngineOptions, Voice
from unavoce.engines.incoming import EitherReader
from unavoce.engines.parts import check_speakable
from unavoce.engines.refusals import read_refusal
from unavoce.engines.remote import SpeechServer
from unavoce.engines.remote_options import ApiKey, ServerUrl, fingerprint, secret, unknown_voice
from unavoce.errors import AudioError, EngineError, EngineRefused, EngineUnavailable
from unavoce.outbound import shown

Format = Literal["pcm", "wav"]
OPENAI_HOST: Final = "api.openai.com"
PCM_RATE_HZ: Final = 24_000
"""Of `pcm`, by OpenAI's documentation."""
MAX_VOICES: Final = 1000
TRIAL: Final = "All systems are ready."
TRIAL_LIMIT_S: Final = 60.0
_ALIKE: Final = 1.5
"""Two takes of the trial's words differ less in length than this; samples of another width or rate differ more."""
_KOKORO: Final = re.compile(r"([abefhijpz])[fm]_\w+")
_KOKORO_LANGUAGES: Final = {
    "a": "en-US",
    "b": "en-GB",
    "e": "es",
    "f": "fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-BR",
    "z": "zh",
}
"""What the first letter of a Kokoro voice's name says, e.g. `bm_george`."""
_BLEND: Final = re.compile(r"\s*(?:\([\d.]+\))?\s*(?:[+-]\s*|$)")
"""What stands between and behind the names where several are mixed: `af_bella(2)+af_sky(1)`."""


class OpenAISpeechOptions(EngineOptions):
    """Section `openai` of the settings."""

    base_url: ServerUrl = f"https://{OPENAI_HOST}/v1"
    api_key: ApiKey | None = None
    model: str = Field(default="tts-1", min_length=1)
    voice: str = Field(default="alloy", min_length=1)
    language: str = "mul"
    """BCP 47, of what the voice is given to read: numbers and abbreviations are written out in it. `mul` leaves them
    to the server, which is right where replies are in several languages."""
    cost_per_million_characters: float = Field(default=0.0, ge=0)


class OpenAISpeechEngine(Engine):
    """The configured voice first, then the others where the server lists them."""

    name = "openai"
    Options = OpenAISpeechOptions
    max_concurrency = 2
    max_chars = 4096

    def __init__(self, options: OpenAISpeechOptions, context: EngineContext) -> None:
        super().__init__(options, context)
        self.cost_per_million_characters = options.cost_per_million_characters
        self._options = options
        self._key = secret(options.api_key)
        self._url = api_url(options.base_url)
        # A region's own host stands in front: eu.api.openai.com.
        self._is_openai = f".{urlsplit(self._url).hostname}".endswith(f".{OPENAI_HOST}")
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._server = _Server(
            self._url, setting=self.name, headers=headers, secret=self._key, url_entry="BASE_URL", finishes=False
        )
        self._names = [options.voice]
        self._format: Format | None = "pcm" if self._is_openai else None

    def voices(self) -> Sequence[Voice]:
        where = "" if self._is_openai else f"at {shown(self._url)}"
        model = fingerprint(self._options.model, where, self._options.revision)
        return [Voice(self.name, name, self._language(name), model) for name in self._names]

    async def start(self) -> None:
        if self._is_openai:
            await self._check_account()
        else:
            self._names = await self._listed() or [self._options.voice]
            self._format = self._format or await self._choose_format()
        kind = "OpenAI" if self._is_openai else f"{self._server.where}, OpenAI's protocol"
        self.detail = f"{kind}, model {self._options.model}, voice {self._options.voice}, sound as {self._format}"

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        if voice.name not in self._names:
            raise EngineRefused(f"the openai engine has no voice {voice.name!r}")
        check_speakable(spoken, self.max_chars)
        await self._speak(self._format or "wav", spoken, voice, emit, EitherReader(PCM_RATE_HZ))

    async def close(self) -> None:
        await self._server.close()

    # -- start

    async def _check_account(self) -> None:
        """OpenAI's own: asking for the model costs nothing, and says whether key and model are right."""
        if not self._key:
            raise EngineUnavailable(f"OpenAI asks for a key; remedy: set {self._server.entry('API_KEY')}")
        answer = await self._server.ask("GET", f"/models/{self._options.model}")
        if answer.status in (401, 404):
            raise self._server.refusal(answer.status, answer.body)  # 403: a key that may speak and nothing else

    async def _listed(self) -> list[str]:
        """The server's voices, the configured one first; empty where it does not list any."""
        answer = await self._server.ask("GET", "/audio/voices")
        if answer.status in (401, 403):
            raise self._server.refusal(answer.status, answer.body)
        names = voice_names(answer.json()) if answer.status == 200 else []
        wanted = self._options.voice
        if not names:
            return []
        if wanted not in names and not set(_BLEND.split(wanted)) <= {*names, ""}:
            raise unknown_voice(wanted, names, self._server.where, self._server.entry("VOICE"))
        return [wanted, *(name for name in names if name != wanted)]

    async def _choose_format(self) -> Format:
        """WAV where it says another rate than 24 kHz; else bare samples, which more servers stream; else WAV."""
        wav = await self._trial("wav")
        if isinstance(wav, Pcm) and wav.rate_hz != PCM_RATE_HZ:
            return "wav"
        pcm = await self._trial("pcm")
        if isinstance(pcm, Pcm) and (not isinstance(wav, Pcm) or _alike(pcm, wav)):
            return "pcm"
        if isinstance(wav, Pcm):
            return "wav"
        raise self._useless(wav)

    async def _trial(self, kind: Format) -> Pcm | EngineError:
        """The trial's words as `kind`, or why they did not come. Raises EngineUnavailable where no format can help."""
        pieces: list[Pcm] = []
        try:
            async with asyncio.timeout(TRIAL_LIMIT_S):
                await self._speak(kind, TRIAL, self.voices()[0], pieces.append, _TrialReader(PCM_RATE_HZ))
        except EngineUnavailable:
            raise
        except EngineError as error:
            return error
        except TimeoutError as error:
            raise self._useless(EngineError(f"no whole sound within {TRIAL_LIMIT_S:g} s")) from error
        if not pieces:
            return EngineError("no sound came")
        sound = Pcm(np.concatenate([piece.samples for piece in pieces]), pieces[0].rate_hz)
        fault = implausible(sound, TRIAL)
        return EngineError(fault) if fault else sound

    def _useless(self, error: EngineError) -> EngineUnavailable:
        entries = ", ".join(self._server.entry(name) for name in ("VOICE", "MODEL", "BASE_URL"))
        found = f"{self._server.where} did not speak four words, neither as wav nor as pcm ({error})"
        return EngineUnavailable(f"{found}; remedy: correct {entries}")

    # -- asking

    async def _speak(self, kind: Format, spoken: str, voice: Voice, emit: Emit, reader: EitherReader) -> None:
        body: dict[str, Any] = {"model": self._options.model, "input": spoken, "voice": voice.name}
        body |= {"response_format": kind}
        if voice.speed != 1.0:
            body["speed"] = voice.speed
        await self._server.speak("POST", "/audio/speech", reader, emit, json=body)

    def _language(self, name: str) -> str:
        kokoro = _KOKORO.match(name)
        if self._options.language == "mul" and kokoro:
            return _KOKORO_LANGUAGES[kokoro[1]]
        return self._options.language


class _Server(SpeechServer):
    def refusal(self, status: int, body: bytes, spoken: str = "") -> EngineError:
        """What the voice or the model is blamed for is the configuration's fault: others are not asked for."""
        found, said = read_refusal(body), self.said(status, body, spoken)
        if status == 429 and found.code == "insufficient_quota":
            return EngineUnavailable(f"{said}; remedy: pay for the account that {self.entry('API_KEY')} belongs to")
        if 400 <= status < 500 and (found.param == "model" or _about_model(found.code, found.message)):
            return EngineUnavailable(f"{said}; remedy: correct {self.entry('MODEL')}")
        if 400 <= status < 500 and found.param == "voice":
            return EngineUnavailable(f"{said}; remedy: correct {self.entry('VOICE')}")
        return super().refusal(status, body, spoken)


class _TrialReader(EitherReader):
    """Takes MP3 for what it is, whatever was asked for. Only in a trial: sound may begin like this by accident."""

    def feed(self, data: bytes) -> Samples:
        if self._reader is None and _is_mpeg(self._head + data):
            raise AudioError("MP3 came instead of bare samples or a WAV")
        return super().feed(data)


def api_url(base_url: str) -> str:
    """Where the routes begin. Without a path `/v1` is added; a path is taken as it stands.

    So `http://host`, `http://host/`, `http://host/v1` and `http://host/v1/audio/speech` are the same.
    """
    scheme, host, path, _, _ = urlsplit(base_url)
    path = path.rstrip("/").removesuffix("/audio/speech") or "/v1"
    return urlunsplit((scheme, host, path, "", ""))


def voice_names(listed: object) -> list[str]:
    """Names out of the shapes that servers list voices in; empty where it is none of them.

    `["af_sky"]` and `{"voices": ["af_sky"]}` (older), `{"voices": [{"id": …, "name": …}]}` (Kokoro-FastAPI since 0.4),
    `{"voices": [{"name": …}]}` (Speaches), `{"data": […]}`.
    """
    if isinstance(listed, dict):
        listed = listed.get("voices") or listed.get("data")
    if isinstance(listed, dict):
        listed = list(listed)
    found = [_voice_name(one) for one in listed[:MAX_VOICES]] if isinstance(listed, list) else []
    return list(dict.fromkeys(filter(None, found)))


def _voice_name(one: object) -> str:
    if isinstance(one, dict):
        one = next((one[key] for key in ("id", "voice_id", "name", "voice") if isinstance(one.get(key), str)), "")
    return one if isinstance(one, str) else ""


def _about_model(code: str, message: str) -> bool:
    return code in ("model_not_found", "invalid_model") or bool(re.match(r"model\b.*\bnot\b", message, re.IGNORECASE))


def _alike(one: Pcm, other: Pcm) -> bool:
    return 1 / _ALIKE < one.duration_s / other.duration_s < _ALIKE


def _is_mpeg(head: bytes) -> bool:
    """Whether this begins with an MPEG layer III frame: sync, layer, and a bit rate and sample rate that exist."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    return head[2] >> 4 not in (0, 15) and (head[2] >> 2) & 3 != 3
