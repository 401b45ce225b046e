"""Models and voices by name: OpenAI's mean the default voice, this server's own are its engines and their voices."""

from __future__ import annotations

import re
import time
from typing import Any, Final

from unavoce.chain.chain import Chain
from unavoce.engines.base import Voice
from unavoce.server.speech.refusals import SpeechRefused

OPENAI_MODELS: Final = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
OPENAI_VOICES: Final = frozenset(
    ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse")
)
_OPENAI_MODEL: Final = re.compile(r"tts-1(-hd)?(-\d{4})?|gpt-4o(-mini)?-tts(-\d{4}-\d\d-\d\d)?")
"""With the dates that their snapshots carry."""


LONGEST_NAME: Final = 200
"""Characters of a name, as far as it is told back; in a request's body it may not be longer (`request.Name`)."""


class Names:
    """What the names in a request mean."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._since = int(time.time())

    def voice(self, model: str, voice: str) -> str | None:
        """The voice as `Chain.find_voice` takes it; None for the default one.

        Raises SpeechRefused for an unknown model; whether there is such a voice the chain says.
        """
        engine = self._engine(model)
        if engine is None:
            return None if self._is_openais(voice) else voice
        names = {one.name for one in self._chain.voices_of(engine)}
        if voice in names:
            return f"{engine}/{voice}"
        if voice in OPENAI_VOICES or voice == engine:
            return engine
        return voice if voice.startswith(f"{engine}/") else f"{engine}/{voice}"

    def models(self) -> list[dict[str, Any]]:
        """OpenAI's names, and the engines."""
        names = dict.fromkeys((*OPENAI_MODELS, *(engine.name for engine in self._chain.engines)))
        return [self._model(name) for name in names]

    def model(self, name: str) -> dict[str, Any]:
        """One of them. Raises SpeechRefused."""
        self._engine(name)
        return self._model(name)

    def voices(self) -> list[dict[str, Any]]:
        """Every voice, the default one first, by the name that a request may ask for it with."""
        there = self._chain.voices()
        meant: dict[str, Voice] = {}
        for voice in there:
            for name in (voice.name, voice.engine, f"{voice.engine}/{voice.name}"):
                meant.setdefault(name, voice)  # as `Chain.find_voice` does, without asking it a thousand times
        return [self._voice(voice, bare=meant[voice.name] == voice) for voice in there]

    def _engine(self, model: str) -> str | None:
        """The engine that a model means; None where any will do. Raises SpeechRefused."""
        if _OPENAI_MODEL.fullmatch(model):
            return None
        names = [engine.name for engine in self._chain.engines]
        if model not in names:
            known = ", ".join((*OPENAI_MODELS, *names))
            told = f"model {model[:LONGEST_NAME]!r} is not one of: {known}"
            raise SpeechRefused(404, "model_not_found", told, param="model")
        return model

    def _is_openais(self, voice: str) -> bool:
        """Whether the name means the default voice: the engine that has that one may have a voice so called itself."""
        if voice not in OPENAI_VOICES:
            return False
        first = self._chain.find_voice(None).engine
        return voice not in {one.name for one in self._chain.voices_of(first)}

    def _model(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._since, "owned_by": "unavoce"}

    def _voice(self, voice: Voice, *, bare: bool) -> dict[str, Any]:
        """`bare`: its own name is enough to ask for it, unless that means another to clients of OpenAI."""
        name = voice.name if bare and not self._is_openais(voice.name) else f"{voice.engine}/{voice.name}"
        return {"id": name, "object": "voice", "name": name, "language": voice.language, "engine": voice.engine}
