"""Any OpenAI-compatible server: llama.cpp, Ollama, vLLM, OpenAI and others, streamed over HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any, Final, cast

import httpx

from unavoce.errors import ModelError
from unavoce.llm.base import LanguageModel, Message
from unavoce.llm.completions import DONE, Delta, completions_url, read_event, read_whole, refusal
from unavoce.llm.faults import PromptTooLongError
from unavoce.llm.options import LlmSettings
from unavoce.llm.prompt import build_prompt
from unavoce.llm.sse import SseReader
from unavoce.outbound import brief, http_client, shown

log = logging.getLogger(__name__)

CHECK_TIMEOUT_S: Final = 3.0
LINGER_S: Final = 0.5
"""How long a finished answer may take to close, so that its connection can serve the next one."""
MAX_ANSWER_CHARS: Final = 200_000
MAX_ANSWER_BYTES: Final = 32 << 20
"""Of a whole stream, with its JSON and any reasoning that is not shown."""
MAX_BODY_BYTES: Final = 4 << 20
"""Of an answer that comes in one piece, or of an error."""


class OpenAIModel(LanguageModel):
    """Streams `POST …/chat/completions`. Needs `base_url` and `model` in its settings."""

    def __init__(self, settings: LlmSettings) -> None:
        if settings.base_url is None or settings.model is None:
            raise ValueError("an OpenAI-compatible model needs llm.base_url and llm.model")
        self.name = settings.model
        self._settings = settings
        self._url = completions_url(settings.base_url)
        self._where = f"the language model's server at {shown(self._url)}"
        self._key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._limit_name = "max_tokens"
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Look whether the server is there. One that is not may come up later, so this only warns."""
        try:
            await self.check()
        except ModelError as error:
            log.warning("model_not_ready", extra={"code": error.code, "reason": error.message})

    async def check(self) -> None:
        """Ask the server for its models. Raises `ModelError` when it is not there or refuses the key."""
        url = self._url.removesuffix("/chat/completions") + "/models"
        client = await self._connect()
        with self._errors_named():
            async with asyncio.timeout(CHECK_TIMEOUT_S), client.stream("GET", url) as response:
                if response.status_code in (401, 403) or response.status_code >= 500:
                    raise refusal(response.status_code, await _body(response), self._where, self._key)

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        client = await self._connect()
        clock = _Patience(self._settings.first_token_timeout_s)
        with self._errors_named():
            async with (
                self._opened(client, messages, clock) as response,
                aclosing(_pieces(response, clock, self._settings.idle_timeout_s)) as pieces,
            ):
                room = MAX_ANSWER_CHARS
                async for text in pieces:
                    room -= len(text)
                    if room < 0:
                        raise ModelError("model_broken", f"{self._where} sent over {MAX_ANSWER_CHARS} characters")
                    yield text

    async def close(self) -> None:
        if self._client:
            await self._client.aclose()

    async def _connect(self) -> httpx.AsyncClient:
        if self._client is None:
            client = await asyncio.to_thread(self._build_client)  # reads the certificates from disk
            self._client = self._client or client
        return self._client

    def _build_client(self) -> httpx.AsyncClient:
        headers = {"Accept": "text/event-stream, application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return http_client(self._url, headers)

    @asynccontextmanager
    async def _opened(
        self, client: httpx.AsyncClient, messages: Sequence[Message], clock: _Patience
    ) -> AsyncIterator[httpx.Response]:
        """A response with status 200. Asks again where the server names what it would take instead."""
        budget = self._settings.prompt_tokens
        for attempts_left in (3, 2, 1, 0):
            request = client.build_request("POST", self._url, json=self._body(messages, budget))
            async with clock:
                response = await client.send(request, stream=True)
            async with aclosing(response):
                if response.status_code == 200:
                    yield response
                    return
                async with clock:
                    said = await _body(response)
            error = refusal(response.status_code, said, self._where, self._key)
            if attempts_left and isinstance(error, PromptTooLongError):
                budget //= 2
            elif attempts_left and self._limit_name == "max_tokens" and "max_completion_tokens" in said:
                self._limit_name = "max_completion_tokens"  # OpenAI's reasoning models know only this name
            else:
                raise error

    def _body(self, messages: Sequence[Message], budget_tokens: int) -> dict[str, Any]:
        prompt = build_prompt(self._settings.system_prompt, (), messages, budget_tokens)
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.text} for message in prompt],
            "stream": True,
            self._limit_name: self._settings.max_tokens,
        }
        if self._settings.temperature is not None:
            body["temperature"] = self._settings.temperature
        return body

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Foreign errors become this project's, in one place, cause kept."""
        try:
            yield
        except TimeoutError as error:
            raise ModelError("model_timeout", f"{self._where} kept silent too long") from error
        except (httpx.ReadError, httpx.RemoteProtocolError) as error:
            raise ModelError("model_broken", f"{self._where} broke the connection off") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = brief(str(error) or type(error).__name__, self._key)
            raise ModelError(
                "model_unavailable", f"cannot reach {self._where} ({said}); remedy: start it, or correct llm.base_url"
            ) from error


