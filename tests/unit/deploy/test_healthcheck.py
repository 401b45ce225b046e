"""deploy/healthcheck.py: where it looks, and what it says. The servers are real ones, of a thread each."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from unavoce.settings import Settings

SCRIPT = Path(__file__).parents[3] / "deploy" / "healthcheck.py"
LIMIT_S = 60


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that answers every GET with `status`, and nothing but that."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path in ("/healthz", "/voices")
            self.send_response(status if found else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def check(*arguments: str, **environ: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", ""])
def test_a_server_that_answers_is_well(host: str) -> None:
    """Exit 0 and silence, wherever it listens."""
    with answering(200) as port:
        assert check(UNAVOCE_HOST=host, UNAVOCE_PORT=str(port)) == (0, "")


def test_another_page_can_be_named() -> None:
    """For the servers beside it."""
    with answering(200) as port:
        assert check(f"http://127.0.0.1:{port}/voices") == (0, "")


def test_another_status_is_a_complaint() -> None:
    """Exit 1 and one line with the status."""
    with answering(503) as port:
        assert check(UNAVOCE_PORT=str(port)) == (1, f"http://127.0.0.1:{port}/healthz: status 503")


def test_a_server_that_is_gone_is_a_complaint() -> None:
    """Exit 1 and one line with the reason."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, not listening
        code, said = check(UNAVOCE_PORT=str(nobody.getsockname()[1]))
    assert code == 1
    assert "refused" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("environ", [{"UNAVOCE_PORT": "abc"}, {"UNAVOCE_HOST": "[", "UNAVOCE_PORT": "1"}])
def test_a_setting_that_is_none_is_a_complaint(environ: dict[str, str]) -> None:
    """Not a traceback."""
    code, said = check(**environ)
    assert code == 1
    assert "Traceback" not in said


def test_without_settings_it_looks_where_the_server_is_then() -> None:
    """The defaults are the server's own."""
    settings = Settings()
    text = SCRIPT.read_text(encoding="utf-8")
    assert f'"UNAVOCE_HOST", "{settings.host}"' in text
    assert f"""'UNAVOCE_PORT', '{settings.port}'""" in text
