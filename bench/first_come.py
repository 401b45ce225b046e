"""`python -m bench.first_come`: what one writes first for many listeners, as a server to measure ours against.

Two workers, each on one thread, take whole sentences first come, first served, over all listeners. Everything else is
as in `unavoce serve`, so that only the order of work differs: the same cutter, voice, framework, events and WAV. It
serves `speak:start`, `speak:text` and `speak:end`, and nothing else.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import socketio
import uvicorn
from piper import PiperVoice

from bench.speakers import piper_voice
from unavoce.audio.wav import wav_bytes
from unavoce.server.serving import listen
from unavoce.text import Sentence, SentenceStream

WORKERS = 2
Wav = tuple[bytes, float]
"""A clip and its seconds."""


@dataclass(eq=False)
class Reply:
    sid: str
    id: str
    stream: SentenceStream = field(default_factory=SentenceStream)
    cut: int = 0
    """Sentences so far."""
    over: bool = False
    """Its text is."""
    made: dict[int, Wav] = field(default_factory=dict)
    """Clips that wait for the one before them."""
    sent: int = 0
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)


class FirstCome:
    def __init__(self, voice: PiperVoice) -> None:
        # Handlers one after the other, so that text is taken in the order in which it came.
        self.sockets: Any = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[], async_handlers=False)
        self._voice = voice
        self._replies: dict[str, Reply] = {}
        self._numbers = count()
        self._line: asyncio.Queue[tuple[Reply, Sentence]] = asyncio.Queue()
        for name, handler in (("start", self._start), ("text", self._text), ("end", self._end)):
            self.sockets.on(f"speak:{name}", handler)

    async def work(self) -> None:
        """One worker, for ever."""
        while True:
            reply, sentence = await self._line.get()
            reply.made[sentence.number] = await asyncio.to_thread(self._speak, sentence.spoken)
            await self._send(reply)

    def _speak(self, spoken: str) -> Wav:
        parts = list(self._voice.synthesize(spoken))
        samples, rate_hz = np.concatenate([part.audio_int16_array for part in parts]), parts[0].sample_rate
        return wav_bytes(samples, rate_hz), len(samples) / rate_hz

    async def _start(self, sid: str, _request: object) -> Mapping[str, object]:
        reply = Reply(sid, str(next(self._numbers)))
        self._replies[reply.id] = reply
        return {"ok": True, "sessionId": reply.id, "replyId": reply.id}

    async def _text(self, _sid: str, request: Mapping[str, str]) -> None:
        reply = self._replies[request["replyId"]]
        await self._queue(reply, reply.stream.feed(request["text"]))

    async def _end(self, _sid: str, request: Mapping[str, str]) -> None:
        reply = self._replies[request["replyId"]]
        await self._queue(reply, reply.stream.end())
        reply.over = True
        await self._send(reply)

    async def _queue(self, reply: Reply, sentences: list[Sentence]) -> None:
        for sentence in sentences:
            reply.cut += 1
            self._line.put_nowait((reply, sentence))
            place = {"sentence": sentence.number, "start": sentence.start, "end": sentence.end, "text": sentence.text}
            await self._tell(reply, "chat:sentence", place)

    async def _send(self, reply: Reply) -> None:
        """What can leave, in order; the end after the last."""
        async with reply.sending:
            while reply.sent in reply.made:
                audio, duration_s = reply.made.pop(reply.sent)
                chunk = {"index": reply.sent, "sentence": reply.sent, "last": True, "contentType": "audio/wav"}
                await self._tell(reply, "chat:audio_chunk", {**chunk, "audio": audio, "durationMs": duration_s * 1000})
                reply.sent += 1
            if reply.over and reply.sent == reply.cut and reply.id in self._replies:
                del self._replies[reply.id]
                await self._tell(reply, "chat:audio_done", {"reason": "complete", "skipped": []})
                await self._tell(reply, "chat:done", {"reason": "complete"})

    async def _tell(self, reply: Reply, name: str, payload: Mapping[str, object]) -> None:
        await self.sockets.emit(name, {"sessionId": reply.id, "replyId": reply.id, **payload}, to=reply.sid)


async def main() -> None:
    server = FirstCome(await asyncio.to_thread(piper_voice, 1))
    app = socketio.ASGIApp(server.sockets)
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws_per_message_deflate=False)
    with listen("127.0.0.1", 0) as listening:
        workers = [asyncio.create_task(server.work()) for _ in range(WORKERS)]
        print(f"ready at http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        await uvicorn.Server(config).serve(sockets=[listening])
        for worker in workers:
            worker.cancel()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:  # uvicorn passes the signal on when it has stopped
        sys.exit(0)
