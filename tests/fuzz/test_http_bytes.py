"""Bytes that are no HTTP, against a running server."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.fuzz import chance
from tests.fuzz.frames import HANDSHAKE
from tests.fuzz.http_bytes import exchanged, throw
from tests.support.server import running_server

BROKEN_BODY = b"%b %b HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"
UNLIMITED = {"max_requests_per_s": 100_000, "max_events_per_s": 100_000}


def place(url: str) -> tuple[str, int]:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    return address.hostname, address.port


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Crashes and errors in the log, but for what Engine.IO says of a stranger's request, once of each kind."""
    wrong = [one for one in caplog.records if one.exc_info or one.levelno >= logging.ERROR]
    return [one.getMessage() for one in wrong if one.exc_info or one.name != "engineio.server"]


@pytest.mark.parametrize("method", [b"POST", b"HEAD"])
@pytest.mark.parametrize("path", [b"/healthz", b"/api/health", b"/nowhere", b"/socket.io/?EIO=4&transport=polling"])
async def test_a_request_that_breaks_while_it_is_answered_gets_one_answer(
    data_dir: Path, caplog: pytest.LogCaptureFixture, path: bytes, method: bytes
) -> None:
    """A body that is no HTTP, behind a head that is: 400, the end of the connection, and no crash in the log."""
    async with running_server(data_dir) as server:
        answer = await exchanged(*place(server.url), [BROKEN_BODY % (method, path)])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert errors(caplog) == []


async def test_a_request_that_breaks_in_the_middle_of_its_answer_ends_there(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the answer has begun nothing is put into it: the connection ends."""
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with running_server(data_dir) as server:
        reader, writer = await asyncio.open_connection(*place(server.url))
        writer.write(head)
        begun = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"no number\r\n")
        rest = await reader.read()
        writer.close()
    assert begun.startswith(b"HTTP/1.1 405 ")
    assert b"HTTP/1.1" not in rest
    assert errors(caplog) == []


async def test_bytes_that_are_no_http_leave_no_line_in_the_log(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are answered with 400, and a stranger cannot fill the log with them."""
    async with running_server(data_dir) as server:
        answer = await exchanged(*place(server.url), [b"SSH-2.0-x\r\n\r\n"])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_a_websocket_message_that_is_no_text_leaves_no_line_in_the_log(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes that are no UTF-8, said to be text, end the connection, and that is all."""
    no_text = b"\x81\x81\x00\x00\x00\x00\xff"
    async with running_server(data_dir) as server:
        answer = await exchanged(*place(server.url), [HANDSHAKE, no_text])
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_garbage_is_answered_or_cut_off(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Heads, bodies, pipelines and noise of every kind, six connections at a time: no 5xx, and no crash in the log."""
    async with running_server(data_dir, **UNLIMITED) as server:
        await asyncio.gather(*(throw(*place(server.url), chance(number), 40) for number in range(6)))
    assert errors(caplog) == []
