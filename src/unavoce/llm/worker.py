"""The process in which the embedded model runs. Needs the standard library and `xllamacpp`, nothing of ours.

A process of its own, because loading a model holds Python's interpreter lock from start to end, because llama.cpp
writes to standard error, and so that a fault in native code ends one answer and not the server.

Standard input brings one JSON object a line, standard output answers in kind:

    {"id": 1, "request": {…}}     answer a chat completion request, one at a time in the order of arrival
    {"stop": 1}                   stop that answer
    ←  {"ready": true}            once, when the model is loaded; or {"failed": "why"}, and the process ends
    ←  {"id": 1}                  a sign of life while the prompt is read
    ←  {"id": 1, "text": "…"}     the next piece
    ←  {"id": 1, "end": reason}   `stop`, `length` or `stopped`; nothing of this answer runs any more
    ←  {"id": 1, "error": {…}}    the same, for an answer that failed

End of input ends the process, so that it never outlives the server.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import secrets
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

PROMPT_BATCH: Final = 16
"""Tokens of a prompt evaluated at a time, hence how long a stop can take: about 0.15 s on one slow core.
Larger batches are hardly faster on a processor."""

NICENESS: Final = 5
"""Below speech that somebody waits for, far above speech that has time (`unavoce.engines.in_process`)."""


class Answers:
    """Runs requests one at a time on its own thread; `stop` may be called from another."""

    def __init__(self, server: Any, send: Callable[[dict[str, Any]], None]) -> None:
        self._server = server
        self._send = send
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._stopped = 0
        """The newest request to stop. Ids grow, and there is one request at a time."""

    def add(self, message: dict[str, Any]) -> None:
        self._requests.put(message)

    def stop(self, request_id: int) -> None:
        self._stopped = request_id

    def run(self) -> None:
        while True:
            message = self._requests.get()
            self._answer(message["id"], message["request"])

    def _answer(self, request_id: int, request: dict[str, Any]) -> None:
        outcome: dict[str, Any] = {"error": {"message": "the model stopped without saying why"}}

        def take(event: dict[str, Any]) -> bool:
            nonlocal outcome
            if request_id <= self._stopped:
                outcome = {"end": "stopped"}
                return True
            text, ending = read_event(event)
            outcome = ending or outcome
            self._send({"id": request_id, "text": text} if text else {"id": request_id})
            return False

        self._server.handle_chat_completions(request, take)
        if outcome.get("end") == "stopped":
            wait_until_idle()
        self._send({"id": request_id, **outcome})


def read_event(event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text in an event of the stream, and how the answer ended if this event says so."""
    if "error" in event:
        return "", {"error": event["error"]}
    choice = event["choices"][0]
    reason = choice.get("finish_reason")
    return choice["delta"].get("content") or "", {"end": reason} if reason else {}


def wait_until_idle(limit_s: float = 1.0) -> None:
    """Return when this process has stopped computing: a cancelled answer still finishes the batch it is in."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before = time.process_time()
        time.sleep(0.005)
        if time.process_time() - before < 0.001:
            return


def load(model: str, address: str, context_tokens: int, threads: int) -> Any:
    """A loaded `xllamacpp.Server`. Raises `RuntimeError` when the file is no model it can read.

    It brings an HTTP server that cannot be left out. `address` is a socket file in a private folder, which the
    starting process removes, so that nobody can connect, or a loopback address; a random key guards it anyway.
    """
    xllamacpp = importlib.import_module("xllamacpp")  # here, so that a missing package is reported
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = context_tokens
    params.n_batch = params.n_ubatch = PROMPT_BATCH
    params.n_parallel = 1
    params.n_cache_reuse = PROMPT_BATCH  # keeps what follows a gap when old messages are dropped
    params.cache_ram_mib = 0  # else up to 8 GiB of earlier prompts
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity = -1
    params.ui = params.endpoint_slots = False
    params.n_threads_http = 1
    params.api_keys = [secrets.token_hex(32)]  # 256 random bits that nobody is told
    params.hostnames = [address]
    params.port = 1 if address.endswith(".sock") else 0  # 0 makes cpp-httplib ask a socket file for its port
    return xllamacpp.Server(params)


def take_over_output() -> TextIO:
    """Keep standard output for ourselves; whatever a native library prints goes nowhere."""
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return private


def main(model: str, address: str, context_tokens: int, threads: int) -> None:
    output = take_over_output()
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # before any other thread is there to be left out
    writing = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with writing:
            output.write(json.dumps(message) + "\n")
            output.flush()

    try:
        answers = Answers(load(model, address, context_tokens, threads), send)
    except Exception as error:
        send({"failed": str(error) or type(error).__name__})
        os._exit(1)
    send({"ready": True})
    threading.Thread(target=answers.run, daemon=True).start()
    for line in sys.stdin:
        message = json.loads(line)
        if "stop" in message:
            answers.stop(message["stop"])
        else:
            answers.add(message)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    finally:
        # Nothing to save, and no native destructor may hold up the end: one waits for ever. The server may be gone
        # before the model is loaded, so that it is an error which leads here.
        os._exit(0)
