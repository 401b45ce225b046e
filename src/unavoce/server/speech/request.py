"""What a caller asks for, checked: the fields of OpenAI's `createSpeech`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from starlette.requests import Request

from unavoce.audio.streams import StreamFormat
from unavoce.chain.chain import MAX_SPEED, MIN_SPEED
from unavoce.server.speech.refusals import SpeechRefused

Name = Annotated[str, Field(min_length=1, max_length=200)]
Speed = Annotated[float, Field(ge=0.25, le=4.0, allow_inf_nan=False)]


_OPEN: Final[JsonDict] = {"additionalProperties": True}
"""For the OpenAPI document: more may come, and is ignored."""


class VoiceId(BaseModel):
    """A voice as newer clients of OpenAI name it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", json_schema_extra=_OPEN)
    id: Name


class SpeechRequest(BaseModel):
    """OpenAI's fields; others are ignored, as other servers have some of their own. Null is as if left out."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", use_attribute_docstrings=True, json_schema_extra=_OPEN
    )
    model: Name
    """`tts-1` and OpenAI's others for the default voice, or an engine of this server."""
    input: str
    """At most `UNAVOCE_MAX_MESSAGE_CHARS` characters, 20,000 unless set."""
    voice: Annotated[VoiceId | Name, Field(union_mode="left_to_right")]
    """One of `/v1/audio/voices`; OpenAI's names mean the default one."""
    instructions: str | None = None
    """Without effect: no engine here takes any."""
    response_format: StreamFormat | None = None
    """`mp3` unless another is wanted; `pcm` is 24 kHz, mono, 16 bits."""
    speed: Speed | None = None
    """Spoken at the nearest of 0.5 to 2."""
    stream_format: Literal["audio", "sse"] | None = None
    """`sse` for events with parts of the sound in them."""

    @property
    def voice_name(self) -> str:
        return self.voice if isinstance(self.voice, str) else self.voice.id

    @property
    def format(self) -> StreamFormat:
        return self.response_format or "mp3"

    @property
    def spoken_speed(self) -> float:
        """The nearest that is spoken here."""
        return min(max(self.speed or 1.0, MIN_SPEED), MAX_SPEED)


async def read_request(request: Request) -> SpeechRequest:
    """Raises SpeechRefused; ClientDisconnect when the caller left before it had said everything.

    How much may come, and in which time, the gate sees to (`server/limits/`).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        told = f"the body is {kind[:100]!r}" if kind else "the body has no Content-Type"
        raise SpeechRefused(415, "unsupported_media_type", f"{told}; send JSON, with Content-Type: application/json")
    return parse(await request.body())


def parse(body: bytes) -> SpeechRequest:
    """Raises SpeechRefused that names the first field that is wrong, and quotes nothing of it."""
    try:
        return SpeechRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        raise SpeechRefused(400, "invalid_json", "the body is not JSON")
    loc = first["loc"]
    param = str(loc[0])[:100] if loc else None
    code = "missing_required_parameter" if first["type"] == "missing" and len(loc) == 1 else "invalid_value"
    told = 'expected a name, or {"id": a name}' if param == "voice" else first["msg"]
    raise SpeechRefused(400, code, f"{param or 'body'}: {told}", param=param)
