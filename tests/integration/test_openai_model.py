"""A real HTTP server on loopback that fails in every way a language model's server can."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from unavoce.errors import ModelError
from unavoce.llm.base import Message
from unavoce.llm.openai import MAX_ANSWER_CHARS, MAX_BODY_BYTES, OpenAIModel
from unavoce.llm.options import LlmSettings

HELLO = [Message("user", "a secret question")]
KEY = "sk-very-secret"


@dataclass
class Exchange:
    """One request as the server received it, and the means to answer it."""

    target: str
    headers: dict[str, str]
    body: dict[str, Any]
    writer: asyncio.StreamWriter
    closed: asyncio.Event

    async def head(self, status: int = 200, kind: str = "text/event-stream", *more: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close", *more, "", ""]
        await self.raw("\r\n".join(lines).encode())

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.event({"choices": [{"index": 0, "delta": {"content": text}}]})

    async def event(self, event: Any) -> None:
        await self.raw(f"data: {json.dumps(event)}\n\n".encode())

    async def finish(self, reason: str = "stop") -> None:
        await self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


Script = Callable[[Exchange], Awaitable[None]]


@dataclass
class Peer:
    """The server; every request is played by `script`."""

    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    def model(self, **settings: Any) -> OpenAIModel:
        key = SecretStr(KEY)
        return OpenAIModel(LlmSettings(**{"base_url": self.url, "model": "m", "api_key": key} | settings))


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], dict[str, Any]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return first.split()[1], headers, json.loads(body or b"{}")


@asynccontextmanager
async def playing(script: Script) -> AsyncIterator[Peer]:
    """A server that plays `script` for every request, until the block ends."""
    peer = Peer()
    writers: list[asyncio.StreamWriter] = []
    players: list[asyncio.Task[None]] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        players.append(asyncio.create_task(serve(reader, writer)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange(*await _read_request(reader), writer, asyncio.Event())
        peer.exchanges.append(exchange)
        try:
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(_watch(reader, exchange.closed))
                await script(exchange)
                watch.cancel()
        except* (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield peer
    finally:
        server.close()
        for _ in range(20):  # a client that gave up early leaves a connection on its way into `connected`
            await asyncio.sleep(0)
        for player in players:
            player.cancel()
        await asyncio.gather(*players, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await server.wait_closed()


async def _watch(reader: asyncio.StreamReader, closed: asyncio.Event) -> None:
    while await reader.read(1000):
        pass
    closed.set()


async def ask(model: OpenAIModel, messages: list[Message] = HELLO) -> tuple[str, ModelError | None]:
    """What was said, and the error it ended with."""
    said = ""
    try:
        async for piece in model.stream(messages):
            said += piece
    except ModelError as error:
        return said, error
    finally:
        await model.close()
    return said, None


async def play(script: Script, **settings: Any) -> tuple[str, str | None]:
    """What a model says to `script`, and the code of the error it ended with."""
    async with playing(script) as peer:
        said, error = await ask(peer.model(**settings))
        return said, error.code if error else None


async def test_an_answer_is_streamed_with_prompt_key_and_limits() -> None:
    """The request carries what the protocol asks for and the pieces come out as they were sent."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]})
        await exchange.event({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]})
        await exchange.raw(b": ping\n\nevent: message\nretry: 5\nnonsense\n")
        await exchange.say("Good ", "day.")
        await exchange.finish()
        await exchange.event({"choices": [], "usage": {}})
        await exchange.raw(b"data: [DONE]\n\n")

    async with playing(script) as peer:
        assert await ask(peer.model(temperature=0.5, system_prompt="Be brief.")) == ("Good day.", None)
        (exchange,) = peer.exchanges
    assert exchange.target == "/v1/chat/completions"
    assert exchange.headers["authorization"] == f"Bearer {KEY}"
    assert exchange.headers["accept-encoding"] == "identity"
    assert exchange.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "a secret question"},
        ],
        "stream": True,
        "max_tokens": 400,
        "temperature": 0.5,
    }


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        (b"data: [DONE]\n\n", None),
        (b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}', None),
        (b"", "model_broken"),
        (b'data: {"choices": [{"delta": {"con', "model_broken"),
        (b"data: {garbage\n\n", "model_broken"),
        (b'data: {"error": {"message": "out of memory"}}\n\n', "model_broken"),
        (b'data: {"choices": [{"delta": {}, "finish_reason": "content_filter"}]}\n\n', "model_refused"),
    ],
)
async def test_what_was_said_stands_however_the_stream_ends(tail: bytes, code: str | None) -> None:
    """An end without its marks, nonsense and errors in mid-stream come after the text, each with its code."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.say("It began ", "well")
        await exchange.raw(tail)

    assert await play(script) == ("It began well", code)


async def test_a_cut_chunked_body_is_broken() -> None:
    """A server killed in mid-answer leaves a chunked body without its last chunk."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, "text/event-stream", "Transfer-Encoding: chunked")
        event = b'data: {"choices": [{"delta": {"content": "Half"}}]}\n\n'
        await exchange.raw(b"%x\r\n%s\r\n40\r\ndata" % (len(event), event))

    assert await play(script) == ("Half", "model_broken")


