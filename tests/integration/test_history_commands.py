"""`unavoce history`: the command as a person runs it, alone and beside a real server."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.archive import found_in
from tests.support.client import Listener, listening
from tests.support.commands import LIMIT_S, address, environ, one_line, run, started

__all__ = ["environ"]

WORDS = "Where is Nineveh?"


@pytest.fixture
def keeping(environ: dict[str, str]) -> dict[str, str]:
    """The environment, with history on disk and a model that cannot be reached: what people say is enough here."""
    return environ | {
        "UNAVOCE_HISTORY": "disk",
        "UNAVOCE_LLM__BASE_URL": "http://127.0.0.1:9/v1",
        "UNAVOCE_LLM__MODEL": "none",
        "UNAVOCE_PREWARM_PHRASES": "",
    }


def folder(environ: dict[str, str]) -> Path:
    return Path(environ["UNAVOCE_DATA_DIR"])


def stats(environ: dict[str, str]) -> dict[str, Any]:
    done = run(environ, "history", "stats", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


async def command(environ: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(run, environ, "history", *args)


async def said(listener: Listener, words: str) -> str:
    """A session of one message, and of an answer that failed."""
    session, reply = await listener.say(words, speak=False)
    await listener.end(reply)
    return session


async def written(environ: dict[str, str], sessions: int) -> None:
    """So many sessions are on disk: they are written behind what is said."""
    async with asyncio.timeout(LIMIT_S):
        while json.loads((await command(environ, "stats", "--json")).stdout)["sessions"] != sessions:
            pass


def test_nothing_was_said_yet(environ: dict[str, str]) -> None:
    """That is no error, with history on disk and without; looking and clearing make no file."""
    for history in ("memory", "disk"):
        settings = environ | {"UNAVOCE_HISTORY": history}
        assert (stats(settings)["messages"], stats(settings)["latest"]) == (0, [])
        cleared = run(settings, "history", "clear")
        assert (cleared.returncode, cleared.stdout) == (0, "0 messages removed\n")
    assert not folder(environ).exists()


async def test_a_session_is_cleared_under_a_running_server(keeping: dict[str, str]) -> None:
    """The server does not know it any more within seconds, its text stands in no file, and another one is untouched."""
    async with started(keeping, "serve") as server:
        async with listening(await address(server)) as listener:
            session, other = await said(listener, WORDS), await said(listener, "Good evening.")
            await written(keeping, 2)
            assert found_in(folder(keeping), WORDS) != []
            done = await command(keeping, "clear", "--session", session, "--json")
            assert (done.returncode, json.loads(done.stdout)["messages"], done.stderr) == (0, 2, "")
            assert found_in(folder(keeping), WORDS) == []
            async with asyncio.timeout(LIMIT_S):
                while (await listener.ok("chat:history", {"sessionId": session}))["messages"]:
                    pass
            assert len((await listener.ok("chat:history", {"sessionId": other}))["messages"]) == 2
            again = await command(keeping, "clear", "--session", session)
            assert (again.returncode, again.stdout) == (0, "0 messages removed\n")
            assert one_line(again.stderr)
            document = await asyncio.to_thread(stats, keeping)
            assert [(one["sessionId"], one["messages"]) for one in document["latest"]] == [(other, 2)]
        server.terminate()
        assert await server.wait() == 0
    assert found_in(folder(keeping), WORDS) == []


async def test_stats_and_clear_after_the_server(keeping: dict[str, str]) -> None:
    """What was said is counted, never shown; what is younger than asked stays; all goes with `clear`, damaged too."""
    async with started(keeping, "serve") as server:
        async with listening(await address(server)) as listener:
            session = await said(listener, WORDS)
        server.terminate()
        assert await server.wait() == 0
    shown = await command(keeping, "stats")
    assert session in shown.stdout
    assert "2 of 1 sessions" in shown.stdout
    assert WORDS not in shown.stdout
    assert (await command(keeping, "clear", "--older-than", "1h")).stdout == "0 messages removed\n"
    (folder(keeping) / "history-damaged.sqlite").write_text(WORDS)
    kept = await command(keeping, "clear", "--older-than", "1h")
    assert "history-damaged.sqlite" in kept.stderr
    assert (await asyncio.to_thread(stats, keeping))["damaged"] == str(folder(keeping) / "history-damaged.sqlite")
    assert (await command(keeping, "clear", "--yes")).stdout == "2 messages removed\n"
    assert found_in(folder(keeping), WORDS) == []
    assert (await asyncio.to_thread(stats, keeping))["damaged"] is None


async def test_what_was_kept_before_is_told_when_it_is_kept_no_more(keeping: dict[str, str]) -> None:
    """A server that keeps history in memory says at its start that there is a file from before, and `doctor` does."""
    async with started(keeping, "serve") as server:
        async with listening(await address(server)) as listener:
            await said(listener, WORDS)
        server.terminate()
        await server.wait()
    keeping["UNAVOCE_HISTORY"] = "memory"
    async with started(keeping, "serve") as server:
        await address(server)
        server.terminate()
        _, err = await server.communicate()
    assert b"history_left_on_disk" in err
    findings = {
        one["part"]: one for one in json.loads((await asyncio.to_thread(run, keeping, "doctor", "--json")).stdout)
    }
    assert findings["history"]["status"] == "note"
    assert "unavoce history clear" in findings["history"]["remedy"]


def test_a_damaged_file_is_found_by_doctor_and_stats(keeping: dict[str, str]) -> None:
    """One line each, with the remedy; nothing is removed by looking."""
    folder(keeping).mkdir()
    path = folder(keeping) / "history.sqlite"
    path.write_bytes(b"no database " * 1000)
    shown = run(keeping, "history", "stats")
    assert shown.returncode == 1
    assert one_line(shown.stderr)
    assert "damaged" in shown.stderr
    findings = {one["part"]: one for one in json.loads(run(keeping, "doctor", "--json").stdout)}
    assert findings["history"]["status"] == "wrong"
    assert findings["history"]["remedy"]
    assert path.read_bytes() == b"no database " * 1000


def test_what_makes_no_sense_is_refused(keeping: dict[str, str]) -> None:
    """An age that is none: exit 2, and nothing is cleared."""
    done = run(keeping, "history", "clear", "--older-than", "soon")
    assert done.returncode == 2
    assert "30d" in done.stderr
