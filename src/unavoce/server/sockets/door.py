"""The Socket.IO door: events in, acknowledgements out. Handlers validate, hand over and return; they wait only
for a session that has to be found on disk, or forgotten there, and that for a limited time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import socketio

from unavoce.chain.member import EngineStatus
from unavoce.chat.chat import Chat
from unavoce.chat.client import Caller, Client
from unavoce.chat.outbox import Outbox, Payload
from unavoce.chat.wire import status_on_wire
from unavoce.errors import RequestError
from unavoce.server.auth import Keys
from unavoce.server.limits.addresses import address_of
from unavoce.server.limits.transports import Quotas, Transports
from unavoce.server.sockets import payloads
from unavoce.server.sockets.packets import PatientServer
from unavoce.server.sockets.payloads import parse

log = logging.getLogger(__name__)

MAX_PACKET_BYTES = 1_000_000
"""A client that sends a larger packet is cut off by the transport."""
PING_INTERVAL_S, PING_TIMEOUT_S = 10, 10
"""A dead connection is noticed within the sum; what was sent meanwhile is in the reply's log."""

P = TypeVar("P", bound=payloads.Payload)
Ack = dict[str, Any]


class Sockets:
    """Binds a Socket.IO server to the chat service. `tasks` owns one writing task per client.

    `note` is told of each refusal: the door, `socketio`, and the code.
    """

    def __init__(
        self,
        chat: Chat,
        keys: Keys,
        tasks: asyncio.TaskGroup,
        statuses: Callable[[], tuple[EngineStatus, ...]],
        *,
        note: Callable[[str, str], None] = lambda _door, _code: None,
        quotas: Quotas | None = None,
    ) -> None:
        self._chat = chat
        self._keys = keys
        self._tasks = tasks
        self._statuses = statuses
        self._note = note
        self._clients: dict[str, Client] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}
        self.server = PatientServer(
            async_mode="asgi",
            # In the order of arrival, one at a time per client; handlers return at once.
            async_handlers=False,
            cors_allowed_origins=[],  # the gate asks where a request comes from (limits/origins.py)
            max_http_buffer_size=MAX_PACKET_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
        )
        # The library's own waits until the client has fetched its farewell, which one that misbehaves never does.
        self.server.eio.disconnect = self._drop
        self.transports = Transports(self.server.eio, tasks, quotas or Quotas())
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self._on("chat:send", payloads.Send, self._send)
        self._on("chat:abort", payloads.Abort, self._abort)
        self._on("chat:join", payloads.Join, self._join)
        self._on("chat:played", payloads.Played, self._played)
        self._on("chat:history", payloads.History, self._history)
        self._on("chat:forget", payloads.Forget, self._forget)
        self._on("speak:start", payloads.SpeakStart, self._speak_start)
        self._on("speak:text", payloads.SpeakText, self._speak_text)
        self._on("speak:end", payloads.SpeakEnd, self._speak_end)
        self.server.on("*", self._unknown)

    def announce(self, status: EngineStatus) -> None:
        """Tell every client how an engine is."""
        for client in self._clients.values():
            client.outbox.post(*status_on_wire(status))

    # -- connections

    @property
    def connections(self) -> int:
        """Clients that are connected and have not been cut off."""
        return len(self._clients)

    async def drain(self, limit_s: float) -> None:
        """Wait until every reply has ended and every client has taken its events, at most `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self._chat.ended()
                for client in tuple(self._clients.values()):
                    await client.outbox.flushed()
        except TimeoutError:
            log.warning("clients_not_drained", extra={"after_s": limit_s})

    async def close(self) -> None:
        """Close every outbox and end its writing task, whatever that waits for."""
        for client in self._clients.values():
            client.outbox.close()
        for writing in self._writing.values():
            writing.cancel()
        self.transports.close()
        await self.server.shutdown()

    async def _connect(self, sid: str, environ: Any = None, auth: Any = None, *_: Any) -> Ack | None:
        if environ is not self.server.environ.get(self._transport_id(sid)):
            return await self._unknown("connect")  # an event that a client gave this name comes here too
        try:
            if self._chat.stopping:
                raise RequestError("stopping", "the server is stopping; try again when it is back")
            key = self._keys.admit(auth.get("apiKey") if isinstance(auth, dict) else None)
        except RequestError as error:
            self._note("socketio", error.code)
            self.transports.refused(self._transport_id(sid))
            raise socketio.exceptions.ConnectionRefusedError(error.message, {"code": error.code}) from error
        client = self._clients[sid] = Client(sid, Outbox(self._writer(sid)), Caller(key, _address(environ)))
        for status in self._statuses():
            client.outbox.post(*status_on_wire(status))
        self._writing[sid] = self._tasks.create_task(self._write(client))
        self.transports.joined(self._transport_id(sid))
        return None

    async def _disconnect(self, sid: str, *_: Any) -> Ack | None:
        if self.server.manager.is_connected(sid, "/"):
            return await self._unknown("disconnect")  # as above
        if (client := self._clients.pop(sid, None)) is not None:
            self._chat.gone(client)
            # It may be waiting for a transport that nobody empties any more.
            self._writing.pop(sid).cancel()
            self.transports.left(self._transport_id(sid))
        return None

    async def _write(self, client: Client) -> None:
        await client.outbox.run()
        if client.id in self._clients:
            # It was closed from our side: too slow, or stuck.
            self._clients.pop(client.id)
            self._writing.pop(client.id)
            self._chat.gone(client)
            await self.transports.cut(self._transport_id(client.id))

    def _writer(self, sid: str) -> Callable[[str, Payload], Any]:
        async def write(name: str, payload: Payload) -> None:
            # Not `emit`, which starts a task: an acknowledgement could slip in between that said it would not come.
            event = socketio.packet.Packet(socketio.packet.EVENT, data=[name, payload], namespace="/")
            encoded = event.encode()
            for frame in encoded if isinstance(encoded, list) else [encoded]:
                await self.server.eio.send(self._transport_id(sid), frame)
            if (connection := self._connection(sid)) is not None:
                # The queue is empty when the transport has taken all of it: that is the back-pressure.
                await connection.queue.join()

        return write

    def _connection(self, sid: str) -> Any:
        return self.server.eio.sockets.get(self._transport_id(sid))

    def _transport_id(self, sid: str) -> Any:
        return self.server.manager.eio_sid_from_sid(sid, "/")

    async def _drop(self, transport_id: str) -> None:
        if (connection := self.server.eio.sockets.pop(transport_id, None)) is not None:
            await connection.close(wait=False)

    # -- events

    def _on(self, name: str, kind: type[P], handle: Callable[[Client, P], Ack | Awaitable[Ack]]) -> None:
        async def handler(sid: str, data: Any = None, *_: Any) -> Ack:
            try:
                request = parse(kind, data)
                if (session_id := getattr(request, "session_id", None)) is not None:
                    # It may have to be found on disk: only this client waits for it.
                    await self._chat.recall(self._client(sid), session_id)
                answer = handle(self._client(sid), request)
                return {"ok": True, **(answer if isinstance(answer, dict) else await answer)}
            except RequestError as error:
                return self._refusal(error.code, error.message)
            except Exception:
                log.exception("handler_crashed", extra={"of": name})
                return self._refusal("internal", "the server made a mistake; its log says which")

        self.server.on(name, handler)

    def _client(self, sid: str) -> Client:
        if sid not in self._clients:
            raise RequestError("too_slow", "this connection is being closed: it did not take its events")
        return self._clients[sid]

    def _send(self, client: Client, request: payloads.Send) -> Ack:
        manner = request.manner(speak=request.speak)
        reply = self._chat.send(client, request.message, request.session_id, manner)
        return {"sessionId": reply.session.id, "replyId": reply.id}

    def _abort(self, client: Client, request: payloads.Abort) -> Ack:
        return {"aborted": self._chat.abort(client, request.session_id, request.reply_id)}

    def _join(self, client: Client, request: payloads.Join) -> Ack:
        return {"replies": self._chat.join(client, request.session_id, request.after)}

    def _played(self, client: Client, request: payloads.Played) -> Ack:
        self._chat.played(client, request.reply_id, request.index, request.position_ms / 1000)
        return {}

    def _history(self, client: Client, request: payloads.History) -> Ack:
        return {"messages": self._chat.history(client, request.session_id)}

    async def _forget(self, client: Client, request: payloads.Forget) -> Ack:
        return {"messages": await self._chat.forget(client, request.session_id)}

    def _speak_start(self, client: Client, request: payloads.SpeakStart) -> Ack:
        reply = self._chat.speak_start(client, request.session_id, request.manner())
        return {"sessionId": reply.session.id, "replyId": reply.id}

    def _speak_text(self, client: Client, request: payloads.SpeakText) -> Ack:
        self._chat.speak_text(client, request.reply_id, request.text)
        return {}

    def _speak_end(self, client: Client, request: payloads.SpeakEnd) -> Ack:
        self._chat.speak_end(client, request.reply_id)
        return {}

    async def _unknown(self, event: Any, *_: Any) -> Ack:
        return self._refusal("unknown_event", f"event {str(event)[:60]!r} is not one of this server's")

    def _refusal(self, code: str, message: str) -> Ack:
        self._note("socketio", code)
        return {"ok": False, "error": {"code": code, "message": message}}


def _address(environ: Any) -> str:
    """Of the other end. Not what the library calls it, which is the same for everybody."""
    return address_of(environ["asgi.scope"])
