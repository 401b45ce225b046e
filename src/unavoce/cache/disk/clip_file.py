"""A kept clip as a file: a WAV that anything can play, with what it takes to check it. Pure.

Chunks after `RIFF….WAVE`: `fmt ` (mono, 16 bit), `unav` (JSON: the key and whose clip it is), `data` (the samples), and
last `hash`: BLAKE2b, 32 bytes, over every byte before that chunk. Nothing in it can run when it is read.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from unavoce.audio.pcm import Pcm
from unavoce.cache.kept import Kept
from unavoce.engines.base import Voice
from unavoce.errors import UnavoceError

MAX_FILE_BYTES = 40 << 20
"""180 s of sound at 96 kHz, and some: nothing larger is read."""
MAX_RATE_HZ = 192_000
_RIFF = struct.Struct("<4sI4s")
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")
_HEAD = struct.Struct(f"<{_RIFF.size + _CHUNK.size + _FORMAT.size}s4sI")
"""All before the `unav` chunk, whose size is always the same; that chunk's name; its size."""
_DIGEST_BYTES = 32
_END = _CHUNK.pack(b"hash", _DIGEST_BYTES)


class DamagedClip(UnavoceError):
    """The file is not what was written, or belongs to another key."""


class About(BaseModel):
    """What the `unav` chunk says."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    voice: Voice
    made_at: float
    synthesis_s: float = Field(ge=0)
    cost: float = Field(ge=0)


_ABOUT: TypeAdapter[About] = TypeAdapter(About)


def pack(key: str, kept: Kept) -> bytes:
    """The file of a clip kept under `key`."""
    about = _padded(_json(key, kept))
    samples = np.ascontiguousarray(kept.clip.samples, "<i2").data  # joined, and so copied, only once
    rate_hz = kept.clip.rate_hz
    chunks = (
        _CHUNK.pack(b"fmt ", _FORMAT.size) + _FORMAT.pack(1, 1, rate_hz, 2 * rate_hz, 2, 16),
        _CHUNK.pack(b"unav", len(about)) + about,
        _CHUNK.pack(b"data", samples.nbytes),
    )
    size = 4 + sum(map(len, chunks)) + samples.nbytes + len(_END) + _DIGEST_BYTES
    body = (_RIFF.pack(b"RIFF", size, b"WAVE"), *chunks, samples)
    return b"".join((*body, _END, _digest(*body)))


def unpack(key: str, data: bytes) -> Kept:
    """The clip in a file that was kept under `key`. Raises DamagedClip."""
    body, end = memoryview(data)[: -len(_END) - _DIGEST_BYTES], data[-len(_END) - _DIGEST_BYTES :]
    if end != _END + _digest(body):
        raise DamagedClip("its digest does not fit")
    about, at = _about(data)
    if about.key != key:
        raise DamagedClip("it belongs to another key")
    return _kept(about, data, at, len(body))


def about(data: bytes) -> About:
    """Whose clip a file holds, by its beginning (4 KiB do); unchecked but for its form. Raises DamagedClip."""
    return _about(data)[0]


def _about(data: bytes) -> tuple[About, int]:
    """What the file says of itself, and where the `data` chunk begins."""
    try:
        _, name, size = _HEAD.unpack_from(data)
        if data[:4] != b"RIFF" or name != b"unav":
            raise DamagedClip("it is no clip of this cache")
        return _ABOUT.validate_json(data[_HEAD.size : _HEAD.size + size]), _HEAD.size + size
    except (struct.error, ValidationError) as error:
        raise DamagedClip("what it says of itself cannot be read") from error


def _kept(about: About, data: bytes, at: int, end: int) -> Kept:
    rate_hz = _FORMAT.unpack_from(data, _RIFF.size + _CHUNK.size)[2]
    name, size = _CHUNK.unpack_from(data, at)
    begin = at + _CHUNK.size
    if name != b"data" or begin + size != end or size % 2 or not 0 < rate_hz <= MAX_RATE_HZ:
        raise DamagedClip("its sound cannot be read")
    samples = np.frombuffer(data, "<i2", size // 2, begin).astype(np.int16, copy=False)
    return Kept(Pcm(samples, rate_hz), about.voice, about.made_at, about.synthesis_s, about.cost)


def _json(key: str, kept: Kept) -> bytes:
    content: dict[str, Any] = {"key": key, "voice": asdict(kept.voice), "made_at": kept.made_at}
    content |= {"synthesis_s": kept.synthesis_s, "cost": kept.cost}
    return json.dumps(content).encode("ascii")


def _padded(text: bytes) -> bytes:
    """RIFF chunks have even sizes."""
    return text + b" " * (len(text) % 2)


def _digest(*body: bytes | memoryview) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in body:
        digest.update(part)
    return digest.digest()
