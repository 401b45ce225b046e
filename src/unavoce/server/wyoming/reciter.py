"""Speaks what one client asks for, up to the event that ends the request, whatever happens."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable

from wyoming.error import Error
from wyoming.event import Event
from wyoming.tts import Synthesize, SynthesizeStart, SynthesizeStopped

from unavoce.chat.client import Caller
from unavoce.chat.recital import Recital
from unavoce.errors import EngineError, RequestError
from unavoce.server.wyoming.asked import parse, voice_for
from unavoce.server.wyoming.frames import sendable
from unavoce.server.wyoming.house import House
from unavoce.server.wyoming.sound import Say, Sound

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 1000
"""Characters of an error's text."""


class Reciter:
    """One request at a time. `say` writes an event to the client and may raise what a lost connection raises."""

    def __init__(self, house: House, caller: Caller, say: Say) -> None:
        self._house = house
        self._caller = caller
        self._say = say
        self._recital: Recital | None = None

    async def speak(self, event: Event, text: AsyncIterable[str] | None = None) -> str:
        """Speak the text of a `synthesize`, or `text` as it comes after a `synthesize-start`.

        Returns the code of the error that was told; empty where all was spoken.
        """
        sound = Sound(self._house.rate_hz, self._say)
        error = await self._trouble(event, text, sound)
        if error is None:
            await sound.begin()  # what has nothing to say is an empty sound
        else:
            log.info("wyoming_error", extra={"code": error.code})  # Home Assistant does not say so itself
            await self.tell(error)
        if sound.begun or text is None:
            await sound.end()
        if text is not None:
            await self._say(SynthesizeStopped())
        return error.code if error else ""

    async def tell(self, error: RequestError) -> None:
        self._house.note("wyoming", error.code)
        await self._say(Error(sendable(error.message[:LONGEST_MESSAGE]), error.code))

    def abort(self) -> None:
        """Stop what is being spoken; the client is told."""
        if self._recital is not None:
            self._recital.abort()

    async def _trouble(self, event: Event, text: AsyncIterable[str] | None, sound: Sound) -> RequestError | None:
        """Speak; what went wrong, or None."""
        try:
            if text is None:
                asked = parse(Synthesize, event)
                await self._recite(asked.text, voice_for(asked, self._house.chain), sound)
            else:
                await self._recite(text, voice_for(parse(SynthesizeStart, event), self._house.chain), sound)
        except RequestError as error:
            return error
        except EngineError as error:
            return RequestError("speech_failed", str(error))
        return None

    async def _recite(self, text: AsyncIterable[str] | str, voice: str | None, sound: Sound) -> None:
        async with self._house.chat.recite(self._caller, "wyoming", text, voice=voice) as recital:
            self._recital = recital
            try:
                async for chunk in recital:
                    await sound.add(chunk)
                recital.check()
                _check_end(recital)
            finally:
                self._recital = None


def _check_end(recital: Recital) -> None:
    """What was broken off is not the whole text, even where every sentence so far was spoken."""
    if recital.narrator.aborted:
        raise RequestError("ended", "the server stopped this before its end")
    if recital.narrator.reason == "failed":
        raise RequestError("internal", "the server made a mistake; its log says which")
