"""`unavoce cache`: the command as a person runs it, alone and beside a real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.commands import LIMIT_S, address, environ, one_line, run, started

__all__ = ["environ"]

SENTENCES = "Good morning, sir. All systems operational. Dinner is served."


@pytest.fixture
def spoken(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment, with three sentences spoken and kept."""
    done = run(environ, "say", SENTENCES, "-o", str(tmp_path / "out.wav"))
    assert done.returncode == 0, done.stderr
    return environ


def stats(environ: dict[str, str]) -> dict[str, Any]:
    done = run(environ, "cache", "stats", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def clips(environ: dict[str, str]) -> list[Path]:
    return sorted(Path(environ["UNAVOCE_DATA_DIR"], "cache", "clips").glob("*/*.wav"))


# -- stats


def test_stats_on_a_fresh_machine(environ: dict[str, str]) -> None:
    """Nothing is kept yet: that is no error, and looking makes no folder."""
    shown = run(environ, "cache", "stats")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "no sentence yet" in shown.stdout
    assert stats(environ)["entries"] == 0
    assert not Path(environ["UNAVOCE_DATA_DIR"]).exists()


def test_stats_tells_what_was_kept_and_what_it_saved(spoken: dict[str, str], tmp_path: Path) -> None:
    """What was spoken twice came from disk the second time, and its synthesis was saved; table and JSON agree."""
    assert stats(spoken)["hits"] == {"memory": 0, "disk": 0, "none": 3}
    run(spoken, "say", SENTENCES, "-o", str(tmp_path / "again.wav"))
    document = stats(spoken)
    assert document["hits"] == {"memory": 0, "disk": 3, "none": 3}
    assert document["hitRate"] == 0.5
    assert document["savedSynthesisS"] > 0
    assert document["entries"] == len(clips(spoken)) == 3
    assert document["bytes"] == sum(path.stat().st_size for path in clips(spoken))
    assert document["voices"] == [{"engine": "fake", "voice": "tone", "entries": 3, "bytes": document["bytes"]}]
    table = run(spoken, "cache", "stats").stdout
    assert "3 of at most 10,000" in table
    assert "50.0% kept" in table


# -- verify


def test_verify_finds_and_removes_a_damaged_clip(spoken: dict[str, str]) -> None:
    """Exit 1 and its key when one was damaged, exit 0 once it is gone: it will be spoken anew."""
    damaged = clips(spoken)[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    found = run(spoken, "cache", "verify", "--json")
    assert found.returncode == 1
    assert damaged.stem in found.stderr
    assert json.loads(found.stdout) == {
        "folder": str(damaged.parents[2]),
        "checked": 3,
        "damaged": 1,
        "adopted": 0,
        "missing": 0,
        "strangers": 0,
    }
    again = run(spoken, "cache", "verify")
    assert (again.returncode, again.stderr) == (0, "")
    assert "2 clips checked, 0 damaged" in again.stdout


# -- clear


def test_clear_removes_what_fits_and_nothing_else(spoken: dict[str, str]) -> None:
    """By engine, voice and age, all of them together; without any, everything goes; it says how much."""
    assert run(spoken, "cache", "clear", "--older-than", "1d").stdout.startswith("0 clips removed")
    assert run(spoken, "cache", "clear", "--engine", "fake", "--voice", "nobody").returncode == 0
    assert len(clips(spoken)) == 3
    kept = stats(spoken)["bytes"]
    done = run(spoken, "cache", "clear", "--engine", "fake", "--voice", "tone", "--json")
    assert {**json.loads(done.stdout), "folder": ""} == {"folder": "", "entries": 3, "bytes": kept}
    assert clips(spoken) == []
    assert stats(spoken)["entries"] == 0


def test_clear_says_that_a_name_is_unknown(spoken: dict[str, str]) -> None:
    """It matches nothing, which is no error; the names there are stand beside it."""
    done = run(spoken, "cache", "clear", "--engine", "fkae")
    assert done.returncode == 0
    assert "'fkae'; there are: fake" in done.stderr


def test_an_age_that_is_none_is_wrong_use(spoken: dict[str, str]) -> None:
    """Exit 2 with the form expected, and nothing is removed."""
    done = run(spoken, "cache", "clear", "--older-than", "soon")
    assert done.returncode == 2
    assert "30d" in done.stderr
    assert len(clips(spoken)) == 3


def test_clear_asks_on_a_terminal(spoken: dict[str, str]) -> None:
    """Where a person types it, everything goes only after a yes, or with --yes."""
    pty = pytest.importorskip("pty")
    for answer, left in ((b"n\n", 3), (b"y\n", 0)):
        master, terminal = pty.openpty()
        os.write(master, answer)
        with os.fdopen(master), os.fdopen(terminal) as keyboard:
            run_at(spoken, keyboard.fileno(), "cache", "clear")
        assert len(clips(spoken)) == left


def run_at(environ: dict[str, str], stdin: int, *args: str) -> None:
    command = [sys.executable, "-m", "unavoce", *args]
    subprocess.run(command, env=environ, stdin=stdin, capture_output=True, timeout=LIMIT_S, check=False)


# -- where it cannot be used


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (["stats"], "UNAVOCE_CACHE_MAX_BYTES"),
        (["verify"], "UNAVOCE_CACHE_MAX_ENTRIES"),
        (["clear"], "UNAVOCE_CACHE_MAX_BYTES"),
        (["warm", "-"], "UNAVOCE_CACHE_MAX_ENTRIES"),
    ],
)
def test_a_cache_that_is_turned_off(environ: dict[str, str], command: list[str], setting: str) -> None:
    """One line with the setting, and exit 1."""
    done = run(environ | {setting: "0"}, "cache", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert one_line(done.stderr)
    assert f"{setting}=0" in done.stderr


@pytest.mark.parametrize("command", [["stats"], ["verify"], ["clear"], ["warm", "-"]])
def test_a_folder_that_others_may_write(spoken: dict[str, str], command: list[str]) -> None:
    """One line with the remedy, and exit 1; nothing in it is touched."""
    Path(spoken["UNAVOCE_DATA_DIR"], "cache").chmod(0o777)
    done = run(spoken, "cache", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert one_line(done.stderr)
    assert "remedy: chmod go-w" in done.stderr
    assert len(clips(spoken)) == 3


def test_an_index_that_another_process_holds(spoken: dict[str, str]) -> None:
    """One line that says to try again, and exit 1; doctor has it as a finding."""
    index = Path(spoken["UNAVOCE_DATA_DIR"], "cache", "index.sqlite")
    with closing(sqlite3.connect(index, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        done = run(spoken, "cache", "stats")
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert "try again" in done.stderr


def test_doctor_says_how_the_cache_is(spoken: dict[str, str]) -> None:
    """Folder, entries, size and free space; wrong, with the remedy, where it cannot be used."""
    assert "3 clips" in finding(spoken)["detail"]
    assert finding(spoken | {"UNAVOCE_CACHE_MAX_BYTES": "0"})["status"] == "note"
    Path(spoken["UNAVOCE_DATA_DIR"], "cache").chmod(0o777)
    wrong = finding(spoken)
    assert (wrong["status"], wrong["remedy"].startswith("chmod go-w")) == ("wrong", True)


def finding(environ: dict[str, str]) -> dict[str, str]:
    findings = json.loads(run(environ, "doctor", "--json").stdout)
    [found] = [finding for finding in findings if finding["part"] == "cache"]
    assert isinstance(found, dict)
    return found


# -- warm


def test_warm_makes_what_is_not_there_and_counts_all(spoken: dict[str, str], tmp_path: Path) -> None:
    """A phrase that cannot be said is named by its line and passed over; a second run finds all there."""
    phrases = tmp_path / "phrases.txt"
    phrases.write_text("# greetings\nGood morning, sir.\n\n***\nWelcome home. It is late.\n")
    first = run(spoken, "cache", "warm", str(phrases))
    assert (first.returncode, first.stdout) == (1, "1 warmed, 1 present, 1 failed\n")
    assert "line 4, fake/tone: failed" in first.stderr
    assert len(clips(spoken)) == 5
    phrases.write_text("Good morning, sir.\nWelcome home. It is late.\n")
    again = run(spoken, "cache", "warm", str(phrases), "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, {"warmed": 0, "present": 2, "failed": 0})


def test_what_was_warmed_is_heard_from_disk(environ: dict[str, str], tmp_path: Path) -> None:
    """The clips are those that a reply asks for: the engine has nothing to do."""
    done = run(environ, "cache", "warm", "-", stdin=f"{SENTENCES}\n")
    assert (done.returncode, done.stdout) == (0, "1 warmed, 0 present, 0 failed\n")
    run(environ, "say", SENTENCES, "-o", str(tmp_path / "out.wav"))
    assert stats(environ)["hits"] == {"memory": 0, "disk": 3, "none": 0}


def test_warm_for_every_engine_that_can_speak(environ: dict[str, str]) -> None:
    """The primary and the fallback are warmed; one that is down is named and passed over; --voice takes one."""
    down = {"UNAVOCE_ENGINES": '["xtts", "fake", "piper"]', "UNAVOCE_XTTS__URL": "http://127.0.0.1:9"}
    down["UNAVOCE_XTTS__SPEAKER"] = "ana"
    one = run(environ | down, "cache", "warm", "-", "--voice", "fake", stdin="Hello.\n")
    assert one.stdout == "1 warmed, 0 present, 0 failed\n", one.stderr
    both = run(environ | down, "cache", "warm", "-", stdin="Hello.\n")
    assert both.stdout == "1 warmed, 1 present, 0 failed\n", both.stderr
    assert "passed over: xtts cannot speak" in both.stderr
    none = run(environ | down | {"UNAVOCE_ENGINES": "xtts"}, "cache", "warm", "-", stdin="Hello.\n")
    assert none.returncode == 1
    assert "cannot speak" in none.stderr


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * ((1 << 20) + 1)])
def test_a_list_that_is_none(environ: dict[str, str], tmp_path: Path, content: bytes) -> None:
    """Neither text nor of a bounded size, or not there: wrong use, and no engine is started."""
    (tmp_path / "list").write_bytes(content)
    for name in ("list", "nowhere"):
        done = run(environ, "cache", "warm", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (2, "")
        assert "FILE" in done.stderr
        assert "Traceback" not in done.stderr


async def test_warm_stopped_by_ctrl_c_goes_on_where_it_was(environ: dict[str, str], tmp_path: Path) -> None:
    """Exit 130 with what was done, which is on disk and present when the same command runs again."""
    phrases = tmp_path / "phrases.txt"
    phrases.write_text("".join(f"Number {number} is ready.\n" for number in range(30)))
    async with started(environ | {"UNAVOCE_FAKE__DELAY_S": "0.2"}, "cache", "warm", str(phrases)) as process:
        assert process.stderr
        for _ in range(3):
            assert b"warmed" in await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = (await process.communicate())[1].decode()
        assert process.returncode == 130
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    done = len(clips(environ))
    assert 3 <= done < 30
    again = run(environ, "cache", "warm", str(phrases))
    assert again.stdout == f"{30 - done} warmed, {done} present, 0 failed\n"


# -- beside a real server


async def kept(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/cache")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


async def test_a_running_server_forgets_what_is_cleared(environ: dict[str, str]) -> None:
    """Its twelve warmed phrases go from disk at once and from its memory soon; command and server tell the same."""
    environ |= {"UNAVOCE_PREWARM_DELAY_S": "0", "UNAVOCE_MAX_REQUESTS_PER_S": "10000"}  # it is asked without a pause
    async with (
        started(environ, "serve") as server,
        httpx.AsyncClient(base_url=await address(server), trust_env=False, timeout=30) as client,
    ):
        while (document := await kept(client))["memory"]["entries"] < 12 or document["entries"] < 12:
            pass
        told = await asyncio.to_thread(stats, environ)
        assert {**document, "memory": None} == told
        done = await asyncio.to_thread(run, environ, "cache", "verify")
        assert (done.returncode, done.stdout.split(",")[0]) == (0, "12 clips checked")
        done = await asyncio.to_thread(run, environ, "cache", "clear")
        assert done.stdout.startswith("12 clips removed")
        while (document := await kept(client))["memory"]["entries"]:
            pass
        assert (document["status"], document["entries"]) == ("ok", 0)
        done = await asyncio.to_thread(run, environ, "cache", "warm", "-", stdin="Done.\n")
        assert done.stdout == "1 warmed, 0 present, 0 failed\n"
        assert (await kept(client))["entries"] == 1
        server.send_signal(signal.SIGTERM)
        await server.wait()
        assert server.returncode == 0


async def test_the_page_asks_for_a_key_where_keys_are_set(environ: dict[str, str]) -> None:
    """Without the key there are no figures."""
    environ["UNAVOCE_API_KEYS"] = "sesame"
    async with (
        started(environ, "serve") as server,
        httpx.AsyncClient(base_url=await address(server), trust_env=False, timeout=30) as client,
    ):
        refused = await client.get("/api/cache")
        admitted = await client.get("/api/cache", headers={"Authorization": "Bearer sesame"})
    assert refused.status_code == 401
    assert "folder" not in refused.text
    assert admitted.json()["status"] == "ok"


async def test_a_cache_that_cannot_be_used_degrades_the_health(environ: dict[str, str]) -> None:
    """Report and page say why and what mends it; there is speech, and so the status is no 503."""
    cache = Path(environ["UNAVOCE_DATA_DIR"], "cache")
    await asyncio.to_thread(cache.mkdir, parents=True)
    await asyncio.to_thread(cache.chmod, 0o777)
    async with (
        started(environ, "serve") as server,
        httpx.AsyncClient(base_url=await address(server), trust_env=False, timeout=30) as client,
    ):
        document = await kept(client)
        health = await client.get("/api/health")
        while health.json()["status"] == "down" or health.json()["cache"]["status"] == "ok":
            health = await client.get("/api/health")
    assert (document["status"], document["entries"]) == ("degraded", None)
    assert document["remedy"].startswith("chmod go-w")
    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["cache"]["remedy"].startswith("chmod go-w")
