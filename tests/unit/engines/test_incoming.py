"""Bytes from a server become the same samples however they were split, and what is no sound is refused."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.audio.pcm import Samples
from unavoce.audio.wav import WavReader, wav_bytes
from unavoce.engines.incoming import EitherReader, PcmReader, Pieces, SoundReader
from unavoce.errors import AudioError

RATE_HZ = 24_000
CLIP = (np.sin(np.arange(600) / 9) * 20_000).astype(np.int16)
BARE = CLIP.astype("<i2").tobytes()


def _open_wav(size: int) -> bytes:
    data = bytearray(wav_bytes(CLIP, 22_050))
    data[40:44] = struct.pack("<I", size)
    return bytes(data)


SOUNDS: dict[str, tuple[bytes, Callable[[], SoundReader], int]] = {
    "bare": (BARE, lambda: PcmReader(RATE_HZ), RATE_HZ),
    "wav": (wav_bytes(CLIP, 22_050), WavReader, 22_050),
    "open wav": (_open_wav(0xFFFFFFFF), WavReader, 22_050),
    "bare, either": (BARE, lambda: EitherReader(RATE_HZ), RATE_HZ),
    "wav, either": (_open_wav(0), lambda: EitherReader(RATE_HZ), 22_050),
}


def _read(reader: SoundReader, parts: list[bytes]) -> Samples:
    read = [reader.feed(part) for part in parts]
    reader.end()
    return np.concatenate([np.empty(0, np.int16), *read])


@st.composite
def _splits(draw: st.DrawFn, size: int = 1_400) -> list[int]:
    return sorted(draw(st.lists(st.integers(0, size), max_size=12)))


def _split(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("kind", SOUNDS)
@given(places=_splits())
def test_any_split_gives_the_same_samples(kind: str, places: list[int]) -> None:
    """Wherever reads end, in a header or within a sample, the samples and the rate are those that were sent."""
    data, make, rate_hz = SOUNDS[kind]
    reader = make()
    assert np.array_equal(_read(reader, _split(data, places)), CLIP)
    assert reader.rate_hz == rate_hz


@pytest.mark.parametrize("kind", SOUNDS)
@given(places=_splits())
def test_half_a_sample_at_the_end_is_a_cut_off_sound(kind: str, places: list[int]) -> None:
    """An odd number of bytes is never an ordinary end, however they came."""
    data, make, _ = SOUNDS[kind]
    with pytest.raises(AudioError, match="cut off"):
        _read(make(), _split(data[:-1], places))


PAGES = [
    b'{"detail": "Model not loaded"}',
    b"[1, 2, 3, 4, 5, 6, 7, 8, 9]",
    b"<!doctype html>\n<html lang=en>",
    b"  \n<html><body>404 Not Found</body></html>",
    b"{}",
    b'{"error": 1}',
]


@pytest.mark.parametrize("make", [lambda: PcmReader(RATE_HZ), lambda: EitherReader(RATE_HZ)])
@pytest.mark.parametrize("page", PAGES)
@given(places=_splits(50))
def test_text_instead_of_sound_is_refused(make: Callable[[], SoundReader], page: bytes, places: list[int]) -> None:
    """A JSON answer or a page with status 200 is no sound, however it was split, though its bytes could be samples."""
    with pytest.raises(AudioError, match="text came"):
        _read(make(), _split(page, places))


@pytest.mark.parametrize("mark", [b"ID3\x04", b"OggS\x00", b"fLaC\x00", b"RIFFxxxxAVI "])
@pytest.mark.parametrize("make", [lambda: PcmReader(RATE_HZ), lambda: EitherReader(RATE_HZ)])
def test_packed_sound_is_refused(make: Callable[[], SoundReader], mark: bytes) -> None:
    """A file of another kind would be noise if it were read as samples."""
    with pytest.raises(AudioError, match="came instead of bare samples"):
        make().feed(mark + b"\0" * 40)


@given(samples=st.lists(st.integers(-32_768, 32_767), min_size=8, max_size=60))
def test_sound_is_not_taken_for_text(samples: list[int]) -> None:
    """Samples that are not printable characters throughout come out as they went in."""
    clip = np.array([*samples, 0, 0], np.int16)
    data = clip.astype("<i2").tobytes()
    if data[:1] in b"<{[ \n\t" or data[:3] in (b"ID3", b"Ogg", b"fLa", b"RIF"):
        return
    assert np.array_equal(_read(PcmReader(RATE_HZ), [data]), clip)


def test_an_empty_answer_is_no_sound_and_no_fault_of_the_reader() -> None:
    """Nothing at all gives no samples; whether that can be is judged where the text is known."""
    assert len(_read(PcmReader(RATE_HZ), [])) == 0
    assert len(_read(EitherReader(RATE_HZ), [b""])) == 0


def test_a_few_bytes_are_no_sound() -> None:
    """What is shorter than any sound is an error that says how long it was."""
    with pytest.raises(AudioError, match="only 6 bytes"):
        _read(PcmReader(RATE_HZ), [b"\1\2\3\4\5\6"])


@given(sizes=st.lists(st.integers(1, 9_000), max_size=40))
def test_pieces_lose_nothing_and_are_long_enough(sizes: list[int]) -> None:
    """Every sample leaves once and in order; the first piece has 0.1 s or more, later ones 0.5 s, the last the rest."""
    gathered = Pieces()
    sound = np.arange(sum(sizes), dtype=np.int64).astype(np.int16)
    reads = np.split(sound, np.cumsum(sizes)[:-1]) if sizes else []
    pieces = [piece for read in reads if (piece := gathered.feed(read, RATE_HZ))]
    least_s = [0.1] + [0.5] * len(pieces)
    assert all(piece.duration_s >= least for piece, least in zip(pieces, least_s, strict=False))
    rest = gathered.end(RATE_HZ)
    assert gathered.end(RATE_HZ) is None
    whole = [piece.samples for piece in (*pieces, rest) if piece]
    assert np.array_equal(np.concatenate([sound[:0], *whole]), sound)
