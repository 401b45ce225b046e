"""What `unavoce doctor` looks at. Every check really uses its part, and returns one finding."""

from __future__ import annotations

import asyncio
import platform
import socket
import sys
import tempfile
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
import numpy as np

from unavoce.audio.opus import opus_bytes
from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.cli.address import server_url
from unavoce.cli.card import SoundCard
from unavoce.composition import cores_for
from unavoce.cores import Cores
from unavoce.engines.base import Engine, EngineContext
from unavoce.engines.registry import create_engine
from unavoce.errors import REMEDY, AudioError, ModelError, UnavoceError
from unavoce.llm.base import LanguageModel, Message
from unavoce.llm.factory import create_model
from unavoce.outbound import is_loopback
from unavoce.server import exposure
from unavoce.settings import Settings

PHRASE = "All systems are working."
ENGINE_LIMIT_S = 60.0
"""For loading an engine and one short phrase together."""
MODEL_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`note`: worth knowing, nothing to mend. `remedy`: what to type or change."""

    part: str
    status: Literal["ok", "note", "wrong"]
    detail: str
    remedy: str = ""


def python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} at {sys.executable}")


def data_dir(path: Path) -> Finding:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path):
            return Finding("data directory", "ok", str(path))
    except OSError as error:
        remedy = f"make {path} writable for this user, or set UNAVOCE_DATA_DIR to a folder that is"
        return Finding("data directory", "wrong", f"{path} cannot be written ({error.strerror})", remedy)


async def port(settings: Settings) -> Finding:
    """Free, or taken by a server of ours: both are well."""
    address = f"{settings.host}:{settings.port}"
    try:
        bind(settings.host, settings.port)
    except OSError as error:
        if await _answers_like_us(settings):
            return Finding("port", "ok", f"{address}: an unavoce server is running there")
        return Finding(
            "port",
            "wrong",
            f"cannot listen at {address} ({error.strerror})",
            "stop the program that uses it, or choose another with UNAVOCE_PORT or --port",
        )
    return Finding("port", "ok", f"{address} is free")


def bind(host: str, number: int) -> None:
    """Raises OSError where nobody can listen there now."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


async def _answers_like_us(settings: Settings) -> bool:
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            page, health = [await client.get(server_url(settings) + path) for path in ("/", "/healthz")]
    except httpx.HTTPError:
        return False
    return health.status_code == httpx.codes.OK and "unavoce" in page.text


def doors(settings: Settings) -> Finding:
    """A server that others can reach should ask for a key."""
    if not exposure.is_open(settings):
        return Finding("access", "ok", "API keys are set" if settings.api_keys else "this machine only")
    detail = f"WARNING: anyone who can reach {settings.host} may use this server: no API key is set"
    return Finding("access", "note", detail, exposure.REMEDY)


async def engine(name: str, settings: Settings) -> Finding:
    """Load the engine and let it speak a phrase in its default voice."""
    part = f"engine {name}"
    try:
        context = EngineContext(data_dir=settings.data_dir, cores=cores_for(settings))
        # Finding and making an engine reads files.
        speaker = await asyncio.to_thread(create_engine, name, settings.engine_section(name), context)
        async with asyncio.timeout(ENGINE_LIMIT_S):
            return _spoken(part, *await _try_engine(speaker), speaker.max_concurrency)
    except TimeoutError:
        detail = f"did not speak within {ENGINE_LIMIT_S:.0f} s"
        return Finding(part, "wrong", detail, _engine_remedy(name))
    except UnavoceError as error:
        return Finding(part, "wrong", *_cause_and_remedy(error, _engine_remedy(name)))
    except Exception as error:  # an engine may be anyone's: its faults are findings, not ours
        detail = f"raised {type(error).__name__}: {error}"
        return Finding(part, "wrong", detail, "tell the engine's author, or leave it out of UNAVOCE_ENGINES")


