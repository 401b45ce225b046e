"""ElevenLabs: `POST /v1/text-to-speech/{voice_id}/stream`, bare samples at 24 kHz.

Written from its documentation (API reference and "Errors"), and tested against a stand-in written from the same: an
error's body is `{"detail": {"type", "code", "status", "message", "param"}}`, of which older answers have only `status`
and `message`; a used-up quota is a 401 with the code `quota_exceeded`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic import Field

from unavoce.engines.base import Emit, Engine, EngineContext, EngineOptions, Voice
from unavoce.engines.incoming import PcmReader
from unavoce.engines.parts import check_speakable
from unavoce.engines.refusals import Refusal, read_refusal
from unavoce.engines.remote import SpeechServer
from unavoce.engines.remote_options import UNNAMED, ApiKey, ServerUrl, fingerprint, secret, unknown_voice
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

RATE_HZ: Final = 24_000
SLOWEST, FASTEST = 0.7, 1.2
"""What its models can do; beyond, the nearest is spoken."""
MAX_VOICES: Final = 1000
_ID: Final = re.compile(r"[A-Za-z0-9]{20}")
_ENDED: Final = {"quota_exceeded", "insufficient_credits", "payment_required", "paid_plan_required"}
"""Codes that money mends, under whatever status they come."""


class ElevenLabsOptions(EngineOptions):
    """Section `elevenlabs` of the settings."""

    base_url: ServerUrl = "https://api.elevenlabs.io"
    api_key: ApiKey | None = None
    voice: str = ""
    """A name from the account's voices, or a voice's id."""
    model: str = Field(default="eleven_flash_v2_5", min_length=1)
    language: str = "mul"
    """BCP 47, of what the voice is given to read: numbers and abbreviations are written out in it."""
    cost_per_million_characters: float = Field(default=0.0, ge=0)


@dataclass(frozen=True, slots=True)
class _Known:
    """A voice of the account."""

    name: str
    id: str


class ElevenLabsEngine(Engine):
    """The configured voice first, then the account's others."""

    name = "elevenlabs"
    Options = ElevenLabsOptions
    max_concurrency = 2
    max_chars = 5000

    def __init__(self, options: ElevenLabsOptions, context: EngineContext) -> None:
        super().__init__(options, context)
        self.cost_per_million_characters = options.cost_per_million_characters
        self._options = options
        self._key = secret(options.api_key)
        self._server = _Server(
            options.base_url.rstrip("/").removesuffix("/v1"),
            setting=self.name,
            headers={"xi-api-key": self._key} if self._key else {},
            secret=self._key,
            url_entry="BASE_URL",
            finishes=False,
        )
        self._voices = [_Known(options.voice or UNNAMED, "")]

    def voices(self) -> Sequence[Voice]:
        model = fingerprint(self._options.model, self._options.revision)
        return [Voice(self.name, one.name, self._options.language, model, one.id) for one in self._voices]

    async def start(self) -> None:
        if not self._key:
            raise EngineUnavailable(f"ElevenLabs asks for a key; remedy: set {self._server.entry('API_KEY')}")
        self._voices = await self._account_voices()
        chosen = self._voices[0]
        name = chosen.id if chosen.name == chosen.id else f"{chosen.name} ({chosen.id})"
        self.detail = f"ElevenLabs, model {self._options.model}, voice {name}"

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        known = next((one for one in self._voices if one.name == voice.name), None)
        if known is None and voice.name in (UNNAMED, self._options.voice):
            known = self._voices[0]  # a reply that began before the account was asked
        if known is None:
            raise EngineRefused(f"the elevenlabs engine has no voice {voice.name!r}")
        if not known.id:
            raise EngineUnavailable("the elevenlabs engine has not been started")
        check_speakable(spoken, self.max_chars)
        path = f"/v1/text-to-speech/{quote(known.id, safe='')}/stream"
        await self._server.speak(
            "POST",
            path,
            PcmReader(RATE_HZ),
            emit,
            params={"output_format": "pcm_24000"},
            json=self._body(spoken, voice),
        )

    async def close(self) -> None:
        await self._server.close()

    # -- inside

    async def _account_voices(self) -> list[_Known]:
        """The account's voices, the configured one first."""
        answer = await self._server.ask("GET", "/v1/voices")
        if answer.status == 200:
            return self._chosen_first(_listed(answer.json()))
        if answer.status in (401, 403) and _may_not_list(read_refusal(answer.body)):
            return [self._unlisted()]
        raise self._server.refusal(answer.status, answer.body)

    def _chosen_first(self, known: list[_Known]) -> list[_Known]:
        if not known:
            remedy = f"correct {self._server.entry('BASE_URL')}, or add a voice to the account"
            raise EngineUnavailable(f"{self._server.where} lists no voices at /v1/voices; remedy: {remedy}")
        wanted = self._options.voice
        chosen = next((one for one in known if one.id == wanted), None) or _named(known, wanted)
        if chosen is None:
            raise unknown_voice(wanted, [one.name for one in known], self._server.where, self._server.entry("VOICE"))
        return [chosen, *(one for one in known if one is not chosen)]

    def _unlisted(self) -> _Known:
        """The configured id, for a key that may speak and nothing else."""
        wanted = self._options.voice
        if not _ID.fullmatch(wanted):
            fault = "the key may not list the account's voices"
            raise EngineUnavailable(f"{fault}; remedy: set {self._server.entry('VOICE')} to a voice's id")
        return _Known(wanted, wanted)

    def _body(self, spoken: str, voice: Voice) -> dict[str, Any]:
        body: dict[str, Any] = {"text": spoken, "model_id": self._options.model}
        if voice.speed != 1.0:  # settings sent take the place of those stored with the voice: only when needed
            body["voice_settings"] = {"speed": min(max(voice.speed, SLOWEST), FASTEST)}
        return body


class _Server(SpeechServer):
    def refusal(self, status: int, body: bytes, spoken: str = "") -> EngineError:
        found, said = read_refusal(body), self.said(status, body, spoken)
        if status == 402 or found.code in _ENDED:
            remedy = "add credit to the account or change its plan"
            return EngineUnavailable(f"{said}; remedy: {remedy} (of {self.entry('API_KEY')})")
        if found.code == "voice_not_found":
            return EngineUnavailable(f"{said}; remedy: correct {self.entry('VOICE')}")
        if found.code == "model_not_found" or found.param == "model_id":
            return EngineUnavailable(f"{said}; remedy: correct {self.entry('MODEL')}")
        return super().refusal(status, body, spoken)


def _listed(answer: object) -> list[_Known]:
    """Voices with their ids, as `/v1/voices` lists them; of several with one name, all but the first go by their id."""
    voices = answer.get("voices") if isinstance(answer, dict) else None
    pairs = [(one.get("name"), one.get("voice_id")) for one in voices or [] if isinstance(one, dict)]
    found: dict[str, _Known] = {}
    for name, id_ in pairs[:MAX_VOICES]:
        if isinstance(name, str) and isinstance(id_, str):
            unique = id_ if name in found else name
            found[unique] = _Known(unique, id_)
    return list(found.values())


def _named(known: list[_Known], wanted: str) -> _Known | None:
    """By its whole name, or by what stands before the dash in "Sarah - Mature, Reassuring"."""
    if not wanted:
        return None
    whole = {one.name.casefold(): one for one in reversed(known)}
    short = {one.name.partition(" - ")[0].casefold(): one for one in reversed(known)}
    return whole.get(wanted.casefold()) or short.get(wanted.casefold())


def _may_not_list(refusal: Refusal) -> bool:
    return refusal.code == "missing_permissions" or "voices_read" in refusal.message
