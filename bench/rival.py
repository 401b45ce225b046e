"""RealtimeTTS in turns with unavoce, where `BENCH_PEER_PYTHON` names the Python that has it (`bench.realtime_tts`)."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from unavoce.engines.piper_voices import packaged_voice

ROOT = Path(__file__).parent.parent


class Rival:
    """Takes one reply at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def first_sound_s(self, tokens: Sequence[str]) -> float:
        """It speaks the whole reply; seconds from its first token to its first sound. Raises RuntimeError where it has
        ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(list(tokens)).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"RealtimeTTS ended with exit code {await self._process.wait()}")
        return float(line)


@asynccontextmanager
async def rival() -> AsyncIterator[Rival | None]:
    """None where no Python is named that has it."""
    python, voice = os.environ.get("BENCH_PEER_PYTHON"), packaged_voice()
    if not python or voice is None:
        yield None
        return
    command = [python, "-m", "bench.realtime_tts", str(voice.model)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        yield Rival(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
