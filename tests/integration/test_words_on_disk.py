"""Which words are on disk: none with history in memory, whatever goes on; all with history on disk, whenever it dies.

The server is a process of its own, and is killed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.support.archive import found_in
from tests.support.client import Listener, listening
from tests.support.server import PATIENCE_S, killable_process
from tests.support.speech_servers import Exchange, serving

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"

QUESTION, ANSWER = "Wo liegt die Stadt Ninive-Küyünjik?", "Nineveh-Kuyunjik lies on the Tigris. It was large."
BROKEN, RUBBLE = "What became of Hattusa-Bogazkale?", "It burnt in the collapse-of-bronze."
LONG = "Tell me of Ctesiphon-Taysafun."
DICTATED = "Persepolis-Parsa stands in Fars. Dinner is served."
WORDS = ("Küyünjik", "Kuyunjik", "Bogazkale", "collapse-of-bronze", "Taysafun", "Parsa", "Dinner is served", "Tigris")


class Model:
    """A server of OpenAI's kind: answers, breaks off, or goes on until it is let go."""

    def __init__(self) -> None:
        self.shown: list[list[str]] = []
        self.go_on = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        if exchange.method == "GET":
            await exchange.say({"data": [{"id": "m"}]})
            return
        said = [message["content"] for message in json.loads(exchange.body)["messages"][1:]]
        self.shown.append(said)
        await exchange.head(kind="text/event-stream")
        if said[-1].endswith(LONG):
            await self._say(exchange, "Ctesiphon-Taysafun had", " an arch.")
            await self.go_on.wait()
        elif said[-1].endswith(BROKEN):
            await self._say(exchange, RUBBLE)
            await exchange.end()  # without a finish: it broke off
            return
        else:
            await self._say(exchange, *(ANSWER[at : at + 7] for at in range(0, len(ANSWER), 7)))
        await exchange.part(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        await exchange.end()

    async def _say(self, exchange: Exchange, *pieces: str) -> None:
        for piece in pieces:
            event = {"choices": [{"index": 0, "delta": {"content": piece}}]}
            await exchange.part(f"data: {json.dumps(event)}\n\n".encode())


@asynccontextmanager
async def model() -> AsyncIterator[tuple[Model, dict[str, str]]]:
    """A model, and the settings of a server that asks it and speaks with tones."""
    made = Model()
    async with serving(made) as url:
        settings = {"ENGINES": "fake", "LLM__BASE_URL": f"{url}/v1", "LLM__MODEL": "m", "LOG_LEVEL": "debug"}
        yield made, {f"UNAVOCE_{name}": value for name, value in settings.items()}
        made.go_on.set()


@contextmanager
def process(root: Path, environ: dict[str, str], **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server that has no other place to put anything than below `root`."""
    for name in ("data", "tmp", "home"):
        (root / name).mkdir(exist_ok=True)
    places = {"TMPDIR": str(root / "tmp"), "SQLITE_TMPDIR": str(root / "tmp"), "HOME": str(root / "home")}
    given = {f"UNAVOCE_{name}": value for name, value in settings.items()}
    with killable_process(root / "data", **environ, **places, **given) as running:
        yield running


def kill(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGKILL)
    server.wait(PATIENCE_S)


async def everything_happens(listener: Listener) -> str:
    """Answers, spoken and not, told in history, stopped and broken off; refusals; a text of the client's own. The id
    of the session, in which an answer is being given still."""
    session, reply = await listener.say(QUESTION)
    await listener.end(reply)
    for message in (QUESTION, BROKEN):
        _, reply = await listener.say(message, sessionId=session)
        await listener.end(reply)
    reply = (await listener.ok("speak:start", {"sessionId": session, "format": "opus"}))["replyId"]
    await listener.ok("speak:text", {"replyId": reply, "text": DICTATED})
    await listener.ok("speak:end", {"replyId": reply})
    await listener.end(reply)
    _, reply = await listener.say(LONG, sessionId=session)
    await listener.reach(reply, "chat:token")
    await listener.ok("chat:abort", {"sessionId": session, "replyId": reply})
    await listener.end(reply)
    for wrong in ({"message": QUESTION, "voice": QUESTION}, {"message": QUESTION * 1000}, {"message": [QUESTION]}):
        await listener.refused("chat:send", wrong)
    await listener.refused("chat:history", {"sessionId": QUESTION})
    await listener.refused("chat:" + QUESTION, {"message": QUESTION})
    await listener.ok("chat:history", {"sessionId": session})
    _, reply = await listener.say(LONG, sessionId=session)
    await listener.reach(reply, "chat:audio_chunk")
    return session


def open_files(pid: int) -> list[Path]:
    """The plain files that a process has open, those without a name any more as well."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if link.is_file():
                found.append(link)
        except OSError:
            continue
    return found


def words_in(root: Path) -> dict[str, list[str]]:
    """Where words that were said stand below `root`."""
    found = {word: found_in(root, word) for word in WORDS}
    return {word: files for word, files in found.items() if files}


async def test_in_memory_no_word_is_ever_on_disk(tmp_path: Path) -> None:
    """With the cache on disk, the log at its most talkative, errors and a kill in mid-sentence: no file of the server,
    named or nameless, holds anything that was said, in UTF-8 or UTF-16; and what it keeps instead is there."""
    async with model() as (_, environ):
        with process(tmp_path, environ) as (url, server):
            async with listening(url) as listener:
                await everything_happens(listener)
                assert words_in(tmp_path) == {}
                unnamed = [path.read_bytes() for path in open_files(server.pid)]
                assert not any(word.encode() in content for word in WORDS for content in unnamed)
                kill(server)
    assert words_in(tmp_path) == {}
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert {"cache", "known-voices.json", "log.txt"} >= names >= {"cache", "log.txt"}
    assert list((tmp_path / "data").rglob("*.wav"))
    assert list((tmp_path / "tmp").iterdir()) == []
    assert (tmp_path / "data" / "log.txt").stat().st_size > 0
    with process(tmp_path, environ) as _:
        pass
    assert words_in(tmp_path) == {}


async def test_on_disk_words_are_in_one_file_and_nowhere_else(tmp_path: Path) -> None:
    """With history on disk they stand in the database and its log; not in the cache, the server's log, or a temporary
    file. A kill in mid-sentence leaves every message, the answer that was being given with its words so far."""
    async with model() as (asked, environ):
        with process(tmp_path, environ, HISTORY="disk") as (url, server):
            async with listening(url) as listener:
                session = await everything_happens(listener)
                before = await history(listener, session)
                await on_disk(tmp_path, "arch.")
                kill(server)
        # Every file that was written has its row on the page; the log was the test's own wish.
        wrote = {path.name for path in (tmp_path / "data").iterdir()} - {"log.txt"}
        assert {"cache", "history.lock", "history.sqlite"} <= wrote <= files_on_the_page()
        assert {Path(file).name for files in words_in(tmp_path).values() for file in files} <= {
            "history.sqlite",
            "history.sqlite-wal",
        }
        with process(tmp_path, environ, HISTORY="disk") as (url, server):
            async with listening(url) as listener:
                after = await history(listener, session)
                assert [without_heard(one) for one in after] == [without_heard(one) for one in before]
                assert (after[-1]["text"], after[-2]["text"]) == ("Ctesiphon-Taysafun had an arch.", LONG)
                assert before[-1]["heardText"].startswith(after[-1]["heardText"])
                await listener.ok("chat:join", {"sessionId": session})
                _, reply = await listener.say("And then?", sessionId=session)
                await listener.end(reply)
                assert asked.shown[-1][-2:] == ["Ctesiphon-Taysafun had an arch.", "And then?"]
                assert asked.shown[-1][0] == QUESTION
                assert (await listener.ok("chat:forget", {"sessionId": session}))["messages"] == len(before) + 2
                assert words_in(tmp_path) == {}
                assert await listener.refused("chat:history", {"sessionId": session}) == "unknown_session"


def files_on_the_page() -> set[str]:
    """The names in the data directory that docs/privacy.md has in its table of every file."""
    table = PAGE.read_text().partition("## Every file")[2].partition("\n\n")[2]
    named = re.findall(r"`([^`]+)`", "\n".join(row.split("|")[1] for row in table.splitlines() if row.startswith("|")))
    return {name.partition("/")[0] for name in named}


async def history(listener: Listener, session: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await listener.ok("chat:history", {"sessionId": session}))["messages"]
    return messages


def without_heard(message: dict[str, Any]) -> dict[str, Any]:
    """What was heard goes on while it is looked at."""
    return {name: value for name, value in message.items() if name != "heardText"}


async def on_disk(root: Path, words: str) -> None:
    """The words have been written; that is done behind what is said."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(found_in, root / "data", words):
            pass
    assert os.path.exists(root / "data" / "history.sqlite")
