"""The routes of OpenAI's speech API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from unavoce.audio.streams import StreamFormat
from unavoce.chain.chain import Chain
from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller
from unavoce.errors import RequestError
from unavoce.server.http import Guard
from unavoce.server.refusals import note_refusal
from unavoce.server.speech.delivery import deliver, while_there
from unavoce.server.speech.names import Names
from unavoce.server.speech.refusals import SpeechRefused, answer_to
from unavoce.server.speech.request import SpeechRequest, read_request
from unavoce.server.speech.sound import RATE_HZ, EncodedSound, as_events, stream_for

CONTENT_TYPES: Final[dict[StreamFormat, str]] = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""As OpenAI sends them. Its Opus is in Ogg, whose registered type would be `audio/ogg; codecs=opus`."""
STREAMED: Final = {"X-Accel-Buffering": "no"}
"""Nobody on the way may collect it first."""

Answer = Callable[[Request, Caller, Send], Awaitable[None]]


class SpeechDoor:
    """Speech for clients made for OpenAI's API."""

    def __init__(self, chain: Chain, chat: Chat) -> None:
        self._chat = chat
        self._names = Names(chain)

    def routes(self, guard: Guard) -> list[BaseRoute]:
        paths: dict[str, tuple[str, Answer]] = {
            "/v1/audio/speech": ("POST", self._speech),
            "/v1/audio/voices": ("GET", self._voices),
            "/v1/audio/models": ("GET", self._audio_models),
            "/v1/models": ("GET", self._models),
            "/v1/models/{model:path}": ("GET", self._model),
            "/v1/{rest:path}": ("", _nothing),
        }
        return [Route(path, _Endpoint(guard, *way), name=path) for path, way in paths.items()]

    async def _speech(self, request: Request, caller: Caller, send: Send) -> None:
        wanted = await read_request(request)
        voice = self._names.voice(wanted.model, wanted.voice_name)
        await while_there(request.receive, self._speak(wanted, voice, caller, send))

    async def _speak(self, wanted: SpeechRequest, voice: str | None, caller: Caller, send: Send) -> None:
        speed = wanted.spoken_speed
        stream = await stream_for(wanted.format)
        reciting = self._chat.recite(caller, "openai", wanted.input, voice=voice, speed=speed, rate_hz=RATE_HZ)
        async with reciting as recital:
            sound = EncodedSound(recital, stream)
            events = wanted.stream_format == "sse"
            parts = as_events(sound, wanted.input) if events else sound.parts()
            kind = "text/event-stream; charset=utf-8" if events else CONTENT_TYPES[wanted.format]
            await deliver(send, parts, {"Content-Type": kind, "X-Request-Id": recital.id, **STREAMED})

    async def _voices(self, request: Request, _caller: Caller, send: Send) -> None:
        await _say(request, send, {"object": "list", "voices": self._names.voices()})

    async def _audio_models(self, request: Request, _caller: Caller, send: Send) -> None:
        """Not OpenAI's: Open WebUI looks here for what it lists as models."""
        await _say(request, send, {"models": self._names.models()})

    async def _models(self, request: Request, _caller: Caller, send: Send) -> None:
        await _say(request, send, {"object": "list", "data": self._names.models()})

    async def _model(self, request: Request, _caller: Caller, send: Send) -> None:
        await _say(request, send, self._names.model(request.path_params["model"]))


class _Endpoint:
    """One route. Whatever is refused is refused in OpenAI's shape; any method is taken, to be refused likewise."""

    def __init__(self, guard: Guard, method: str, answer: Answer) -> None:
        self._guard = guard
        self.method = method
        """The one it is for; empty where it is for none."""
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        with suppress(ClientDisconnect):
            try:
                caller = self._guard.admit(request)
                self._check_method(request.method)
                await self._answer(request, caller, send)
            except RequestError as error:
                note_refusal(scope, error.code)
                await answer_to(error)(scope, receive, send)

    def _check_method(self, method: str) -> None:
        if self.method and method.replace("HEAD", "GET") != self.method:
            message = f"{method[:20]} is not for this route; {self.method} is"
            raise SpeechRefused(405, "method_not_allowed", message, headers={"Allow": self.method})


async def _nothing(request: Request, _caller: Caller, _send: Send) -> None:
    message = (
        f"{request.scope['path'][:200]} is not offered here; /v1/audio/speech, /v1/audio/voices and /v1/models are"
    )
    raise SpeechRefused(404, "unknown_url", message)


async def _say(request: Request, send: Send, document: dict[str, Any]) -> None:
    await JSONResponse(document)(request.scope, request.receive, send)
