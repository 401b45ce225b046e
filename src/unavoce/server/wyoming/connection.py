"""One Wyoming client: its events are answered one after the other, in order.

One task reads, so that a client that leaves is noticed at once; one answers; a third speaks while there is something to
say, so that the text of a stream is taken while its beginning is heard.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from wyoming.event import Event, Eventable, async_write_event
from wyoming.info import Describe, SelectProgram
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from unavoce.chat.client import Caller
from unavoce.chat.speech_input import SpeechInput
from unavoce.errors import RequestError
from unavoce.server.limits.addresses import group
from unavoce.server.wyoming.asked import parse
from unavoce.server.wyoming.frames import Unreadable, read_event, sendable
from unavoce.server.wyoming.house import House
from unavoce.server.wyoming.info import PROGRAM, describe
from unavoce.server.wyoming.reciter import Reciter

log = logging.getLogger(__name__)

WAITING_EVENTS = 2
"""Events read ahead while a request is spoken; the client's further ones wait in its own socket."""
UNSENT_BYTES = 64 * 1024
"""Written and not yet taken; then writing waits."""


@dataclass(slots=True)
class Stream:
    """From `synthesize-start` to `synthesize-stop`."""

    text: SpeechInput
    speaking: asyncio.Task[None]
    full: bool = False
    """Its text grew too long: what came before is spoken, the rest passed over."""

    @property
    def takes_text(self) -> bool:
        return not self.full and not self.speaking.done()


class Connection:
    """`run` it once. It never raises but when it is cancelled."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: Caller, house: House
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._house = house
        self._bounds = house.bounds
        self._address = group(caller.address)
        self._reciter = Reciter(house, caller, self._say)
        self._inbox: asyncio.Queue[Event | None] = asyncio.Queue(WAITING_EVENTS)
        self._stream: Stream | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._over = False
        """The client has left, or is to leave: nothing more is spoken."""
        self._tasks = asyncio.TaskGroup()

    async def run(self) -> None:
        """Answer until the client leaves, breaks a bound, or is told that it is over."""
        self._writer.transport.set_write_buffer_limits(UNSENT_BYTES)
        try:
            async with self._tasks:
                reading = self._tasks.create_task(self._read())
                await self._answer()
                await self._spoken()
                reading.cancel()
            await self._part()
        except* (ConnectionError, TimeoutError):
            log.debug("wyoming_client_lost")
        except* Exception:
            log.exception("wyoming_connection_crashed")
        finally:
            self._writer.transport.abort()

    async def refuse(self, error: RequestError) -> None:
        """Say why it is not served, and close."""
        try:
            await self._reciter.tell(error)
            await self._part()
        except (ConnectionError, TimeoutError):
            log.debug("wyoming_client_lost")
        finally:
            self._writer.transport.abort()

    def stop(self) -> None:
        """The server stops: what is being spoken is broken off and its end told, then the connection ends."""
        self._over = True
        self._reciter.abort()
        if self._inbox.full():
            self._inbox.get_nowait()  # a request that would not be spoken any more
        self._inbox.put_nowait(None)

    # -- reading

    async def _read(self) -> None:
        event: Event | None = Event("")
        while event is not None:
            event = await self._next()
            if event is None:
                self._over = True
                if self._speaking is not None:
                    self._speaking.cancel()
            await self._inbox.put(event)

    async def _next(self) -> Event | None:
        """The next event; None where no other can come."""
        while True:
            try:
                event = await read_event(self._reader, self._bounds)
            except TimeoutError:
                if self._speaking is None or self._speaking.done():
                    return None
            except ConnectionError:
                return None
            except Unreadable as error:
                await self._reciter.tell(RequestError(error.code, error.message))
                return None
            else:
                await asyncio.sleep(self._house.pace.owe(self._address) if event else 0)
                return event

    # -- answering

    async def _answer(self) -> None:
        while (event := await self._inbox.get()) is not None:
            try:
                await self._handle(event)
            except RequestError as error:
                await self._reciter.tell(error)

    async def _handle(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self._say(describe(self._house.chain))
        elif Ping.is_type(event.type):
            await self._say(Pong(sendable(parse(Ping, event).text or "") or None))
        elif SelectProgram.is_type(event.type):
            _check_program(parse(SelectProgram, event))
        elif not self._over:
            await self._handle_text(event)

    async def _handle_text(self, event: Event) -> None:
        """Events of other kinds are passed over, as the protocol asks."""
        if Synthesize.is_type(event.type):
            await self._synthesize(event)
        elif SynthesizeStart.is_type(event.type):
            self._start(event)
        elif SynthesizeChunk.is_type(event.type):
            self._chunk(self._open_stream(event), parse(SynthesizeChunk, event).text)
        elif SynthesizeStop.is_type(event.type):
            await self._end(self._open_stream(event))

    async def _synthesize(self, event: Event) -> None:
        if self._stream is not None:
            return  # the whole text once more, for servers that cannot take it piece by piece
        self._speaking = self._tasks.create_task(self._speak(event))
        await self._spoken()

    def _start(self, event: Event) -> None:
        if self._stream is not None and not self._stream.speaking.done():
            raise RequestError("invalid", "synthesize-start within a stream, which goes on; first synthesize-stop")
        text = SpeechInput(self._house.max_chars)
        self._speaking = self._tasks.create_task(self._speak(event, text))
        self._stream = Stream(text, self._speaking)

    def _chunk(self, stream: Stream, text: str) -> None:
        if not text or not stream.takes_text:
            return  # the rest of a stream whose end was told
        try:
            stream.text.push(text)
        except RequestError:
            stream.full = True
            stream.text.end()
            raise

    async def _end(self, stream: Stream) -> None:
        if stream.takes_text:
            stream.text.end()
        await self._spoken()
        self._stream = None

    def _open_stream(self, event: Event) -> Stream:
        if self._stream is None:
            raise RequestError("ended", f"{event.type} outside a stream; begin one with synthesize-start")
        return self._stream

    # -- speaking and writing

    async def _speak(self, event: Event, text: SpeechInput | None = None) -> None:
        code = await self._reciter.speak(event, None if text is None else aiter(text))
        if code == "idle_timeout":  # whatever such a client sends next would be taken for the rest of this
            self.stop()

    async def _spoken(self) -> None:
        """Returns when what is spoken is over, or was broken off."""
        if self._speaking is not None:
            await asyncio.wait([self._speaking])

    async def _say(self, event: Eventable) -> None:
        """Raises TimeoutError when the client does not take it, ConnectionError when it has gone."""
        async with asyncio.timeout(self._bounds.write_s):
            await async_write_event(event.event(), self._writer)

    async def _part(self) -> None:
        """Close so that what was written arrives: a socket closed with something unread takes its last words back."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(self._bounds.part_s):
                self._writer.write_eof()
                while await self._reader.read(UNSENT_BYTES):
                    pass


def _check_program(chosen: SelectProgram) -> None:
    if chosen.name != PROGRAM:
        raise RequestError("invalid", f"select-program: there is one program here, {PROGRAM}")
