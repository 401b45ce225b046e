"""python-socketio's client, and what it heard."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import socketio
import soundfile
from numpy.typing import NDArray
from tests.support.server import PATIENCE_S

Event = tuple[str, dict[str, Any]]


@dataclass(eq=False)
class Listener:
    """One connection. `events` holds all that came, in order of arrival; an acknowledgement stands there as `ack`."""

    client: socketio.AsyncClient = field(
        default_factory=lambda: socketio.AsyncClient(reconnection=False, handle_sigint=False)
    )
    events: list[Event] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.client.on("*", self._heard)
        self.client.on("disconnect", lambda *_: self.gone.set())

    def _heard(self, name: str, payload: Any) -> None:
        self.events.append((name, payload))
        self._news.set()

    async def call(self, name: str, payload: Any = None, *more: Any) -> dict[str, Any]:
        """Send an event; its acknowledgement."""
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

        def acknowledged(*data: Any) -> None:
            self._heard("ack", {"of": name, "data": data})
            if not answer.done():
                answer.set_result(data[0] if len(data) == 1 else {"arguments": data})

        data = payload if not more else (payload, *more)
        await self.client.emit(name, data, callback=acknowledged)
        async with asyncio.timeout(PATIENCE_S):
            return await answer

    async def ok(self, name: str, payload: Any) -> dict[str, Any]:
        """Send an event that must be taken; its acknowledgement."""
        answer = await self.call(name, payload)
        assert answer["ok"] is True, answer
        return answer

    async def refused(self, name: str, payload: Any = None) -> str:
        """Send an event that must be refused; the code."""
        answer = await self.call(name, payload)
        assert answer["ok"] is False, answer
        assert set(answer) == {"ok", "error"}
        assert set(answer["error"]) == {"code", "message"}
        code: str = answer["error"]["code"]
        return code

    async def say(self, message: str, **fields: Any) -> tuple[str, str]:
        """Send a message; the session's and the reply's id."""
        answer = await self.ok("chat:send", {"message": message, **fields})
        return answer["sessionId"], answer["replyId"]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Returns when `condition` holds; looked at whenever something arrives."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        leaving = asyncio.create_task(self.client.disconnect())
        if (written := self.client.eio.write_loop_task) is not None and self.client.transport() == "polling":
            # The server leaves the last long poll open, and the client would wait 15 s for its answer.
            await asyncio.wait([written])
            await self._hang_up()
        await leaving
        await self._hang_up()

    async def _hang_up(self) -> None:
        if (http := self.client.eio.http) is not None and not http.closed:
            await http.close()

    def of(self, reply_id: str, *names: str) -> list[Event]:
        """The reply's events, those of these names or all of them."""
        return [
            (name, payload)
            for name, payload in self.events
            if name != "ack" and payload.get("replyId") == reply_id and (not names or name in names)
        ]

    def payloads(self, reply_id: str, name: str) -> list[dict[str, Any]]:
        return [payload for _, payload in self.of(reply_id, name)]

    def chunks(self, reply_id: str) -> list[dict[str, Any]]:
        return self.payloads(reply_id, "chat:audio_chunk")

    async def reach(self, reply_id: str, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for `count` events of this name of the reply; all of them."""
        await self.until(lambda: len(self.of(reply_id, name)) >= count)
        return self.payloads(reply_id, name)

    async def end(self, reply_id: str) -> list[Event]:
        """Wait for the reply's `chat:done`; all its events."""
        await self.reach(reply_id, "chat:done")
        return self.of(reply_id)


@asynccontextmanager
async def listening(url: str, **options: Any) -> AsyncIterator[Listener]:
    """A connected listener; `options` are those of `connect`, WebSocket only unless they say otherwise."""
    listener = Listener()
    await listener.client.connect(url, **{"transports": ["websocket"], **options})
    try:
        yield listener
    finally:
        await listener.close()


def decoded(chunk: dict[str, Any]) -> NDArray[np.int16]:
    """The samples of a chunk, read by a decoder that is not ours."""
    samples, rate_hz = soundfile.read(io.BytesIO(chunk["audio"]), dtype="int16")
    assert samples.ndim == 1, "sound is mono"
    if chunk["contentType"] == "audio/wav":
        assert rate_hz == chunk["sampleRate"]
    return np.asarray(samples, np.int16)


def joined(chunks: list[dict[str, Any]]) -> NDArray[np.int16]:
    """The samples of all chunks, end to end."""
    return np.concatenate([decoded(chunk) for chunk in chunks]) if chunks else np.zeros(0, np.int16)


def names(events: list[Event]) -> list[str]:
    return [name for name, _ in events]


def check_order(events: list[Event], *, speaks: bool = True) -> None:
    """A reply's events stand in the order of the page, with exactly one end."""
    seen = names(events)
    ends = ["chat:text_done", "chat:audio_done", "chat:done"] if speaks else ["chat:text_done", "chat:done"]
    assert [name for name in seen if name in ends] == ends
    assert seen[-1] == "chat:done"
    text_ended = seen.index("chat:text_done")
    assert not {"chat:token", "chat:sentence"} & set(seen[text_ended:])
    if speaks:
        assert "chat:audio_chunk" not in seen[seen.index("chat:audio_done") :]
    else:
        assert "chat:audio_chunk" not in seen
    named: set[int] = set()
    for name, payload in events:
        if name == "chat:sentence":
            assert payload["sentence"] == len(named)
            named.add(payload["sentence"])
        elif name == "chat:audio_chunk":
            assert payload["sentence"] in named
