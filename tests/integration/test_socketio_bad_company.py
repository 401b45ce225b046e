"""Models that misbehave and clients that do not read: whoever is not to blame does not notice."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from tests.support.client import check_order, joined, listening, names
from tests.support.protocol import check_event
from tests.support.server import PATIENCE_S, Answer, ScriptedModel, Server, broken_off, running_server

from unavoce.errors import ModelError
from unavoce.narration.plan import Plan

FIRST = "Good evening, sir. "


@pytest.mark.parametrize("code", ["model_unavailable", "model_refused", "model_timeout", "model_broken"])
async def test_a_model_that_dies_in_mid_stream_has_said_what_it_said(data_dir: Path, code: str) -> None:
    """What was written before the fault is spoken, chat:error gives the fault's code, the reply ends once as failed."""
    model = ScriptedModel(otherwise=[FIRST, "Dinner is", broken_off(code)])
    async with running_server(data_dir, model=model) as server, listening(server.url) as listener:
        session, reply = await listener.say("Hello")
        events = await listener.end(reply)
        check_order(events)
        for name, payload in events:
            check_event(name, payload)
        assert [(one["code"], one["message"]) for one in listener.payloads(reply, "chat:error")] == [
            (code, "as scripted")
        ]
        said = [chunk["text"].strip() for chunk in listener.chunks(reply) if chunk["text"]]
        assert said == ["Good evening, sir.", "Dinner is"]
        assert listener.payloads(reply, "chat:done")[0]["reason"] == "failed"
        model.otherwise = [FIRST]
        _, second = await listener.say("Again", sessionId=session)
        await listener.end(second)
        assert listener.payloads(second, "chat:done")[0]["reason"] == "complete"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ([broken_off("model_refused")], "model_refused"),
        ([], "model_empty"),
        (["", "  ", "\n\n"], "model_empty"),
        ([FIRST, RuntimeError("a bug of the model's")], "internal"),
    ],
)
async def test_a_model_without_an_answer_is_an_error_that_is_told(data_dir: Path, answer: Answer, code: str) -> None:
    """Refusing, silence, white space and a crash each end the reply once, as failed, with their code."""
    async with (
        running_server(data_dir, model=ScriptedModel(otherwise=answer)) as server,
        listening(server.url) as listener,
    ):
        _, reply = await listener.say("Hello")
        check_order(await listener.end(reply))
        assert [one["code"] for one in listener.payloads(reply, "chat:error")] == [code]
        assert listener.payloads(reply, "chat:done")[0]["reason"] == "failed"


async def test_a_slow_model_holds_up_nobody(data_dir: Path) -> None:
    """While one reply waits for its model another of the same socket is spoken to its end; the slow one follows."""
    gate = asyncio.Event()
    model = ScriptedModel({"slow": [gate, FIRST]}, otherwise=[FIRST])
    async with running_server(data_dir, model=model) as server, listening(server.url) as listener:
        _, slow = await listener.say("slow")
        _, quick = await listener.say("quick")
        await listener.end(quick)
        assert not listener.of(slow)
        gate.set()
        check_order(await listener.end(slow))


NONSENSE: dict[str, list[str]] = {
    "control characters": ["One\x00two\x07three\x1b[31m. ", "\x00\x01\x02", "\x7f\x85. Four."],
    "long words": ["a" * 10_000, " ", "b" * 10_000 + ".", " ", "ü" * 10_000],
    "lone surrogates": ["High \ud83d", " and low \ude00. ", "\udc00\udc00 \ud800"],
    "a pair torn apart": ["Smile \ud83d", "\ude00 now."],
    "right to left": ["\u202eerus\u202c. ", "\u2066\u2067\u2068 \u2069 شكرا لك. ", "\u200f\u200e."],
    "joiners and marks": ["e" + "\u0301" * 2_000 + ". ", "\u200d\u200d\ufe0f", "\ufeff\u00ad. Done."],
    "engine syntax": ["[[h@loU]] {{x}} <speak><break/></speak> ", "&amp; <|endoftext|> [INST]. Done."],
    "only marks": ["*" * 3_000, "#" * 3_000, "`" * 2_999],
    "an endless block": ["```\n", "x = 1\n" * 500],
}


@pytest.mark.parametrize("kind", NONSENSE)
async def test_nonsense_from_a_model_is_harmless(data_dir: Path, kind: str) -> None:
    """Whatever the model writes, the reply ends once and in order, its events are as the page says, others go on."""
    model = ScriptedModel({"nonsense": NONSENSE[kind]}, otherwise=[FIRST])
    # Ten thousand letters are minutes of sound: nobody waits for them here.
    unbounded = patch("unavoce.narration.planner.Plan", lambda **plan: Plan(**{**plan, "sent_ahead_s": None}))
    with unbounded:
        await nonsense(data_dir, model)