async def _try_engine(speaker: Engine) -> tuple[str, float, float]:
    """What it says of itself, the seconds of its sound, and those it took for it."""
    try:
        await speaker.start()
        voice = speaker.voices()[0]
        began = time.perf_counter()
        heard: list[Pcm] = []
        await speaker.synthesise(PHRASE, voice, heard.append)
        took_s = time.perf_counter() - began
    finally:
        await speaker.close()
    sound = Pcm(np.concatenate([piece.samples for piece in heard]), heard[0].rate_hz) if heard else None
    if sound is None or (fault := implausible(sound, PHRASE)):
        raise AudioError(f"what it spoke cannot be the text ({fault if sound else 'no sound'})")
    return speaker.detail or voice.name, sound.duration_s, took_s


def _spoken(part: str, who: str, sound_s: float, took_s: float, slots: int) -> Finding:
    """An engine that works, but too slowly to be listened to, is worth a word: replies will begin with the next one."""
    detail = f"{who}: {sound_s:.1f} s of sound in {took_s:.2f} s"
    if took_s <= sound_s * slots:
        return Finding(part, "ok", detail)
    return Finding(
        part,
        "note",
        f"{detail}: slow, it makes sound more slowly than it is heard",
        "give it a faster machine, or name a faster engine behind it, which replies then begin with",
    )


def _engine_remedy(name: str) -> str:
    return (
        f"check the engine's settings (UNAVOCE_{name.upper().replace('-', '_')}__…), or leave it out of UNAVOCE_ENGINES"
    )


def cores(settings: Settings) -> Finding:
    """Who may use this machine's cores; a model server beside us may want some, and cannot say so."""
    part, choice = "cores", cores_for(settings, model_here=True).choice
    where = settings.llm.base_url
    if where and settings.leave_room == "auto" and is_loopback(urlsplit(where).hostname or ""):
        remedy = "where that model computes on the processor, set UNAVOCE_LEAVE_ROOM=always, so that it keeps its share"
        return Finding(part, "note", f"{choice}, but the one at {where} is on this machine", remedy)
    return Finding(part, "ok", choice)


async def model(settings: Settings) -> Finding:
    """Load or reach the language model and wait for its first piece of text."""
    part = "language model"
    where = settings.llm.base_url
    remedy = "check UNAVOCE_LLM__BASE_URL, UNAVOCE_LLM__MODEL and UNAVOCE_LLM__API_KEY" if where else ""
    try:
        async with asyncio.timeout(MODEL_LIMIT_S):
            first_s = await _first_piece(create_model(settings.llm, Cores()))
    except TimeoutError:
        return Finding(part, "wrong", f"no text within {MODEL_LIMIT_S:.0f} s", remedy)
    except UnavoceError as error:
        return Finding(part, "wrong", *_cause_and_remedy(error, remedy))
    name = f"{settings.llm.model} at {where}" if where else (settings.llm.model or "embedded")
    return Finding(part, "ok", f"{name}: first text after {first_s:.2f} s")


async def _first_piece(language_model: LanguageModel) -> float:
    """Seconds from the question to the first text, loading not counted."""
    try:
        await language_model.start()
        began = time.perf_counter()
        async with aclosing(language_model.stream([Message("user", "Good morning.")])) as answer:
            async for piece in answer:
                if piece:
                    return time.perf_counter() - began
    finally:
        await language_model.close()
    raise ModelError("model_broken", "it answered without any text")


def _cause_and_remedy(error: UnavoceError, remedy: str) -> tuple[str, str]:
    """Errors that know their remedy name it after the cause; others get the general one."""
    cause, separator, own = str(error).partition(REMEDY)
    return (cause, own) if separator else (str(error), remedy)


def codecs(settings: Settings) -> Finding:
    """Opus is needed where it is switched on; without it only some files cannot be written."""
    try:
        opus_bytes(np.zeros(settings.sample_rate_hz // 5, np.int16), settings.sample_rate_hz, settings.opus_bitrate)
    except AudioError as error:
        needed = settings.opus_enabled
        return Finding("codecs", "wrong" if needed else "note", str(error), "pip install 'unavoce[codecs]'")
    return Finding("codecs", "ok", f"Opus at {settings.opus_bitrate / 1000:g} kbit/s")


def card(settings: Settings) -> Finding:
    try:
        with SoundCard(settings.sample_rate_hz):
            return Finding("sound card", "ok", "there is one")
    except AudioError as error:
        return Finding("sound card", "note", f"{error} (only `say` and `chat` would play here)")
