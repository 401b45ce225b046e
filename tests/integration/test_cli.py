"""The command as a person runs it: a process of its own, real files, real signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.support.commands import LIMIT_S, address, environ, one_line, run, started

__all__ = ["environ"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_serve_says_its_address_and_stops_cleanly(environ: dict[str, str], number: signal.Signals) -> None:
    """One line when connections are accepted; a signal ends the server with exit 0 and without a complaint."""
    async with started(environ, "serve") as server:
        url = await address(server)
        assert url.startswith("http://127.0.0.1:")
        host, _, port = url.removeprefix("http://").rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        server.send_signal(number)
        out, err = await server.communicate()
        assert server.returncode == 0
        assert "Traceback" not in err.decode()
        assert out.decode().strip() == ""


def test_serve_at_a_taken_port(environ: dict[str, str]) -> None:
    """One line that names the address and what to do, and exit 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(environ, "serve", "--port", str(port))
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr


def test_serve_with_a_data_directory_that_cannot_be(environ: dict[str, str], tmp_path: Path) -> None:
    """A file stands where the folder should be: one line that names it and the setting, and exit 1."""
    (tmp_path / "file").write_text("")
    done = run(environ | {"UNAVOCE_DATA_DIR": str(tmp_path / "file" / "data")}, "serve")
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert str(tmp_path / "file" / "data") in done.stderr
    assert "UNAVOCE_DATA_DIR" in done.stderr


@pytest.mark.parametrize("command", [["serve"], ["say", "Hello."], ["voices"], ["chat"]])
def test_an_unknown_setting_stops_every_command(environ: dict[str, str], command: list[str]) -> None:
    """One line with the name and the likely right one, and exit 2."""
    done = run(environ | {"UNAVOCE_PROT": "8011"}, *command)
    assert done.returncode == 2
    assert one_line(done.stderr)
    assert "UNAVOCE_PROT" in done.stderr
    assert "did you mean UNAVOCE_PORT?" in done.stderr


def test_a_wrong_flag_is_wrong_use(environ: dict[str, str]) -> None:
    """A port that is none is named with its bounds, and a flag that is none with the help: exit 2 both times."""
    beyond = run(environ, "serve", "--port", "70000")
    assert (beyond.returncode, one_line(beyond.stderr)) == (2, True)
    assert "from 0 to 65535" in beyond.stderr
    assert run(environ, "serve", "--prot", "1").returncode == 2


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_say_writes_files_that_others_can_read(environ: dict[str, str], tmp_path: Path, suffix: str) -> None:
    """libsndfile decodes what was written: one channel at the set rate, and not silence."""
    path = tmp_path / f"out{suffix}"
    done = run(environ, "say", "Good morning, sir. All systems are working.", "-o", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == (24_000 if suffix != ".ogg" else rate_hz)
    assert samples.ndim == 1
    assert len(samples) > rate_hz
    assert np.abs(samples).max() > 1000
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == [path.name]


def test_say_with_a_format_that_is_none(environ: dict[str, str], tmp_path: Path) -> None:
    """The line names the formats there are, and no file is left."""
    done = run(environ, "say", "Hello.", "-o", str(tmp_path / "out.mp4"))
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert ".flac" in done.stderr
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("text", ["", "   ", "***"])
def test_say_nothing(environ: dict[str, str], tmp_path: Path, text: str) -> None:
    """A text with nothing to say is an error, and leaves no empty file."""
    done = run(environ, "say", text, "-o", str(tmp_path / "out.wav"))
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert not (tmp_path / "out.wav").exists()


def test_say_in_an_unknown_voice(environ: dict[str, str], tmp_path: Path) -> None:
    """The voice is named, and the command that lists the real ones or their names."""
    done = run(environ, "say", "Hello.", "--voice", "nobody", "-o", str(tmp_path / "out.wav"))
    assert done.returncode in (1, 2)
    assert one_line(done.stderr)
    assert "nobody" in done.stderr


async def test_say_speaks_while_its_input_is_still_written(environ: dict[str, str], tmp_path: Path) -> None:
    """The first sentence is spoken (shown on the terminal) before the second one has been written."""
    path = tmp_path / "out.wav"
    pty = pytest.importorskip("pty")
    master, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "unavoce", "say", "-", "-o", str(path), env=environ, stdin=PIPE, stderr=terminal
    )
    os.close(terminal)
    try:
        assert process.stdin
        async with asyncio.timeout(LIMIT_S):
            process.stdin.write(b"The first sentence is here. And the sec")
            await process.stdin.drain()
            shown = await asyncio.to_thread(_read_until, master, b"first sentence")
            assert b"second" not in shown
            process.stdin.write(b"ond one too.")
            process.stdin.close()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(master)
    assert soundfile.info(path).duration > 1


