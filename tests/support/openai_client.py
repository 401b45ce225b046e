"""The official client of OpenAI's API, pointed at one of our servers, and bare HTTP beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from openai import AsyncOpenAI, AsyncStream, OpenAI
from tests.support.server import quick_engine

from unavoce.engines.fake import Call, FakeEngine, Step
from unavoce.narration.upkeep import OWN_PHRASES

TEXT = "Certainly, sir. The kettle is on. It sings."


@asynccontextmanager
async def asking(url: str, key: str = "not-needed") -> AsyncIterator[AsyncOpenAI]:
    """The client as its users make it, but that it asks once only: an error is to be seen."""
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        yield client


@contextmanager
def asking_in_a_thread(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{url}/v1", api_key="not-needed", max_retries=0) as client:
        yield client


@asynccontextmanager
async def bare(url: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        yield client


def wanting(text: str = TEXT, **fields: Any) -> dict[str, Any]:
    """A request as most clients send it."""
    return {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm", **fields}


async def said(client: AsyncOpenAI, text: str = TEXT, **fields: Any) -> bytes:
    """The sound of a text, whole; as PCM unless the fields say otherwise."""
    return (await client.audio.speech.create(**wanting(text, **fields))).content


async def events(client: AsyncOpenAI, text: str = TEXT, **fields: Any) -> AsyncStream[Any]:
    """The same as the client's own stream of server-sent events, which raises what is told as an error."""
    body = wanting(text, stream_format="sse", **fields)
    return await client.post("/audio/speech", body=body, cast_to=object, stream=True, stream_cls=AsyncStream[Any])


def asked(engine: FakeEngine) -> list[Call]:
    """What the engine was asked to say, but for what the server itself lets it say at the start."""
    return [call for call in engine.calls if call.spoken not in OWN_PHRASES]


def engine_that(step: Step, spoken: str, **options: Any) -> FakeEngine:
    """Tones at once, but at one sentence that step."""
    engine = quick_engine(**options)
    engine.script = lambda _, text: step if text == spoken else Step()
    return engine