async def test_a_connection_closed_without_an_answer_is_broken() -> None:
    """No answer at all is told apart from an empty one."""

    async def script(exchange: Exchange) -> None:
        exchange.writer.transport.abort()

    assert await play(script) == ("", "model_broken")


async def test_broken_utf8_is_spoken_with_replacement_characters() -> None:
    """One bad byte does not cost the answer."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.raw(b'data: {"choices": [{"delta": {"content": "caf\xff!"}}]}\n\ndata: [DONE]\n\n')

    assert await play(script) == ("caf\ufffd!", None)


async def test_an_answer_in_one_piece_is_accepted() -> None:
    """A server that ignores `stream` still answers."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, "application/json; charset=utf-8")
        await exchange.raw(b'{"choices": [{"message": {"content": "At once."}, "finish_reason": "stop"}]}')

    assert await play(script) == ("At once.", None)


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_a_page_that_is_no_answer_is_broken(kind: str) -> None:
    """A captive portal or a wrong address does not become speech."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, kind)
        await exchange.raw(b"<html>Welcome to our wireless network</html>")

    assert await play(script) == ("", "model_broken")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "model_refused"),
        (401, "model_refused"),
        (404, "model_unavailable"),
        (429, "model_unavailable"),
        (503, "model_unavailable"),
    ],
)
async def test_a_refusal_carries_the_servers_words_but_not_the_key(status: int, code: str) -> None:
    """The error names the server and its message; a key that the server repeats is blotted out."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(status, "application/json")
        await exchange.raw(json.dumps({"error": {"message": f"not with {KEY}"}}).encode())

    async with playing(script) as peer:
        _, error = await ask(peer.model())
    assert error is not None
    assert error.code == code
    assert "not with …" in error.message
    assert "127.0.0.1" in error.message


async def test_a_redirect_is_not_followed() -> None:
    """The conversation goes to no host but the one in the settings."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(307, "text/plain", f"Location: {peer.url}/elsewhere")

    async with playing(script) as peer:
        _, error = await ask(peer.model())
        assert [exchange.target for exchange in peer.exchanges] == ["/v1/chat/completions"]
    assert error is not None
    assert error.code == "model_unavailable"


async def _silent(exchange: Exchange) -> None:
    await exchange.closed.wait()


async def _head_only(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.closed.wait()


async def _stalled(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.say("Well")
    await exchange.closed.wait()


@pytest.mark.parametrize(
    ("script", "said", "limit"),
    [(_silent, "", "first_token"), (_head_only, "", "first_token"), (_stalled, "Well", "idle")],
)
async def test_a_silent_server_is_given_up_on(script: Script, said: str, limit: str) -> None:
    """No first token, or a stream that stalls: the time-out ends the answer and the connection."""
    assert await play(script, **{f"{limit}_timeout_s": 0.5}) == (said, "model_timeout")


async def test_pings_are_no_sign_of_an_answer() -> None:
    """A server that only keeps the connection alive is given up on too."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        while not exchange.closed.is_set():
            await exchange.raw(b": ping\n\n")
            await asyncio.sleep(0)

    assert await play(script, first_token_timeout_s=0.5) == ("", "model_timeout")


