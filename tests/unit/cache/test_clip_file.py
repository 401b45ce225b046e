"""A clip as a file: whole or not at all, playable by anything, and without the text."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import wave
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.clips import RATE_HZ, VOICE, kept, key, same, samples

from unavoce.cache.disk.clip_file import DamagedClip, about, pack, unpack
from unavoce.cache.key import key_of
from unavoce.engines.base import Voice

KEY = key(0)
FILE = pack(KEY, kept(0, 4))
"""A small one: every bit of it is flipped below."""


def sealed(body: bytes) -> bytes:
    """A file whose digest fits whatever it holds: what only malice makes."""
    return body + struct.pack("<4sI", b"hash", 32) + hashlib.blake2b(body, digest_size=32).digest()


@given(st.integers(0, 500), st.text(st.characters(exclude_categories=["Cs"])), st.floats(0.25, 4), st.floats(0, 4e9))
def test_what_is_packed_comes_back(count: int, name: str, speed: float, made_at: float) -> None:
    """Every sample, the voice, and what it took to make it, whatever they are."""
    clip = kept(1, count, voice=Voice("fake", name, "en-GB", "m", "s", speed), made_at=made_at)
    assert same(unpack(KEY, pack(KEY, clip)), clip)
    assert about(pack(KEY, clip)).voice == clip.voice


def test_it_is_a_wav_to_the_standard_library() -> None:
    """Python's own reader finds mono, 16 bit, the rate and the samples."""
    with wave.open(io.BytesIO(pack(KEY, kept(2, 500)))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        assert np.array_equal(np.frombuffer(file.readframes(1000), "<i2"), samples(2, 500))


def test_it_is_a_wav_to_other_programs() -> None:
    """libsndfile, which many players use, reads the same samples."""
    sound, rate_hz = soundfile.read(io.BytesIO(pack(KEY, kept(3, 500))), dtype="int16")
    assert rate_hz == RATE_HZ
    assert np.array_equal(sound, samples(3, 500))


def test_riff_sizes_are_true() -> None:
    """Walking from chunk to chunk ends exactly at the file's end, with every chunk at an even place."""
    names, at = [], 12
    assert struct.unpack_from("<I", FILE, 4)[0] == len(FILE) - 8
    while at < len(FILE):
        assert at % 2 == 0
        name, size = struct.unpack_from("<4sI", FILE, at)
        names.append(name)
        at += 8 + size
    assert (names, at) == ([b"fmt ", b"unav", b"data", b"hash"], len(FILE))


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_found(bit: int) -> None:
    """No single bit of a file can change without its being a miss."""
    for place in range(len(FILE)):
        flipped = bytearray(FILE)
        flipped[place] ^= 1 << bit
        with pytest.raises(DamagedClip):
            unpack(KEY, bytes(flipped))


def test_every_truncation_is_found() -> None:
    """A file that lacks any of its end, down to an empty one, is a miss; so is one with something after it."""
    for length in range(len(FILE)):
        with pytest.raises(DamagedClip):
            unpack(KEY, FILE[:length])
    with pytest.raises(DamagedClip):
        unpack(KEY, FILE + b"\0")


def test_a_hole_of_zeros_is_found() -> None:
    """What a power cut leaves, blocks that were never written, is a miss."""
    whole = pack(KEY, kept(0, 8192))
    for begin in range(0, len(whole), 4096):
        torn = whole[:begin] + bytes(len(whole[begin : begin + 4096])) + whole[begin + 4096 :]
        with pytest.raises(DamagedClip):
            unpack(KEY, torn)


def test_a_whole_file_in_another_ones_place_is_found() -> None:
    """A file says which key it belongs to, so files that were swapped are two misses."""
    with pytest.raises(DamagedClip, match="another key"):
        unpack(key(1), FILE)


@given(st.binary(max_size=600))
@example(struct.pack("<4sI", b"hash", 32) + hashlib.blake2b(b"", digest_size=32).digest())
def test_arbitrary_bytes_are_only_ever_damaged(data: bytes) -> None:
    """Nothing else is raised for them, with a digest that fits or without."""
    for file in (data, sealed(data)):
        with pytest.raises(DamagedClip):
            unpack(KEY, file)
        with pytest.raises(DamagedClip):
            about(file)


@given(st.data())
def test_a_file_made_to_deceive_is_damaged_or_harmless(data: st.DataObject) -> None:
    """Bytes put anywhere in a file, and its digest made to fit: a bounded clip of that key, or DamagedClip."""
    body = bytearray(FILE[:-40])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + 4] = data.draw(st.binary(min_size=1, max_size=4))
    try:
        clip = unpack(KEY, sealed(bytes(body)))
    except DamagedClip:
        return
    assert clip.clip.samples.nbytes <= len(body)
    assert 0 < clip.clip.rate_hz <= 192_000
    assert isinstance(clip.voice, Voice)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "../../etc/passwd"},
        {"key": "A" * 64},
        {"voice": "fake"},
        {"voice": {"engine": "fake"}},
        {"voice": {"engine": ["fake"], "name": "tone", "language": "en"}},
        {"made_at": "yesterday"},
        {"made_at": 1e999},
        {"cost": -1},
        {"synthesis_s": None},
    ],
)
def test_what_a_file_says_of_itself_is_checked(change: dict[str, object]) -> None:
    """Other types and other keys than ours are damage, also where the digest fits."""
    said = json.dumps(json.loads(FILE[44 : FILE.index(b"data")]) | change).encode()
    said += b" " * (len(said) % 2)
    body = FILE[:36] + struct.pack("<4sI", b"unav", len(said)) + said + FILE[FILE.index(b"data") : -40]
    with pytest.raises(DamagedClip):
        unpack(KEY, sealed(body))


def test_the_file_of_a_clip_is_the_same_every_time() -> None:
    """Nothing of the time or the process gets into it, so that two of the same clip can be told to be that."""
    assert pack(KEY, kept(0, 4)) == FILE


def test_the_text_is_not_in_it() -> None:
    """Only its digest stands in the file: what somebody was told cannot be read there."""
    spoken = "The number of your account is one two three."
    file = pack(key_of(VOICE, spoken), replace(kept(5)))
    assert not [word for word in spoken.split() if len(word) > 3 and word.encode() in file]
