"""The chat service: sessions and their replies. Every method validates, hands over and returns at once; the replies
run in tasks that the service owns."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from unavoce.chat.archive.archive import Archive
from unavoce.chat.capacity import Capacity, Limits
from unavoce.chat.client import Caller, Client
from unavoce.chat.endings import Endings
from unavoce.chat.history import Entry
from unavoce.chat.joining import check_after, hand_over
from unavoce.chat.recital import Recital
from unavoce.chat.replies import Replies, unknown_reply
from unavoce.chat.reply import Reply
from unavoce.chat.sessions import Sessions
from unavoce.chat.speech_input import SpeechInput
from unavoce.chat.traces import Door, TracedReply
from unavoce.errors import HistoryError, ModelError, RequestError
from unavoce.llm.base import LanguageModel, Message
from unavoce.narration.encoder import Format
from unavoce.narration.hand import pieces
from unavoce.narration.load import Workload
from unavoce.narration.planner import Planner, SoundSettings
from unavoce.narration.stage import Stage
from unavoce.storage.ages import MaxAge

__all__ = ["Chat", "Limits", "Manner"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller wants a reply spoken."""

    voice: str | None = None
    speed: float = 1.0
    speak: bool = True
    format: Format | None = None
    interrupt: bool = False


class Chat:
    """An async context manager; leaving it stops every reply, each with its proper end.

    `log_text`: the log is to hold the text of each reply, at its end.
    `archive`: where history is kept on disk. `max_age`: of messages, in memory as well.
    """

    def __init__(
        self,
        stage: Stage,
        model: LanguageModel,
        *,
        sound: SoundSettings | None = None,
        limits: Limits | None = None,
        grace_s: float = 15.0,
        log_text: bool = False,
        archive: Archive | None = None,
        max_age: MaxAge | None = None,
    ) -> None:
        self._stage = stage
        self._model = model
        self._sound = sound or SoundSettings()
        self._planner = Planner(stage, self._sound)
        self._grace_s = grace_s
        self._endings = Endings(log_text=log_text)
        limits = limits or Limits()
        self._replies = Replies(limits.replies, self._endings)
        self.workload = Workload(stage, lambda: self._replies.demands, limit=limits.max_load, cores=limits.cores)
        """How full each engine is."""
        self._capacity = Capacity(limits, lambda: self._replies.all, self.workload)
        self._sessions = Sessions(archive, max_age, lambda session: bool(self._replies.of(session)))
        self._inputs: dict[str, SpeechInput] = {}

    async def __aenter__(self) -> Self:
        await self._replies.__aenter__()
        self._sessions.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._replies.__aexit__(kind, error, trace)
        finally:
            await self._sessions.close()

    @property
    def replies(self) -> tuple[Reply, ...]:
        """Running, or over and not yet forgotten."""
        return self._replies.conversing

    @property
    def archive(self) -> Archive | None:
        """Where history is kept on disk; None where it is kept in memory only."""
        return self._sessions.archive

    @property
    def running(self) -> int:
        """Replies that are not over."""
        return self._replies.running

    @property
    def running_at(self) -> Counter[Door]:
        """The same, by door."""
        return self._replies.running_at

    @property
    def stopping(self) -> bool:
        """No reply begins any more."""
        return self._capacity.stopping

    def stop_taking(self) -> None:
        """Refuse whatever would begin a reply, from now on; those that run go on while they are heard."""
        self._capacity.stopping = True
        self._replies.stop_unheard()

    def watch(self, watcher: Callable[[TracedReply], None]) -> None:
        """`watcher` is called with each reply that is over, at once. One that fails is logged, and harms nobody."""
        self._endings.watch(watcher)

    def abort_all(self) -> None:
        """Stop every reply; each still tells its end."""
        self._replies.abort_all()

    async def ended(self) -> None:
        """Returns when no reply runs."""
        await self._replies.ended()

    # -- what clients ask for (docs/protocol.md)

    async def recall(self, client: Client, session_id: str) -> None:
        """Find a session on disk, where history is kept there and memory has let it go; before anything else is asked
        of it. Where the disk does not tell, it is not known."""
        with suppress(HistoryError):
            await self._sessions.recall(client, session_id)

    def send(self, client: Client, message: str, session_id: str | None, manner: Manner) -> Reply:
        """A message comes in: begin the reply. Raises RequestError."""
        message = self._capacity.checked(message)
        reply = self._begin(client, session_id, manner)
        session = reply.session
        self._sessions.add(session, Entry("user", message))
        conversation = session.conversation()
        self._sessions.add(session, reply.entry)
        self._replies.run(reply, self._answer(conversation))
        return reply

    def speak_start(self, client: Client, session_id: str | None, manner: Manner) -> Reply:
        """Begin a reply whose text the client streams itself. Raises RequestError."""
        reply = self._begin(client, session_id, manner, dictated=True)
        self._sessions.add(reply.session, reply.entry)
        self._inputs[reply.id] = SpeechInput(self._sound.max_chars)
        self._replies.run(reply, aiter(self._inputs[reply.id])).add_done_callback(
            lambda _: self._inputs.pop(reply.id, None)
        )
        return reply

    def speak_text(self, client: Client, reply_id: str, text: str) -> None:
        self._input(client, reply_id).push(text)

    def speak_end(self, client: Client, reply_id: str) -> None:
        self._input(client, reply_id).end()

    @asynccontextmanager
    async def recite(
        self,
        caller: Caller,
        door: Door,
        tokens: AsyncIterable[str] | str,
        *,
        voice: str | None = None,
        speed: float = 1.0,
        rate_hz: int | None = None,
    ) -> AsyncIterator[Recital]:
        """A reply without a conversation: iterate over the recital for its sound, as WAV and as samples.

        It may be sent as far ahead of playback as the caller takes it; leaving the block stops it. `rate_hz`: another
        rate than the operator's. Raises RequestError before anything is spoken.
        """
        self._capacity.check_taking()
        plan = self._planner.plan(voice, speed, format="wav", rate_hz=rate_hz, sent_ahead_s=None)
        text = pieces(self._capacity.checked(tokens) if isinstance(tokens, str) else tokens)
        self._capacity.check_room(None, caller)
        plan = self._capacity.placed(plan)
        async with self._replies.reciting(Recital(caller, door, self._stage, plan), text) as recital:
            yield recital

    def abort(self, client: Client, session_id: str, reply_id: str | None) -> int:
        """Stop one reply of a session, or all of them; the number that was stopped."""
        session = self._sessions.get(client, session_id)
        wanted = self._replies.of(session)
        if reply_id is not None:
            if reply_id not in wanted:
                raise unknown_reply(reply_id)
            wanted = {reply_id: wanted[reply_id]}
        playing = [reply for reply in wanted.values() if reply.playing]
        for reply in playing:
            reply.abort()
        return len(playing)

    def join(self, client: Client, session_id: str, after: Mapping[str, int]) -> list[dict[str, Any]]:
        """Attach `client` to a session; it takes over the sound of the replies named in `after`."""
        session = self._sessions.get(client, session_id)
        replies = self._replies.of(session)
        check_after(replies, after)
        attached = client.id in session.clients
        self._sessions.attach(client, session)
        return hand_over(session, client, replies.values(), after, attached=attached)

    def played(self, client: Client, reply_id: str, index: int, position_s: float) -> None:
        reply = self._replies.get(reply_id)
        if reply is None or reply.session.id not in client.sessions:
            raise unknown_reply(reply_id)
        try:
            reply.played(index, position_s)
        except IndexError as error:
            raise RequestError("invalid", f"index: {error}") from error

    def history(self, client: Client, session_id: str) -> list[dict[str, Any]]:
        return [entry.on_wire() for entry in self._sessions.get(client, session_id).entries]

    async def forget(self, client: Client, session_id: str) -> int:
        """Forget a session, on disk as well; what still runs of it is stopped. How many messages it had.

        Raises RequestError; `history_unavailable` where the disk does not let it go.
        """
        await self._sessions.recall_to_forget(client, session_id)
        session = self._sessions.get(client, session_id)
        await self._replies.end_of(session)
        # Nothing is awaited from here on until it is gone from memory; another may have forgotten it meanwhile.
        return await self._sessions.forget(self._sessions.get(client, session_id))

    def trace(self, key: str, reply_id: str) -> dict[str, Any]:
        """What became of a reply when, for the holder of `key` (its digest). Raises RequestError."""
        return self._replies.trace(key, reply_id)

    def gone(self, client: Client) -> None:
        """A client lost its connection, or left."""
        client.outbox.close()
        self._sessions.detach(client)
        self._replies.lost(client)
        if self.stopping:
            self._replies.stop_unheard()

    # -- how a reply begins

    def _begin(self, client: Client, session_id: str | None, manner: Manner, *, dictated: bool = False) -> Reply:
        self._capacity.check_taking()
        plan = self._planner.plan(manner.voice, manner.speed, format=manner.format, speak=manner.speak)
        session = self._sessions.get(client, session_id) if session_id is not None else None
        if session is not None and manner.interrupt:
            for reply in self._replies.of(session).values():
                reply.abort()
        self._capacity.check_room(session, client.caller)
        plan = self._capacity.placed(plan)
        session = session or self._sessions.begin(client)
        self._sessions.attach(client, session)
        forget, grace_s = self._replies.forget, self._grace_s
        reply = Reply(session, client, stage=self._stage, plan=plan, grace_s=grace_s, forget=forget, dictated=dictated)
        self._replies.keep(reply)
        return reply

    async def _answer(self, conversation: list[Message]) -> AsyncGenerator[str, None]:
        """The model's answer; one without a word is a fault that the person should know of."""
        empty = True
        async with aclosing(self._model.stream(conversation)) as pieces:
            async for piece in pieces:
                empty = empty and not piece.strip()
                yield piece
        if empty:
            raise ModelError("model_empty", "the language model answered with nothing")

    def _input(self, client: Client, reply_id: str) -> SpeechInput:
        speech, reply = self._inputs.get(reply_id), self._replies.get(reply_id)
        if speech is None or reply is None or not reply.begun_by(client):
            raise unknown_reply(reply_id)
        return speech
