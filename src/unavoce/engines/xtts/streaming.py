"""xtts-streaming-server: a speaker is an embedding, fetched once and sent with every request; the sound streams.

An error in the synthesis is status 200 and a connection that is cut, so nothing but the end tells success.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from unavoce.audio.wav import WavReader
from unavoce.engines.base import Emit
from unavoce.engines.remote import Answer, SpeechServer
from unavoce.engines.xtts.dialect import Dialect, Offer, Part, as_json, names
from unavoce.engines.xtts.options import XttsOptions
from unavoce.errors import EngineUnavailable

FETCH_LIMIT_S: Final = 60.0
"""For all speakers' embeddings (29 MB with the 58 of XTTS v2), or for the cloning of one."""
MAX_WAV_BYTES: Final = 32 << 20
_DECODER = json.JSONDecoder()
_SIGN = re.compile(r"\s*([{},:])\s*")
_KEYS = ("speaker_embedding", "gpt_cond_latent")


@dataclass(frozen=True, slots=True)
class _Embedding:
    """A speaker as the server wrote it: an object of half a megabyte, too much to be written anew per sentence."""

    body: bytes
    digest: str

    @classmethod
    def of(cls, body: bytes) -> _Embedding:
        return cls(body.strip(), hashlib.sha256(body.strip()).hexdigest()[:16])


class Streaming(Dialect):
    name: ClassVar[str] = "streaming"
    title: ClassVar[str] = "xtts-streaming-server"

    def __init__(self, server: SpeechServer, options: XttsOptions) -> None:
        super().__init__(server, options)
        self._embeddings: dict[str, _Embedding] = {}

    async def look(self) -> Offer | None:
        languages = as_json(await self._server.ask("GET", "/languages"))
        if not isinstance(languages, list):
            return None
        answer = await self._server.ask("GET", "/studio_speakers", limit_s=FETCH_LIMIT_S)
        embeddings = await asyncio.to_thread(_embeddings, answer)
        if embeddings is None:
            return None
        self._embeddings = embeddings
        return Offer(tuple(embeddings), names(languages))

    async def clone(self, wav: str) -> None:
        files = {"wav_file": ("speaker.wav", await asyncio.to_thread(self._read, wav), "audio/wav")}
        answer = await self._server.ask("POST", "/clone_speaker", limit_s=FETCH_LIMIT_S, files=files)
        if not _is_embedding(await asyncio.to_thread(as_json, answer)):
            raise EngineUnavailable(
                f"{self._server.where} could not clone a speaker (status {answer.status}); "
                f"remedy: set {self._server.entry('SPEAKER')} to a WAV with some seconds of speech"
            )
        self._embeddings[wav] = _Embedding.of(answer.body)

    def _read(self, wav: str) -> bytes:
        """A speaker's file on this machine."""
        try:
            with Path(wav).expanduser().open("rb") as file:
                return file.read(MAX_WAV_BYTES)
        except OSError as error:
            reason = f"cannot read {wav} ({error.strerror})"
            raise EngineUnavailable(f"{reason}; remedy: correct {self._server.entry('SPEAKER')}") from error

    def fingerprint(self, speaker: str) -> str:
        return self._embeddings[speaker].digest

    async def speak(self, part: Part, emit: Emit) -> None:
        # The size of a stream's steps is a text to this server. With a header, its sound tells its rate.
        wish = {"text": part.text, "language": part.language, "add_wav_header": True, "stream_chunk_size": "20"}
        body = json.dumps(wish, ensure_ascii=False).encode()[:-1] + b"," + self._embeddings[part.speaker].body[1:]
        headers = {"Content-Type": "application/json"}
        await self._server.speak("POST", "/tts_stream", WavReader(), emit, content=body, headers=headers)


def _embeddings(answer: Answer) -> dict[str, _Embedding] | None:
    """Every speaker's embedding as the server wrote it; None when the answer is not a JSON object."""
    if answer.status != 200:
        return None
    found: dict[str, _Embedding] = {}
    try:
        for name, value, source in _members(answer.body.decode()):
            if names([name]) and _is_embedding(value):
                found[name] = _Embedding.of(source.encode())
    except (ValueError, RecursionError):
        return None
    return found


def _members(text: str) -> Iterator[tuple[str, object, str]]:
    """Name, value and JSON of each member of the object `text`. Raises ValueError for anything else.

    One by one: reading 29 MB in one call would stop every other thread for half a second.
    """
    sign, at = _sign(text, 0, "{")
    while sign != "}" and text[at : at + 1] != "}":
        name, end = _DECODER.raw_decode(text, at)
        _, begin = _sign(text, end, ":")
        value, end = _DECODER.raw_decode(text, begin)
        yield str(name), value, text[begin:end]
        sign, at = _sign(text, end, ",}")


def _sign(text: str, at: int, allowed: str) -> tuple[str, int]:
    """The sign at `at`, one of `allowed`, and the place behind it and the blanks around it."""
    found = _SIGN.match(text, at)
    if found is None or found[1] not in allowed:
        raise ValueError(f"none of {allowed} at {at}")
    return found[1], found.end()


def _is_embedding(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), list) and value[key] for key in _KEYS)