class _Patience:
    """A deadline around each wait for the server, moved forward by `renew`. Raises `TimeoutError`."""

    def __init__(self, limit_s: float) -> None:
        self.renew(limit_s)

    def renew(self, limit_s: float) -> None:
        self._deadline = asyncio.get_running_loop().time() + limit_s

    async def __aenter__(self) -> None:
        self._timeout = asyncio.timeout_at(self._deadline)
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: Any) -> None:
        await self._timeout.__aexit__(*raised)


async def _pieces(response: httpx.Response, clock: _Patience, idle_timeout_s: float) -> AsyncGenerator[str, None]:
    if response.headers.get("content-type", "").startswith("application/json"):
        async with clock:
            body = await _body(response)
        if text := read_whole(body):
            yield text
        return
    async with aclosing(_deltas(response, clock)) as deltas:
        async for delta in deltas:
            clock.renew(idle_timeout_s)
            if delta.text:
                yield delta.text
            if delta.finished:
                await _linger(deltas, clock)
                return
    raise ModelError("model_broken", "the language model's server closed the connection in mid-answer")


async def _deltas(response: httpx.Response, clock: _Patience) -> AsyncGenerator[Delta, None]:
    """Each event's share of the answer. Comments (keep-alive pings) are no events and do not renew the clock."""
    reader = SseReader()
    async with aclosing(_chunks(response, clock)) as chunks:
        async for chunk in chunks:
            for data in _read(reader, chunk):
                if data.strip() == DONE:
                    yield Delta("", finished=True)
                    return
                yield read_event(data)


def _read(reader: SseReader, chunk: bytes) -> list[str]:
    try:
        return reader.feed(chunk) if chunk else reader.flush()
    except ValueError as error:
        raise ModelError("model_broken", f"the language model's server sent {error}") from None


async def _chunks(response: httpx.Response, clock: _Patience) -> AsyncGenerator[bytes, None]:
    """The body as it comes, within its bound; an empty chunk at its end."""
    _refuse_encoded(response)
    room = MAX_ANSWER_BYTES
    async with aclosing(cast(AsyncGenerator[bytes, None], response.aiter_raw())) as received:
        while room >= 0:
            async with clock:
                chunk = await anext(received, b"")
            yield chunk
            if not chunk:
                return
            room -= len(chunk)
    raise ModelError("model_broken", f"the language model's server sent over {MAX_ANSWER_BYTES} bytes")


async def _linger(deltas: AsyncGenerator[Delta, None], clock: _Patience) -> None:
    """Read to the end of a stream whose answer is whole, so that its connection can be used again."""
    clock.renew(LINGER_S)
    with suppress(TimeoutError, httpx.HTTPError, ModelError):
        async for _ in deltas:
            pass


async def _body(response: httpx.Response) -> str:
    _refuse_encoded(response)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ModelError("model_broken", f"the language model's server sent over {MAX_BODY_BYTES} bytes at once")
    return body.decode("utf-8", "replace")


def _refuse_encoded(response: httpx.Response) -> None:
    """Nothing compressed was asked for, and a small body can unpack to a very large one."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise ModelError("model_broken", f"the language model's server sent {brief(encoding)} data unasked")
