"""The real servers, as processes of their own, with a tiny model."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = HERE.parents[1] / ".venv-xtts" / "bin"
PATIENCE_S = 180.0
"""For a model to load on a busy machine, and for everything else."""
UP = "Running on http"
"""What both servers log when they listen."""


@dataclass
class RealServer:
    """A server that can be killed and started again at the same address."""

    command: list[str]
    port: int
    environment: dict[str, str]
    folder: Path
    begins: str
    """What it logs, in small letters, when it begins to speak."""
    lines: list[str] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None
    _news: queue.Queue[str] = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it listens."""
        self._process = subprocess.Popen(
            [*self.command, str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        self.until(UP.lower())

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as out:
            for line in out:
                self.lines.append(line)
                self._news.put(line)
        self._news.put("")

    def until(self, said: str) -> None:
        """Returns at the next line of its log that holds `said`."""
        while True:
            line = self._news.get(timeout=PATIENCE_S)
            assert line, "the server ended: " + "".join(self.lines[-20:])
            if said in line.lower():
                return

    def forget(self) -> None:
        """What it logged up to now is of no interest."""
        self.lines.clear()
        while not self._news.empty():
            self._news.get()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            while self._news.get(timeout=PATIENCE_S):
                pass


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model."""
    folder = tmp_path_factory.mktemp("xtts") / "tiny"
    subprocess.run([PROGRAMS / "python", HERE / "tiny_model.py", folder], check=True, timeout=PATIENCE_S)
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _environment(**more: object) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **{name: str(value) for name, value in more.items()}}


def _tts_server(program: list[str], model: Path) -> RealServer:
    command = [*program, "--model_path", str(model), "--config_path", str(model / "config.json"), "--port"]
    return RealServer(command, _free_port(), _environment(TTS_HOME=model.parent / "home"), model.parent, "model input")


@pytest.fixture(scope="session")
def coqui(model: Path) -> Iterator[RealServer]:
    """coqui-tts's `tts-server`."""
    server = _tts_server([str(PROGRAMS / "tts-server")], model)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def openai(model: Path) -> Iterator[RealServer]:
    """The same with a codec, for its OpenAI-style route."""
    server = _tts_server([str(PROGRAMS / "python"), str(HERE / "tts_server.py")], model)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def api_server(model: Path) -> Iterator[RealServer]:
    """xtts-api-server."""
    folders = {"OUTPUT": model.parent / "output", "SPEAKER": model / "voices", "MODEL": model.parent}
    environment = _environment(**folders, DEVICE="cpu", MODEL_SOURCE="local", MODEL_VERSION=model.name)
    program = [str(PROGRAMS / "python"), str(HERE / "api_server.py")]
    server = RealServer(program, _free_port(), environment, model.parent, "get /tts_stream")
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["coqui", "api_server"])
def server(request: pytest.FixtureRequest) -> RealServer:
    """Either of them, running."""
    real: RealServer = request.getfixturevalue(request.param)
    real.forget()
    return real