@pytest.mark.parametrize("flood", [b"x" * 65536, b"data: x" + b"x" * 65536 + b"\n"])
async def test_an_endless_line_is_bounded(flood: bytes) -> None:
    """Neither an endless line nor an endless event fills the memory."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        while not exchange.closed.is_set():
            await exchange.raw(flood)

    assert await play(script) == ("", "model_broken")


async def test_an_endless_answer_is_bounded() -> None:
    """A model that never stops is stopped; what it said up to there stands."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        while not exchange.closed.is_set():
            await exchange.say("blah " * 2000)

    said, code = await play(script)
    assert len(said) == MAX_ANSWER_CHARS
    assert code == "model_broken"


async def test_an_endless_body_is_bounded() -> None:
    """An answer in one piece has its limit as well."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, "application/json")
        for _ in range(2 * MAX_BODY_BYTES // 65536):
            await exchange.raw(b" " * 65536)

    assert await play(script) == ("", "model_broken")


async def test_a_compressed_body_is_refused_unread() -> None:
    """Nothing is unpacked, so nothing can explode."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, "application/json", "Content-Encoding: gzip")
        await exchange.raw(gzip.compress(b" " * 10_000_000))

    assert await play(script) == ("", "model_broken")


async def test_a_server_that_is_not_there_is_unavailable_and_start_only_warns(
    caplog: pytest.LogCaptureFixture, unused_tcp_port: int
) -> None:
    """The server starts without its language model; the log says so and names no message text."""
    model = OpenAIModel(LlmSettings(base_url=f"http://127.0.0.1:{unused_tcp_port}", model="m"))
    with caplog.at_level(logging.DEBUG, "unavoce"):
        await model.start()
        said, error = await ask(model)
    assert said == ""
    assert error is not None
    assert error.code == "model_unavailable"
    assert [record.message for record in caplog.records if record.name == "unavoce.llm.openai"] == ["model_not_ready"]
    assert "secret" not in caplog.text


async def test_closing_the_stream_closes_the_connection() -> None:
    """An aborted reply costs the server no further token."""
    async with playing(_stalled) as peer:
        model = peer.model()
        stream = model.stream(HELLO)
        assert await anext(stream) == "Well"
        await stream.aclose()
        async with asyncio.timeout(10):
            await peer.exchanges[0].closed.wait()
        await model.close()


async def test_cancelling_the_reader_closes_the_connection() -> None:
    """Cancelled while it waits for the first token, a stream lets go of its connection."""
    arrived = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        arrived.set()
        await exchange.closed.wait()

    async with playing(script) as peer:
        model = peer.model()
        reading = asyncio.create_task(ask(model))
        await arrived.wait()
        reading.cancel()
        async with asyncio.timeout(10):
            await peer.exchanges[0].closed.wait()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_a_prompt_the_server_finds_too_long_is_shortened() -> None:
    """Our estimate is only one: the server's own count decides, and a shorter prompt is tried."""

    async def script(exchange: Exchange) -> None:
        if len(json.dumps(exchange.body)) > 4000:
            await exchange.head(400, "application/json")
            await exchange.raw(b'{"error": {"message": "exceeds the context size", "code": 400}}')
        else:
            await exchange.head()
            await exchange.say("Fine.")
            await exchange.finish()

    async with playing(script) as peer:
        assert await ask(peer.model(), [Message("user", "long " * 3000)]) == ("Fine.", None)
        assert len(peer.exchanges) == 3


async def test_a_server_that_knows_the_other_name_of_the_limit_is_asked_again() -> None:
    """OpenAI's reasoning models refuse `max_tokens`; the name they ask for is used and remembered."""

    async def script(exchange: Exchange) -> None:
        if "max_tokens" in exchange.body:
            await exchange.head(400, "application/json")
            await exchange.raw(b'{"error": {"message": "Use \'max_completion_tokens\' instead."}}')
        else:
            await exchange.head()
            await exchange.say("Fine.")
            await exchange.finish()

    async with playing(script) as peer:
        model = peer.model()
        assert [text async for text in model.stream(HELLO)] == ["Fine."]
        assert await ask(model) == ("Fine.", None)
        assert ["max_tokens" in exchange.body for exchange in peer.exchanges] == [True, False, False]
