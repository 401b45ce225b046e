"""OpenAI-style `/v1/audio/speech`, as openedai-speech, LocalAI and others have it: with a speed, without a language."""

from __future__ import annotations

from typing import Any, ClassVar

from unavoce.audio.wav import WavReader
from unavoce.engines.base import Emit
from unavoce.engines.xtts.dialect import Dialect, Offer, Part, as_json, names


class OpenAi(Dialect):
    name: ClassVar[str] = "openai"
    title: ClassVar[str] = "OpenAI-style server"
    has_speed: ClassVar[bool] = True

    async def look(self) -> Offer | None:
        # A question that makes no sound: where the route is there, it minds only the method.
        answer = await self._server.ask("GET", "/v1/audio/speech")
        if answer.status in (401, 403):
            raise self._server.refusal(answer.status, b"")
        if answer.status not in (400, 405, 422):
            return None
        return Offer(_voices(as_json(await self._server.ask("GET", "/v1/audio/voices"))) or None, languages=None)

    def fingerprint(self, speaker: str) -> str:
        return self._options.model

    async def speak(self, part: Part, emit: Emit) -> None:
        wish: dict[str, Any] = {
            "model": self._options.model,
            "input": part.text,
            "voice": part.speaker,
            "response_format": "wav",  # unlike `pcm` it tells its rate
            "speed": part.speed,
        }
        await self._server.speak("POST", "/v1/audio/speech", WavReader(), emit, json=wish)


def _voices(answer: Any) -> tuple[str, ...]:
    """Not part of OpenAI's contract: a list of names, or of objects with one, bare or under `voices` or `data`."""
    if isinstance(answer, dict):
        answer = answer.get("voices") or answer.get("data")
    listed = answer if isinstance(answer, list) else []
    return names([one.get("id") or one.get("name") if isinstance(one, dict) else one for one in listed])
