"""xtts-api-server: speakers are files in a folder of its own; it streams where it runs the model itself.

It stops answering while it speaks, and `/tts_stream` sends its WAV header before any synthesis.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from unavoce.audio.wav import WavReader
from unavoce.engines.base import Emit
from unavoce.engines.remote import SpeechServer
from unavoce.engines.xtts.dialect import Dialect, Offer, Part, as_json, names
from unavoce.engines.xtts.options import XttsOptions
from unavoce.errors import EngineRefused


class ApiServer(Dialect):
    name: ClassVar[str] = "api-server"
    title: ClassVar[str] = "xtts-api-server"

    def __init__(self, server: SpeechServer, options: XttsOptions) -> None:
        super().__init__(server, options)
        self._streams = True
        self._manner = ""

    async def look(self) -> Offer | None:
        languages = as_json(await self._server.ask("GET", "/languages"))
        if not isinstance(languages, dict) or not isinstance(languages.get("languages"), dict):
            return None
        speakers = as_json(await self._server.ask("GET", "/speakers_list"))
        if not isinstance(speakers, list):
            return None
        # Temperature, speed and the like are set in the server, for everyone, and change the sound.
        settings = await self._server.ask("GET", "/get_tts_settings")
        self._manner = hashlib.sha256(settings.body).hexdigest()[:16] if settings.status == 200 else ""
        # As its folder lists them; sorted, so that the default does not depend on how a disk is laid out.
        return Offer(tuple(sorted(names(speakers))), names(list(languages["languages"].values())))

    def fingerprint(self, speaker: str) -> str:
        return self._manner

    async def speak(self, part: Part, emit: Emit) -> None:
        # It would read the file that such a text names, and speak what is in it.
        text = f"{part.text}." if part.text.lower().endswith(".txt") else part.text
        wish = {"text": text, "speaker_wav": part.speaker, "language": part.language}
        if self._streams:
            try:
                return await self._server.speak("GET", "/tts_stream", WavReader(), emit, params=wish)
            except EngineRefused:  # all in it was checked: this server has its model elsewhere, and cannot stream
                self._streams = False
        await self._server.speak("POST", "/tts_to_audio/", WavReader(), emit, json=wish)
