"""`unavoce serve` with the Wyoming door, as a process of its own."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.support import commands
from tests.support.commands import one_line, started
from tests.support.wyoming import Talker, door, place

from unavoce.cli import wyoming_check
from unavoce.errors import StartError
from unavoce.settings import Settings

environ = commands.environ


async def test_the_second_line_names_the_door(environ: dict[str, str]) -> None:
    """The line "ready" comes first, then the door's; it speaks, and the server stops cleanly beside a client."""
    environ = {**environ, "UNAVOCE_WYOMING_PORT": "0"}
    async with started(environ, "serve") as process:
        assert process.stdout
        assert re.search(rb"ready at http://127\.0\.0\.1:\d+", await process.stdout.readline())
        told = re.search(r"tcp://127\.0\.0\.1:\d+", (await process.stdout.readline()).decode())
        assert told
        async with Talker(*place(told[0])) as talker:
            program = await talker.program()
            assert program.voices[0].name == "tone"
            assert (await talker.say("Good evening, sir.")).kinds == ["audio-start", "audio-chunk", "audio-stop"]
            process.send_signal(signal.SIGINT)
            assert await talker.closed() == []
        assert await process.wait() == 0


async def test_a_port_that_is_taken_stops_the_start(environ: dict[str, str]) -> None:
    """One line names the port and the setting that chooses another; exit 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environ = {**environ, "UNAVOCE_WYOMING_PORT": str(taken.getsockname()[1])}
        ended = await asyncio.to_thread(commands.run, environ, "serve")
    assert ended.returncode == 1
    assert one_line(ended.stderr.splitlines()[-1])
    assert "Traceback" not in ended.stderr
    assert f"127.0.0.1:{environ['UNAVOCE_WYOMING_PORT']}" in ended.stderr
    assert "UNAVOCE_WYOMING_PORT to another" in ended.stderr


async def test_doctor_looks_at_the_door(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off: nothing is said. Free, or taken by a server of ours: well. By another program: wrong, with a remedy."""
    monkeypatch.setattr(wyoming_check, "ANSWER_S", 0.1)

    async def said(port: int | None) -> list[tuple[str, str]]:
        found = await wyoming_check.wyoming(Settings(wyoming_port=port))
        return [(one.status, one.remedy) for one in found]

    assert await said(None) == []
    assert await said(0) == [("ok", "")]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ((status, remedy),) = await said(taken.getsockname()[1])
    assert status == "wrong"
    assert "UNAVOCE_WYOMING_PORT" in remedy
    monkeypatch.undo()
    async with door(data_dir) as server:
        assert await said(place(server.app.wyoming)[1]) == [("ok", "")]


async def test_a_package_that_is_missing_stops_the_start(data_dir: Path) -> None:
    """The error says what to install."""
    gone = {name: None for name in sys.modules if name.startswith(("wyoming", "unavoce.server.wyoming."))}
    with patch.dict(sys.modules, {**gone, "wyoming": None}), pytest.raises(ExceptionGroup) as caught:  # type: ignore[dict-item]
        async with door(data_dir):
            pass
    found = caught.group_contains(StartError, match=r"pip install 'unavoce\[wyoming\]'")
    assert found


async def test_without_a_port_nothing_of_it_is_imported(environ: dict[str, str]) -> None:
    """The server's own modules bring the package along only where the door is opened."""
    script = "import sys, unavoce.server.serving; sys.exit('wyoming.event' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, env=environ)
    assert await process.wait() == 0
