"""coqui-tts's own `tts-server`: whole WAVs from `/api/tts`. Its lists are meant for MaryTTS and for its web page."""

from __future__ import annotations

import html
import re
from typing import ClassVar

from unavoce.audio.wav import WavReader
from unavoce.engines.base import Emit
from unavoce.engines.xtts.dialect import MAX_LIST_BYTES, Dialect, Offer, Part, names

_VOICE = re.compile(r"(?P<name>\S.{0,299}) (?P<locale>\S{1,40}) [a-z]")
"""A line of `/voices`: name, locale and a letter for the gender; the name may hold blanks."""
_OPTION = re.compile(r'<option value="([^"<>]+)"')


class Coqui(Dialect):
    name: ClassVar[str] = "coqui"
    title: ClassVar[str] = "coqui-tts tts-server"

    async def look(self) -> Offer | None:
        answer = await self._server.ask("GET", "/voices")
        if answer.status != 200 or len(answer.body) > MAX_LIST_BYTES:
            return None
        lines = answer.body.decode("utf-8", "replace").splitlines()
        voices = [_VOICE.fullmatch(line.strip()) for line in lines if line.strip()]
        if not voices or not all(voices):
            return None
        speakers = names([html.unescape(voice["name"]) for voice in voices if voice])
        return Offer(speakers, await self._languages())

    async def _languages(self) -> tuple[str, ...] | None:
        """Only the page for people knows them. A model of one language has none to choose from."""
        page = (await self._server.ask("GET", "/")).body.decode("utf-8", "replace")
        choice = page.partition('<select id="language_id"')[2].partition("</select>")[0]
        return names(_OPTION.findall(choice)) or None

    async def speak(self, part: Part, emit: Emit) -> None:
        who = "speaker_wav" if part.speaker.endswith(".wav") else "speaker_id"
        form = {"text": part.text, who: part.speaker, "language_id": part.language}
        await self._server.speak("POST", "/api/tts", WavReader(), emit, data=form)
