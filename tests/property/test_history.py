"""History on disk against a model: what is said, stopped, forgotten and cleared in any order, with restarts, kills and
sessions that memory lets go, leaves on disk exactly what history tells."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.server import RATE_HZ, quick_engine

from unavoce.chain.chain import Chain
from unavoce.chat import sessions
from unavoce.chat.archive.archive import Archive
from unavoce.chat.archive.housekeeping import Housekeeping
from unavoce.chat.archive.ledger import Ledger
from unavoce.chat.archive.records import Record, Which
from unavoce.chat.archive.store import HistoryStore
from unavoce.chat.chat import Chat, Manner
from unavoce.chat.client import Client
from unavoce.chat.outbox import Outbox, Payload
from unavoce.errors import RequestError
from unavoce.llm.base import LanguageModel, Message
from unavoce.narration.planner import SoundSettings
from unavoce.narration.stage import Stage

T = TypeVar("T")
Told = list[dict[str, Any]]
MOST_IN_MEMORY = 2
PLACES = st.integers(0, 5)
"""Sessions that are meant: the newest is 0; where there are fewer, a new one is begun."""


class Parrot(LanguageModel):
    """Answers in words of its own; where it is held, it stops after the second one until it is aborted."""

    name = "parrot"

    def __init__(self) -> None:
        self.held = False
        self.paused = asyncio.Event()

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        for number, word in enumerate(f"You said this: {messages[-1].text}. Quite so.".split(" ")):
            if self.held and number == 2:
                self.paused.set()
                await asyncio.Event().wait()
            await asyncio.sleep(0)
            yield word + " "


class Server:
    """The chat service of one process, on a data directory."""

    def __init__(self, folder: Path) -> None:
        self.model = Parrot()
        self.archive = Archive(HistoryStore(folder))
        self.stop = asyncio.Event()
        self.ready: asyncio.Future[Chat] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        stage = Stage(Chain([quick_engine()]), rehearse=False)
        chat = Chat(stage, self.model, sound=SoundSettings(rate_hz=RATE_HZ), grace_s=0, archive=self.archive)
        async with stage, chat:
            self.ready.set_result(chat)
            await self.stop.wait()

    async def end(self) -> None:
        self.stop.set()
        await self.task


class HistoryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.sessions: list[str] = []
        """All that were ever begun, the newest first."""
        self.expected: dict[str, Told] = {}
        self.clients = 0
        self.folders = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    # -- servers

    @initialize()
    def begin(self) -> None:
        self.folder = self.root / "0"
        self.folder.mkdir()
        self.run(self._start())

    async def _start(self) -> None:
        self.server = Server(self.folder)
        self.chat = await self.server.ready

    @rule()
    def restart(self) -> None:
        self.run(self.server.end())
        self.run(self._start())

    @rule(place=PLACES, written=st.booleans())
    def kill(self, place: int, written: bool) -> None:
        """While an answer is being given. The next server finds the files as they are at this moment: all of history,
        or what it was some time before."""
        session, told = self.run(self._killed(place, written))
        left = self.run(self._told(session))
        if written:
            assert [without_heard(one) for one in left] == [without_heard(one) for one in told]
        else:
            assert [one["at"] for one in left] == [one["at"] for one in told[: len(left)]]
            assert all(one["text"].startswith(other["text"]) for one, other in zip(told, left, strict=False))
        self._expect(session, left)

    async def _killed(self, place: int, written: bool) -> tuple[str, Told]:
        client, task = await self._client()
        session = await self._place(client, place)
        self.server.model.held = True
        self.server.model.paused.clear()
        reply = self.chat.send(client, "And then?", session, Manner())
        await self.server.model.paused.wait()
        if written:
            await self.server.archive.flush()
        while self.server.archive._asked_at_s:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        told = self.chat.history(client, reply.session.id)
        self.folders += 1
        copy = self.root / str(self.folders)
        await asyncio.to_thread(shutil.copytree, self.folder, copy, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
        self.folder = copy
        if session is None:
            self.sessions.insert(0, reply.session.id)
        await self._gone(client, task)
        await self.server.end()
        await self._start()
        return reply.session.id, told

    # -- what clients do

    async def _client(self) -> tuple[Client, asyncio.Task[None]]:
        async def write(_: str, __: Payload) -> None:
            await asyncio.sleep(0)

        self.clients += 1
        client = Client(str(self.clients), Outbox(write))
        return client, asyncio.create_task(client.outbox.run())

    async def _gone(self, client: Client, task: asyncio.Task[None]) -> None:
        self.chat.gone(client)
        await task

    async def _place(self, client: Client, place: int) -> str | None:
        """A session to speak in, recalled; None for a new one, also where nothing is left of what is meant."""
        session = self.sessions[place] if place < len(self.sessions) else None
        if session not in self.expected:
            return None
        await self.chat.recall(client, session)
        return session

    @rule(place=PLACES, words=st.sampled_from(["Good evening", "Grüße 🎩", "x" * 3000, "half \ud800"]))
    def say(self, place: int, words: str) -> None:
        self.run(self._say(place, words, stopped=False, speak=False))

    @rule(place=PLACES, speak=st.booleans())
    def say_and_stop(self, place: int, speak: bool) -> None:
        self.run(self._say(place, "Tell me. All of it", stopped=True, speak=speak))

    async def _say(self, place: int, words: str, *, stopped: bool, speak: bool) -> None:
        client, task = await self._client()
        session = await self._place(client, place)
        self.server.model.held = stopped
        self.server.model.paused.clear()
        reply = self.chat.send(client, words, session, Manner(speak=speak))
        if stopped:
            await self.server.model.paused.wait()
            assert self.chat.abort(client, reply.session.id, reply.id) == 1
        await reply.ended.wait()
        told = self.chat.history(client, reply.session.id)
        user, answer = told[-2:]
        assert user["text"] == words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        whole = f"You said this: {user['text']}. Quite so. "
        assert whole.startswith(answer["text"])
        assert stopped or answer["text"] == whole
        assert told[:-2] == self.expected.get(reply.session.id, [])
        if session is None:
            self.sessions.insert(0, reply.session.id)
        self._expect(reply.session.id, told)
        await self._gone(client, task)

    @precondition(lambda self: self.sessions)
    @rule(place=PLACES)
    def forget(self, place: int) -> None:
        session = self.sessions[place % len(self.sessions)]
        told = self.expected.pop(session, [])
        if told:
            assert self.run(self._forget(session)) == len(told)

    async def _forget(self, session: str) -> int:
        client, task = await self._client()
        await self.chat.recall(client, session)
        count = await self.chat.forget(client, session)
        await self._gone(client, task)
        return count

    # -- what the operator does

    @precondition(lambda self: self.sessions)
    @rule(place=PLACES, kind=st.sampled_from(["session", "age", "both", "all"]), message=st.integers(0, 5))
    def clear(self, place: int, kind: str, message: int) -> None:
        """As the command does it, while the server runs."""
        session = self.sessions[place % len(self.sessions)]
        self.run(self.server.archive.flush())
        kept = self._kept()
        times = [one.at for one in kept.get(session, [])] or [0.0]
        before = times[message % len(times)]
        which = {
            "session": Which(session),
            "age": Which(before=before),
            "both": Which(session, before),
            "all": Which(),
        }[kind]
        gone = Housekeeping(self.folder).clear(which)
        assert gone == sum(which.fits(one, told.number, told.at) for one, all_told in kept.items() for told in all_told)
        for one, told in list(self.expected.items()):
            fits = [which.fits(one, record.number, record.at) for record in kept[one]]
            self._expect(one, [message for message, goes in zip(told, fits, strict=True) if not goes])
        self.run(self.server.archive.flush())  # it learns of it by itself within seconds

    def _kept(self) -> dict[str, list[Record]]:
        """What the file holds."""
        with closing(Ledger(self.folder / "history.sqlite")) as ledger:
            kept = {session: ledger.read(session) for session in self.sessions}
            assert ledger.messages == sum(map(len, kept.values()))
        return kept

    def _expect(self, session: str, told: Told) -> None:
        if told:
            self.expected[session] = told
        else:
            self.expected.pop(session, None)

    # -- what always holds

    @invariant()
    def disk_holds_what_history_tells(self) -> None:
        """Every session tells what is expected of it, from memory or from disk, and that is what the file holds."""
        self.run(self.server.archive.flush())
        kept = self._kept()
        for session in self.sessions:
            told = self.run(self._told(session))
            assert told == self.expected.get(session, [])
            assert [(one.role, one.text, one.heard, one.reply_id, round(one.at * 1000)) for one in kept[session]] == [
                (one["role"], one["text"], one.get("heardText"), one.get("replyId"), one["at"]) for one in told
            ]
        assert len(self.chat._sessions._sessions) <= MOST_IN_MEMORY
        assert not (self.folder / "history-damaged.sqlite").exists()

    async def _told(self, session: str) -> Told:
        client, task = await self._client()
        await self.chat.recall(client, session)
        try:
            return self.chat.history(client, session)
        except RequestError:
            return []
        finally:
            await self._gone(client, task)

    def teardown(self) -> None:
        self.run(self.server.end())
        self.runner.close()
        shutil.rmtree(self.root, ignore_errors=True)


HistoryMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@pytest.mark.usefixtures("_few_in_memory")
class TestHistory(HistoryMachine.TestCase):
    pass


@pytest.fixture
def _few_in_memory() -> Any:
    """Most sessions are let go from memory, and found on disk again."""
    with patch.object(sessions, "MAX_SESSIONS", MOST_IN_MEMORY):
        yield


def without_heard(message: dict[str, Any]) -> dict[str, Any]:
    """What was heard goes on while it is looked at."""
    return {name: value for name, value in message.items() if name != "heardText"}
