"""The embedded model's process, seen from the server: started, asked, stopped. See `worker.py` for its side."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

from unavoce.errors import ModelError
from unavoce.llm.faults import PromptTooLongError
from unavoce.outbound import brief

LOAD_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 5.0
"""A stopped answer ends within a batch; a process that does not is ended instead."""
MAX_LINE_BYTES: Final = 1 << 20
_LONGEST_SOCKET_PATH: Final = 100
"""In bytes; the platforms' limits lie between 104 and 108."""


class ModelProcess:
    """One process with one loaded model. Takes one request at a time; the caller sees to that."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @classmethod
    async def launch(cls, model: Path, context_tokens: int, threads: int) -> ModelProcess:
        """A process with the model loaded. Raises `ModelError` (`model_unavailable`) with the reason."""
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="unavoce-")
        launched = None
        try:
            launched = cls(await _spawn(model, _address(folder), context_tokens, threads))
            await launched._loaded()
        except BaseException:
            if launched:
                await launched.end()
            raise
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return launched

    async def answer(
        self, request: dict[str, Any], first_timeout_s: float, idle_timeout_s: float
    ) -> AsyncGenerator[str, None]:
        """The text of one answer, piece by piece. `first_timeout_s` bounds each silence before the first.

        Closed or cancelled half-way, it returns when the model has stopped computing; a process that does not
        answer any more is ended.
        """
        request_id = next(self._ids)
        timeout_s = first_timeout_s
        over = False
        try:
            await self._send({"id": request_id, "request": request})
            while not over:
                event = await self._receive(timeout_s)
                over = "end" in event or "error" in event
                _raise_error(event)
                if text := event.get("text"):
                    timeout_s = idle_timeout_s
                    yield text
        finally:
            if not over and self.alive:
                await self._stop(request_id)

    async def end(self) -> None:
        """End the process and wait until it is gone. Whoever reads an answer of it meets its end."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if self._process.stdin:
            self._process.stdin.close()
        await self._process.wait()

    async def _loaded(self) -> None:
        event = await self._receive(LOAD_TIMEOUT_S)
        if "failed" in event:
            raise ModelError("model_unavailable", brief(event["failed"]))

    async def _stop(self, request_id: int) -> None:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._send({"stop": request_id})
                while not {"end", "error"} & (await self._receive(STOP_TIMEOUT_S)).keys():
                    pass
        except (TimeoutError, ModelError, asyncio.CancelledError) as stuck:
            await self.end()
            if isinstance(stuck, asyncio.CancelledError):
                raise

    async def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 (piped by _spawn; for the type checker)
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        with contextlib.suppress(ConnectionError):  # reading tells why
            await self._process.stdin.drain()

    async def _receive(self, timeout_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 (piped by _spawn; for the type checker)
        try:
            async with asyncio.timeout(timeout_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            await self.end()
            raise ModelError(
                "model_timeout", f"the embedded model gave no sign of life for {timeout_s:g} s; it is restarted"
            ) from None
        if not line.endswith(b"\n"):
            await self._ended_by_itself()
            raise ModelError("model_broken", f"the embedded model's process {self._fate()}; it is restarted")
        event: dict[str, Any] = json.loads(line)
        return event

    async def _ended_by_itself(self) -> None:
        """Wait for the exit that closed its output: killing it now would lose how it ended."""
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            await self.end()

    def _fate(self) -> str:
        code = self._process.returncode or 0
        if code < 0:
            return f"was ended by signal {-code} ({signal.strsignal(-code)})"
        return f"ended with exit code {code}"


def _address(folder: str) -> str:
    """Where the model's own HTTP server listens until `folder` is removed, else a loopback port."""
    path = os.path.join(folder, "llm.sock")
    sockets = hasattr(os, "fork") and len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH
    return path if sockets else "127.0.0.1"


async def _spawn(model: Path, address: str, context_tokens: int, threads: int) -> asyncio.subprocess.Process:
    worker = Path(__file__).with_name("worker.py")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # this folder's modules must not stand in for others of the same name
        str(worker),
        str(model),
        address,
        str(context_tokens),
        str(threads),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # A Ctrl-C in the terminal is for the server to handle. In a session of its own it would be scheduled as
        # another user's, and its priority beside speech would count for nothing: sched(7), "The autogroup feature".
        process_group=0,
        limit=MAX_LINE_BYTES,
    )


def _raise_error(event: dict[str, Any]) -> None:
    error = event.get("error")
    if error is None:
        return
    message = f"the embedded model refused the prompt: {brief(str(error.get('message', error)))}"
    if error.get("type") == "exceed_context_size_error":
        raise PromptTooLongError(message)
    raise ModelError("model_refused" if error.get("code") == 400 else "model_broken", message)
