"""OpenAI's speech API, as `server/speech/` answers it. Refusals there have OpenAI's shape, the gate's too."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from unavoce.server.limits.refusals import ErrorType, openais_type
from unavoce.server.openapi.operation import Answer, Content, Operation, Parameter, Schema, json_of
from unavoce.server.openapi.refusals import GATE, RETRY_AFTER
from unavoce.server.speech.door import CONTENT_TYPES
from unavoce.server.speech.request import SpeechRequest

SOUND: Schema = {"type": "string", "format": "binary"}
EVENTS: Schema = {"description": "Server-sent events: `speech.audio.delta`…, `speech.audio.done`."}
EXAMPLE_EVENTS = """data: {"type": "speech.audio.delta", "audio": "SUQzBA…"}

data: {"type": "speech.audio.done", "usage": {"input_tokens": 5, "output_tokens": 29, "total_tokens": 34}}

"""


class OpenAINamed(BaseModel):
    """Fields are named as OpenAI names them."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)


class SpeechReason(OpenAINamed):
    """Why."""

    message: str
    """For a person; may change."""
    type: ErrorType
    param: str | None
    """The field of the request that is at fault."""
    code: str
    """docs/openai-api.md lists them."""


class SpeechRefusal(OpenAINamed):
    """A request that was not done, in OpenAI's shape."""

    error: SpeechReason


class SpeechModel(OpenAINamed):
    """A name that a request may have as its `model`: OpenAI's own mean the default, the others are engines."""

    id: str
    object: Literal["model"]
    created: Annotated[int, Field(ge=0)]
    """When the server began, in seconds of Unix time."""
    owned_by: str


class SpeechModels(OpenAINamed):
    """All of them."""

    object: Literal["list"]
    data: list[SpeechModel]


class AudioModels(OpenAINamed):
    """The same, as Open WebUI looks for them."""

    models: list[SpeechModel]


class SpeechVoice(OpenAINamed):
    """A voice of this server."""

    id: str
    """What a request may have as its `voice`."""
    object: Literal["voice"]
    name: str
    language: str
    engine: str


class SpeechVoices(OpenAINamed):
    """Every voice, the default one first."""

    object: Literal["list"]
    voices: list[SpeechVoice]


def _refused(
    status: int,
    what: str,
    code: str,
    message: str,
    *,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    error = {"message": message, "type": openais_type(status), "param": param, "code": code}
    return Answer(status, what, json_of(SpeechRefusal, {"error": error}), headers)


def _in_openais_shape(answer: Answer) -> Answer:
    ours: dict[str, Any] = answer.content["application/json"].example["error"]
    return _refused(answer.status, answer.description, **ours, headers=dict(answer.headers or {}))


_UNAUTHORISED = _refused(
    401,
    "The server has keys, and none of them came.",
    "invalid_api_key",
    "an API key is needed: as auth {apiKey}, or as Authorization: Bearer",
    headers={"WWW-Authenticate": "How a key may come."},
)
_ALWAYS = (_UNAUTHORISED, *map(_in_openais_shape, GATE))
_NO_MODEL = _refused(
    404, "There is no such model.", "model_not_found", "model 'tts-9' is not one of: tts-1, piper", param="model"
)
_SPEECH = (
    Answer(
        200,
        "The sound, as it is made, in the format that was asked for. Where it breaks off, so does the connection.",
        {
            **{kind: Content(SOUND) for kind in CONTENT_TYPES.values()},
            "text/event-stream": Content(EVENTS, EXAMPLE_EVENTS),
        },
        {"X-Request-Id": "The reply's id: `/api/replies/{replyId}/trace` tells what became of it."},
    ),
    _refused(
        400,
        "Something in the request cannot be used; `param` names it.",
        "unknown_voice",
        "voice 'nobody' is not one of those here: en_US-joe-medium",
        param="voice",
    ),
    _NO_MODEL,
    _refused(
        415,
        "The body is not said to be JSON.",
        "unsupported_media_type",
        "the body is 'text/plain'; send JSON, with Content-Type: application/json",
    ),
    _refused(
        503,
        "No engine could speak it, or the server is stopping.",
        "speech_failed",
        "1 sentence(s) not spoken; number 0: engine piper is not there",
        headers=RETRY_AFTER,
    ),
)

_MODEL = {"id": "tts-1", "object": "model", "created": 1_795_532_400, "owned_by": "unavoce"}
_VOICE = {
    "id": "en_US-joe-medium",
    "object": "voice",
    "name": "en_US-joe-medium",
    "language": "en",
    "engine": "piper",
}
_REQUEST = {"model": "tts-1", "voice": "alloy", "input": "Good evening, sir.", "response_format": "mp3"}


def _listed(path: str, summary: str, about: str, model: type[BaseModel], example: Any) -> Operation:
    return Operation(
        "get", path, "Speech", summary, about, [Answer(200, "The list.", json_of(model, example)), *_ALWAYS]
    )


OPERATIONS = (
    Operation(
        "post",
        "/v1/audio/speech",
        "Speech",
        "A text, spoken",
        "OpenAI's contract: docs/openai-api.md. Fields that are not told here are ignored.",
        [*_SPEECH, *_ALWAYS],
        body={"application/json": Content(SpeechRequest, _REQUEST)},
    ),
    _listed(
        "/v1/audio/voices",
        "The voices that speak here",
        "As Kokoro-FastAPI and LocalAI list theirs.",
        SpeechVoices,
        {"object": "list", "voices": [_VOICE]},
    ),
    _listed(
        "/v1/audio/models",
        "The names a request may have as its model, for Open WebUI",
        "What `/v1/models` tells, in another wrapping.",
        AudioModels,
        {"models": [_MODEL]},
    ),
    _listed(
        "/v1/models",
        "The names a request may have as its model",
        "As OpenAI lists its own.",
        SpeechModels,
        {"object": "list", "data": [_MODEL]},
    ),
    Operation(
        "get",
        "/v1/models/{model}",
        "Speech",
        "One of them",
        "As OpenAI tells of one.",
        [Answer(200, "It is one.", json_of(SpeechModel, _MODEL)), _NO_MODEL, *_ALWAYS],
        parameters=[
            Parameter("model", "path", "Its name.", {"type": "string", "minLength": 1}, "tts-1", required=True)
        ],
    ),
)
