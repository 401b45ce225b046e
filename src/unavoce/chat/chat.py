"""The chat service: sessions and their replies. Every method validates, hands over and returns at once; the replies
run in tasks that the service owns."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from unavoce.chat.archive.archive import Archive
from unavoce.chat.client import Caller, Client
from unavoce.chat.endings import Endings
from unavoce.chat.history import Entry
from unavoce.chat.recital import Recital
from unavoce.chat.reply import Reply
from unavoce.chat.session import Session
from unavoce.chat.sessions import Sessions
from unavoce.chat.speech_input import SpeechInput
from unavoce.chat.traces import Door, TracedReply, Traces
from unavoce.errors import HistoryError, ModelError, RequestError
from unavoce.llm.base import LanguageModel, Message
from unavoce.narration.encoder import Format
from unavoce.narration.hand import pieces
from unavoce.narration.planner import Planner, SoundSettings
from unavoce.narration.stage import Stage
from unavoce.storage.ages import MaxAge

LINGERING = 4
"""Replies kept, running and over together, as a multiple of those that may run; the longest over is let go first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the service; texts in code points."""

    message_chars: int = 8_000
    replies: int = 64
    """Running at a time, in all."""
    replies_per_session: int = 8
    replies_per_caller: int = 32


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
        self._limits = limits or Limits()
        self._grace_s = grace_s
        self._tasks = asyncio.TaskGroup()
        self._sessions = Sessions(archive, max_age, lambda session: bool(self._of(session)))
        self._replies: dict[str, Reply] = {}
        self._recitals: dict[str, Recital] = {}
        self._inputs: dict[str, SpeechInput] = {}
        self._endings = Endings(log_text=log_text)
        self._traces = Traces()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._sessions.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort_all()
        # Not given the caller's error: a task group would wrap it.
        try:
            await self._tasks.__aexit__(None, None, None)
        finally:
            for reply in self._replies.values():
                reply.close()
            await self._sessions.close()

    @property
    def replies(self) -> tuple[Reply, ...]:
        """Running, or over and not yet forgotten."""
        return tuple(self._replies.values())

    @property
    def archive(self) -> Archive | None:
        """Where history is kept on disk; None where it is kept in memory only."""
        return self._sessions.archive

    @property
    def running(self) -> int:
        """Replies that are not over."""
        return sum(not reply.over for reply in self._all)

    @property
    def running_at(self) -> Counter[Door]:
        """The same, by door."""
        return Counter(reply.traced.door for reply in self._all if not reply.over)

    @property
    def stopping(self) -> bool:
        """No reply begins any more."""
        return self._stopping

    def stop_taking(self) -> None:
        """Refuse whatever would begin a reply, from now on; those that run go on while they are heard."""
        self._stopping = True
        self._stop_unheard()

    def _stop_unheard(self) -> None:
        """No client can come back any more."""
        for reply in self._replies.values():
            if reply.owner is None and not reply.over:
                reply.abort()

    @property
    def _all(self) -> tuple[Reply | Recital, ...]:
        return *self._replies.values(), *self._recitals.values()

    def watch(self, watcher: Callable[[TracedReply], None]) -> None:
        """`watcher` is called with each reply that is over, at once. One that fails is logged, and harms nobody."""
        self._endings.watch(watcher)

    def abort_all(self) -> None:
        """Stop every reply; each still tells its end."""
        for reply in self._all:
            reply.abort()

    async def ended(self) -> None:
        """Returns when no reply runs."""
        while tasks := [task for task in self._running if not task.done()]:
            await asyncio.wait(tasks)

    # -- what clients ask for (docs/protocol.md)

    async def recall(self, client: Client, session_id: str) -> None:
        """Find a session on disk, where history is kept there and memory has let it go; before anything else is asked
        of it. Where the disk does not tell, it is not known."""
        with suppress(HistoryError):
            await self._sessions.recall(client, session_id)

    def send(self, client: Client, message: str, session_id: str | None, manner: Manner) -> Reply:
        """A message comes in: begin the reply. Raises RequestError."""
        message = _checked(message, self._limits.message_chars)
        reply = self._begin(client, session_id, manner)
        session = reply.session
        self._sessions.add(session, Entry("user", message))
        conversation = session.conversation()
        self._sessions.add(session, reply.entry)
        self._run(reply, self._answer(conversation))
        return reply

    def speak_start(self, client: Client, session_id: str | None, manner: Manner) -> Reply:
        """Begin a reply whose text the client streams itself. Raises RequestError."""
        reply = self._begin(client, session_id, manner, dictated=True)
        self._sessions.add(reply.session, reply.entry)
        self._inputs[reply.id] = SpeechInput(self._sound.max_chars)
        self._run(reply, aiter(self._inputs[reply.id])).add_done_callback(lambda _: self._inputs.pop(reply.id, None))
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
        self._check_taking()
        plan = self._planner.plan(voice, speed, format="wav", rate_hz=rate_hz, sent_ahead_s=None)
        text = pieces(_checked(tokens, self._limits.message_chars) if isinstance(tokens, str) else tokens)
        self._check_capacity(None, caller)
        recital = Recital(caller, door, self._stage, plan)
        self._recitals[recital.id] = recital
        task = self._run(recital, text)
        try:
            yield recital
        finally:
            recital.abort()
            await asyncio.wait([task])
            del self._recitals[recital.id]
            self._traces.keep(recital.traced)

    def abort(self, client: Client, session_id: str, reply_id: str | None) -> int:
        """Stop one reply of a session, or all of them; the number that was stopped."""
        session = self._sessions.get(client, session_id)
        wanted = self._of(session)
        if reply_id is not None:
            if reply_id not in wanted:
                raise _unknown_reply(reply_id)
            wanted = {reply_id: wanted[reply_id]}
        playing = [reply for reply in wanted.values() if reply.playing]
        for reply in playing:
            reply.abort()
        return len(playing)

    def join(self, client: Client, session_id: str, after: Mapping[str, int]) -> list[dict[str, Any]]:
        """Attach `client` to a session; it takes over the sound of the replies named in `after`."""
        session = self._sessions.get(client, session_id)
        replies = self._of(session)
        for reply_id, index in after.items():
            if reply_id not in replies:
                raise _unknown_reply(reply_id)
            if index >= replies[reply_id].next_index:
                raise RequestError("invalid", f"after: chunk {index} of reply {reply_id!r} was not sent yet")
        attached = client.id in session.clients
        self._sessions.attach(client, session)
        _tell_displaced(session, client, [reply for reply in replies.values() if reply.id in after])
        joined = []
        for reply in replies.values():
            next_index = reply.next_index
            if reply.id in after:
                next_index = reply.take_over(client, after[reply.id], knows_text=attached)
            elif not attached and not reply.over:
                reply.catch_up(client)
            joined.append({"replyId": reply.id, "nextIndex": next_index})
        return joined

    def played(self, client: Client, reply_id: str, index: int, position_s: float) -> None:
        reply = self._replies.get(reply_id)
        if reply is None or reply.session.id not in client.sessions:
            raise _unknown_reply(reply_id)
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
        while running := [reply for reply in self._of(session).values() if not reply.over]:
            for reply in running:
                reply.abort()
            await running[0].ended.wait()
            session = self._sessions.get(client, session_id)  # another may have forgotten it meanwhile
        for reply in self._of(session).values():
            reply.let_go()
        return await self._sessions.forget(session)

    def trace(self, key: str, reply_id: str) -> dict[str, Any]:
        """What became of a reply when, for the holder of `key` (its digest). Raises RequestError."""
        reply = self._replies.get(reply_id) or self._recitals.get(reply_id)
        traced = reply.traced if reply else self._traces.get(reply_id)
        if traced is None or traced.key != key:
            raise _unknown_reply(reply_id)
        return traced.on_wire()

    def gone(self, client: Client) -> None:
        """A client lost its connection, or left."""
        client.outbox.close()
        self._sessions.detach(client)
        for reply in self._replies.values():
            reply.lost(client)
        if self._stopping:
            self._stop_unheard()

    # -- how a reply begins and runs

    def _begin(self, client: Client, session_id: str | None, manner: Manner, *, dictated: bool = False) -> Reply:
        self._check_taking()
        plan = self._planner.plan(manner.voice, manner.speed, format=manner.format, speak=manner.speak)
        session = self._sessions.get(client, session_id) if session_id is not None else None
        if session is not None and manner.interrupt:
            for reply in self._of(session).values():
                reply.abort()
        self._check_capacity(session, client.caller)
        session = session or self._sessions.begin(client)
        self._sessions.attach(client, session)
        reply = Reply(
            session, client, stage=self._stage, plan=plan, grace_s=self._grace_s, forget=self._forget, dictated=dictated
        )
        self._replies[reply.id] = reply
        if len(self._replies) > LINGERING * self._limits.replies:
            next(one for one in self._replies.values() if one.over).let_go()
        return reply

    def _check_taking(self) -> None:
        if self._stopping:
            raise RequestError("stopping", "the server is stopping; try again when it is back")

    def _check_capacity(self, session: Session | None, caller: Caller) -> None:
        if self.running >= self._limits.replies:
            raise RequestError("busy", f"{self._limits.replies} replies are running; try again in a moment")
        of_session = sum(not reply.over for reply in self._of(session).values()) if session else 0
        if of_session >= self._limits.replies_per_session:
            limit = self._limits.replies_per_session
            raise RequestError("busy", f"{limit} replies of this session are running; stop one, or wait")
        limit = self._limits.replies_per_caller
        if sum(not reply.over and reply.caller.identity == caller.identity for reply in self._all) >= limit:
            raise RequestError("too_many", f"{limit} replies of this caller are running; stop one, or wait")

    async def _answer(self, conversation: list[Message]) -> AsyncGenerator[str, None]:
        """The model's answer; one without a word is a fault that the person should know of."""
        empty = True
        async with aclosing(self._model.stream(conversation)) as pieces:
            async for piece in pieces:
                empty = empty and not piece.strip()
                yield piece
        if empty:
            raise ModelError("model_empty", "the language model answered with nothing")

    def _run(self, reply: Reply | Recital, tokens: AsyncGenerator[str, None]) -> asyncio.Task[None]:
        task = self._tasks.create_task(self._narrate(reply, tokens))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _narrate(self, reply: Reply | Recital, tokens: AsyncGenerator[str, None]) -> None:
        try:
            await reply.run(tokens)
        finally:
            self._endings.tell(reply.traced, reply.narrator.text)

    # -- what belongs together

    def _of(self, session: Session) -> dict[str, Reply]:
        """The session's replies, running or not yet forgotten."""
        return {reply_id: reply for reply_id, reply in self._replies.items() if reply.session is session}

    def _input(self, client: Client, reply_id: str) -> SpeechInput:
        speech, reply = self._inputs.get(reply_id), self._replies.get(reply_id)
        if speech is None or reply is None or not reply.begun_by(client):
            raise _unknown_reply(reply_id)
        return speech

    def _forget(self, reply: Reply) -> None:
        if self._replies.pop(reply.id, None) is not None:
            self._traces.keep(reply.traced)


def _tell_displaced(session: Session, client: Client, taken: list[Reply]) -> None:
    """Tell those who heard these replies that `client` hears them now: two would speak at once otherwise."""
    for other in session.clients.values():
        replies = [reply.id for reply in taken if reply.owner is other]
        if replies and other is not client:
            other.outbox.post("chat:sound_taken", {"sessionId": session.id, "replies": replies})


def _checked(message: str, max_chars: int) -> str:
    message = message.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not message.strip():
        raise RequestError("empty", "message: there is nothing in it")
    if len(message) > max_chars:
        raise RequestError("too_long", f"message: {len(message)} characters, at most {max_chars} are taken")
    return message


def _unknown_reply(reply_id: str) -> RequestError:
    return RequestError("unknown_reply", f"reply {reply_id!r} is not known here")