def _read_until(fd: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        seen += os.read(fd, 1000)
    return seen


async def test_say_interrupted_leaves_no_file(environ: dict[str, str], tmp_path: Path) -> None:
    """Ctrl-C in the middle: exit 130, nothing on the screen, no half file, although the input never ends."""
    path = tmp_path / "out.wav"
    async with started(environ, "say", "-", "-o", str(path)) as process:
        assert process.stdin
        process.stdin.write(b"The first sentence is here. And more")
        await process.stdin.drain()
        # The file being written, under whatever name: more than a header, so the first sentence is in it.
        while not any(file.stat().st_size > 1000 for file in tmp_path.glob("*out*")):
            await asyncio.to_thread(lambda: None)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
        assert process.stderr
        assert (await process.stderr.read()).strip() == b""
    assert not any(file for file in tmp_path.iterdir() if file.is_file())


def test_voices_lists_the_default_first(environ: dict[str, str]) -> None:
    """As a table and as JSON: the same voices, one of them the default."""
    table = run(environ, "voices")
    records = json.loads(run(environ, "voices", "--json").stdout)
    assert table.returncode == 0
    assert [record["default"] for record in records] == [True] + [False] * (len(records) - 1)
    assert len(table.stdout.splitlines()) == len(records) + 1
    assert all(record["voice"] in table.stdout for record in records)


def test_doctor_names_what_is_wrong_and_the_remedy(environ: dict[str, str], tmp_path: Path) -> None:
    """Each fault has its own finding with a remedy; the exit code is 1."""
    (tmp_path / "file").write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen: doctor would wait for an answer
        wrong = {
            "UNAVOCE_DATA_DIR": str(tmp_path / "file"),
            "UNAVOCE_PORT": str(taken.getsockname()[1]),
            "UNAVOCE_LLM__BASE_URL": "http://127.0.0.1:9",
            "UNAVOCE_LLM__MODEL": "m",
        }
        done = run(environ | wrong, "doctor", "--json")
    findings = {finding["part"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert {part for part, finding in findings.items() if finding["status"] == "wrong"} == {
        "data directory",
        "cache",
        "port",
        "language model",
    }
    assert all(finding["remedy"] for finding in findings.values() if finding["status"] == "wrong")
    assert findings["engine fake"]["status"] == "ok"
    assert "Traceback" not in done.stderr


def test_doctor_with_a_wrong_setting(environ: dict[str, str]) -> None:
    """A setting that stops the start is a finding like any other."""
    done = run(environ | {"UNAVOCE_PROT": "1"}, "doctor")
    assert done.returncode == 1
    assert "UNAVOCE_PROT" in done.stdout
    assert "→" in done.stdout


def test_doctor_finds_nothing_wrong_with_the_real_parts(environ: dict[str, str]) -> None:
    """With the packaged voice and the embedded model, everything works and the exit code is 0."""
    done = run(environ | {"UNAVOCE_ENGINES": "piper"}, "doctor", "--json")
    findings = json.loads(done.stdout)
    assert [finding for finding in findings if finding["status"] == "wrong"] == []
    assert {"engine piper", "language model", "codecs"} <= {finding["part"] for finding in findings}
    assert done.returncode == 0


def test_chat_without_a_server(environ: dict[str, str]) -> None:
    """One line that says how to start one, and exit 1."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = run(environ, "chat", "--url", f"http://127.0.0.1:{free.getsockname()[1]}")
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert "unavoce serve" in done.stderr


async def test_chat_talks_until_the_end_of_its_input(environ: dict[str, str]) -> None:
    """Each line is a message; its answer is printed; the end of the input ends the conversation with exit 0."""
    async with started(environ, "serve") as server:
        url = await address(server)
        async with started(environ, "chat", "--url", url) as chat:
            out, err = await chat.communicate(b"Hello.\n\nWho are you?\n")
            assert (chat.returncode, "Traceback" in err.decode()) == (0, False)
            answers = [line for line in out.decode().splitlines() if line.strip()]
            assert len(answers) >= 2
            assert err.decode().count("text only") <= 1


async def test_chat_shows_a_refusal_and_goes_on(environ: dict[str, str]) -> None:
    """A message that the server refuses is answered with the reason, and the next one is taken."""
    environ["UNAVOCE_MAX_MESSAGE_CHARS"] = "20"
    async with started(environ, "serve") as server:
        url = await address(server)
        async with started(environ, "chat", "--url", url) as chat:
            out, err = await chat.communicate(b"x" * 50 + b"\nHello.\n")
            assert chat.returncode == 0
            assert "·" in err.decode()
            assert out.decode().strip()


def test_help_names_every_command(environ: dict[str, str]) -> None:
    """`unavoce --help` is the list of what there is."""
    shown = run(environ, "--help").stdout
    assert all(name in shown for name in ("serve", "say", "chat", "voices", "cache", "history", "doctor"))
