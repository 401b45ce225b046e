"""The examples of docs/library.md, run as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples/library"
CACHE = EXAMPLES.parents[1] / ".cache/mypy-of-a-user"
TEXT = "Good evening, sir. Dinner is served."


@pytest.fixture
def environ(data_dir: Path) -> dict[str, str]:
    """Settings of the example's own: tones, and a data directory that nobody else uses."""
    settings = {"UNAVOCE_DATA_DIR": str(data_dir), "UNAVOCE_ENGINES": '["fake"]', "UNAVOCE_FAKE__S_PER_CHAR": "0.03"}
    return {**os.environ, **settings}


def run(example: str, *arguments: str, environ: dict[str, str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(EXAMPLES / example), *arguments]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done


def test_a_text_becomes_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    """The file is a WAV with the sound of both sentences."""
    run("text_to_file.py", TEXT, "evening.wav", environ=environ, folder=tmp_path)
    with wave.open(str(tmp_path / "evening.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert len(samples) / 24_000 > 0.03 * len(TEXT) * 0.8
    assert np.abs(samples).max() > 1000


@pytest.fixture
def model_server() -> Iterator[str]:
    """The base URL of a language model's server that answers everything with the same tokens."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for token in TEXT.split(" "):
                choice = {"index": 0, "delta": {"content": f"{token} "}}
                event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_models_tokens_become_sound(environ: dict[str, str], tmp_path: Path, model_server: str) -> None:
    """Its standard output is the answer's sound as PCM, and it shows the sentences as they are spoken."""
    keys = {"OPENAI_BASE_URL": model_server, "OPENAI_API_KEY": "none"}
    done = run("model_to_sound.py", "m", "Hello?", environ={**environ, **keys}, folder=tmp_path)
    samples = np.frombuffer(done.stdout, np.int16)
    assert len(samples) / 24_000 > 0.03 * len(TEXT) * 0.8
    assert np.abs(samples).max() > 1000
    assert done.stderr.decode().split() == TEXT.split()


def test_an_engine_made_in_code_speaks_before_the_configured_ones(environ: dict[str, str], tmp_path: Path) -> None:
    """Each of two replies at once reads beeper … beeper fake … fake: where it fails, the configured engine goes on."""
    done = run("two_at_once.py", environ=environ, folder=tmp_path)
    lines = done.stdout.decode().splitlines()
    spoken = {title: [line.split()[1] for line in lines if line.startswith(title)] for title in ("one", "two")}
    assert spoken == {"one": ["beeper"] * 2, "two": ["beeper", "fake", "fake"]}


def test_a_users_mypy_finds_types_and_no_fault(tmp_path: Path) -> None:
    """Outside of this repository `mypy --strict` knows the installed package by its `py.typed`, examples and all."""
    for example in EXAMPLES.glob("*.py"):
        shutil.copy(example, tmp_path)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    (tmp_path / "wrong.py").write_text("from unavoce import Narrator\n\nNarrator.speak(Narrator, 5)\n")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(CACHE), "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    lines = done.stdout.splitlines()
    assert {line.partition(":")[0] for line in lines if ": error:" in line} == {"wrong.py"}, done.stdout
