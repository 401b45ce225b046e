"""The command as a person runs it: a process of its own, real files, real signals."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

LIMIT_S = 120
"""For any one command; a hang fails the test instead of holding up the run."""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which the fake engine speaks and everything is kept in the test's own folder."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("UNAVOCE_")},
        "UNAVOCE_ENGINES": "fake",
        # Speaks fast: `chat` waits until a listener would have heard each answer.
        "UNAVOCE_FAKE__S_PER_CHAR": "0.02",
        "UNAVOCE_DATA_DIR": str(tmp_path / "data"),
        "UNAVOCE_PORT": "0",
        "PYTHONWARNINGS": "default",
    }


def run(
    environ: dict[str, str], *args: str, stdin: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unavoce", *args],
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        cwd=cwd,
        check=False,
    )


@asynccontextmanager
async def started(environ: dict[str, str], *args: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "unavoce", *args, env=environ, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def address(server: Process) -> str:
    """Of a server that was started, as it says when it is ready."""
    assert server.stdout
    line = (await server.stdout.readline()).decode()
    found = re.search(r"http://\S+", line)
    assert found, line
    return found[0]


def one_line(text: str) -> bool:
    return len(text.strip().splitlines()) == 1 and "Traceback" not in text