async def nonsense(data_dir: Path, model: ScriptedModel) -> None:
    async with running_server(data_dir, model=model) as server, listening(server.url) as listener:
        session, reply = await listener.say("nonsense")
        _, beside = await listener.say("Hello", sessionId=session)
        events = await listener.end(reply)
        check_order(events)
        for name, payload in events:
            check_event(name, payload)
        done = listener.payloads(reply, "chat:done")[0]
        assert done["reason"] in ("complete", "failed")
        assert "".join(one["text"] for one in listener.payloads(reply, "chat:token")) == done["text"]
        assert not any("\ud800" <= char <= "\udfff" for char in done["text"]), "what leaves is Unicode"
        for sentence in listener.payloads(reply, "chat:sentence"):
            assert sentence["text"].strip() in done["text"][sentence["start"] : sentence["end"]]
        await listener.end(beside)
        assert listener.payloads(beside, "chat:done")[0] | {"timings": None} == {
            "sessionId": session,
            "replyId": beside,
            "text": FIRST,
            "reason": "complete",
            "timings": None,
        }


async def test_a_reply_beyond_the_limit_is_cut_and_told(data_dir: Path) -> None:
    """A model that never stops is cut at the limit: that much is told and spoken, the reply fails, the model stops."""
    model = ScriptedModel(otherwise=["Very good, sir. "] * 1000)
    async with (
        running_server(data_dir, model=model, max_reply_chars=100) as server,
        listening(server.url) as listener,
    ):
        _, reply = await listener.say("Hello")
        check_order(await listener.end(reply))
        assert len(listener.payloads(reply, "chat:done")[0]["text"]) == 100
        assert [one["code"] for one in listener.payloads(reply, "chat:error")] == ["reply_too_long"]
        assert model.open == 0


@asynccontextmanager
async def deaf_client(server: Server) -> AsyncIterator[socket.socket]:
    """A client that connects, asks for a great deal of sound, and never reads again."""
    loop = asyncio.get_running_loop()
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        host, port = server.url.removeprefix("http://").split(":")
        await loop.sock_connect(deaf, (host, int(port)))
        key = base64.b64encode(os.urandom(16)).decode()
        await loop.sock_sendall(
            deaf,
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode(),
        )
        seen = b""
        while b"pingInterval" not in seen:
            seen += await loop.sock_recv(deaf, 4096)
        await loop.sock_sendall(deaf, _frame("40"))
        while b'40{"sid"' not in seen:
            seen += await loop.sock_recv(deaf, 4096)
        for number in range(8):
            message = json.dumps(["chat:send", {"message": f"deaf {number}"}])
            await loop.sock_sendall(deaf, _frame("42" + message))
        yield deaf


def _frame(text: str) -> bytes:
    """A masked WebSocket text frame (RFC 6455); a mask of zeros leaves the text as it is."""
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


async def test_a_client_that_does_not_read_is_cut_off_and_nobody_else_notices(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that takes nothing is dropped, its replies end, and another client's reply meanwhile is whole."""
    monkeypatch.setattr("unavoce.chat.outbox.STUCK_S", 1.0)
    long = [f"This is sentence number {number} of a very long evening, sir. " for number in range(60)]
    model = ScriptedModel({f"deaf {number}": long for number in range(8)}, otherwise=long[:6])
    async with (
        running_server(data_dir, model=model, sample_rate_hz=48_000, reconnect_grace_s=0) as server,
        listening(server.url) as listener,
    ):
        _, reference = await listener.say("Hello")
        await listener.end(reference)
        async with deaf_client(server):
            assert server.app.sockets.connections == 2
            _, reply = await listener.say("Hello")
            check_order(await listener.end(reply))
            assert np.array_equal(joined(listener.chunks(reply)), joined(listener.chunks(reference)))
            await asyncio.wait_for(server.app.chat.ended(), PATIENCE_S)
            assert len([messages for messages in model.asked if messages[-1].text.startswith("deaf")]) == 8
            assert server.app.sockets.connections == 1
        _, after = await listener.say("Hello")
        assert "chat:done" in names(await listener.end(after))


def test_every_code_of_the_models_is_tried() -> None:
    """The codes above are those that ModelError's docstring names and the page lists."""
    documented = set(ModelError.__doc__.split("`") if ModelError.__doc__ else [])
    assert {"model_unavailable", "model_refused", "model_timeout", "model_broken"} <= documented
