"""Opus in pieces: each decodes by itself to its own samples, and joined they are what one encode of the whole is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.opus import Sound, babble, by_libav, by_libsndfile, rms

from unavoce.audio import opus
from unavoce.audio.opus import PRE_ROLL_S, OpusPiece, OpusPieces, opus_bytes, opus_samples
from unavoce.audio.pcm import Samples
from unavoce.errors import AudioError

RATE_HZ = 24_000
SEAM_S = 0.010
"""On each side of where two pieces meet."""
DECODERS = {"libav": by_libav, "libopus": lambda data: by_libsndfile(data)[0]}
SPLITS = st.lists(st.integers(300, 30_000), min_size=1, max_size=8)


def pieces(sound: Samples, splits: list[int], bitrate: int = 32_000, rate_hz: int = RATE_HZ) -> list[OpusPiece]:
    """The sound fed in parts of these lengths, over and over, to its end; those pieces that hold anything."""
    encoder, made, at, turn = OpusPieces(rate_hz, bitrate), [], 0, 0
    while at + splits[turn % len(splits)] < len(sound):
        made.append(encoder.feed(sound[at : at + splits[turn % len(splits)]]))
        at, turn = at + splits[turn % len(splits)], turn + 1
    return [piece for piece in (*made, encoder.end(sound[at:])) if piece.taken]


def seams(parts: list[Sound]) -> list[int]:
    return list(accumulate(len(part) for part in parts))[:-1]


def near(places: list[int], length: int, rate_hz: int) -> np.ndarray:
    """True within SEAM_S of any of these places."""
    mask, reach = np.zeros(length, bool), round(SEAM_S * rate_hz)
    for place in places:
        mask[max(0, place - reach) : place + reach] = True
    return mask


@settings(max_examples=25)
@given(
    seconds=st.floats(0.3, 4.0),
    splits=SPLITS,
    rate_hz=st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000]),
    bitrate=st.sampled_from([6_000, 16_000, 32_000, 256_000]),
)
def test_each_piece_decodes_to_its_own_samples(seconds: float, splits: list[int], rate_hz: int, bitrate: int) -> None:
    """With two decoders, each piece alone is as long as what it took, and all together as long as the sound: exactly
    where Opus knows the rate; else to a sample, and never more for many pieces than for one."""
    sound = babble(seconds, rate_hz)
    made = pieces(sound, splits, bitrate, rate_hz)
    assert sum(piece.taken for piece in made) == len(sound)
    exact = rate_hz in (16_000, 24_000, 48_000)
    taken = 0
    for piece in made:
        start, taken = taken, taken + piece.taken
        length = taken * 48_000 // rate_hz - start * 48_000 // rate_hz
        assert len(by_libav(piece.data)) == length
        samples, named_hz = by_libsndfile(piece.data)
        assert len(samples) == length * named_hz / 48_000 if exact else abs(len(samples) - length * named_hz / 48e3) < 2


@settings(max_examples=15)
@given(splits=SPLITS, seed=st.integers(0, 50), bitrate=st.sampled_from([16_000, 32_000, 64_000]))
@pytest.mark.parametrize("decoder", DECODERS)
def test_pieces_join_as_if_the_whole_had_been_encoded(decoder: str, splits: list[int], seed: int, bitrate: int) -> None:
    """However the sound is split: around the seams the joined pieces differ from one encode of the whole by less than a
    third of what any encode differs from the sound, and elsewhere by less than a tenth."""
    decode: Callable[[bytes], Sound] = DECODERS[decoder]
    sound = babble(4.0, RATE_HZ, seed)
    whole = decode(opus_bytes(sound, RATE_HZ, bitrate))
    parts = [decode(piece.data) for piece in pieces(sound, splits, bitrate)]
    difference = np.concatenate(parts) - whole
    step = len(whole) // len(sound)
    coding = rms(whole[::step] - sound / 32_768)
    at_seams = near(seams(parts), len(whole), RATE_HZ * step)
    assert rms(difference[at_seams]) < coding / 3
    assert rms(difference[~at_seams]) < coding / 10


def test_without_the_pre_roll_they_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound above tells: pieces whose decoders begin at their own first packet are far outside of it."""
    sound = babble(4.0, RATE_HZ)
    whole = by_libav(opus_bytes(sound, RATE_HZ, 32_000))
    monkeypatch.setattr(opus, "_PRE_ROLL", 0)
    parts = [by_libav(piece.data) for piece in pieces(sound, [9_000])]
    difference = np.concatenate(parts) - whole
    assert rms(difference[near(seams(parts), len(whole), 48_000)]) > rms(whole[::2] - sound / 32_768)


@pytest.mark.parametrize("bitrate", [16_000, 32_000])
def test_an_encoder_that_takes_over_joins_what_was_heard(bitrate: int) -> None:
    """Begun with the last of what was heard, its first piece goes on from there: around the seam it is as near to the
    sound as anywhere."""
    sound = babble(3.0, RATE_HZ, 3)
    for at in range(RATE_HZ, 2 * RATE_HZ, 1_777):
        encoder = OpusPieces(RATE_HZ, bitrate, before=sound[at - round(PRE_ROLL_S * RATE_HZ) : at])
        piece = encoder.end(sound[at:])
        decoded = by_libav(piece.data)[::2]
        assert piece.taken == len(sound) - at == len(decoded)
        error, reach = decoded - sound[at:] / 32_768, round(SEAM_S * RATE_HZ)
        assert rms(error[:reach]) < 0.25 * rms(sound[at - reach : at + reach] / 32_768) + 2 * rms(error)


@given(splits=SPLITS)
@settings(max_examples=10)
def test_our_own_decoder_joins_them_too(splits: list[int]) -> None:
    """What a narrator on another machine makes of the pieces is what it would make of the whole, but for the seams'
    own small error."""
    sound = babble(3.0, RATE_HZ, 5)
    whole = opus_samples(opus_bytes(sound, RATE_HZ, 32_000), RATE_HZ)
    parts = [opus_samples(piece.data, RATE_HZ) for piece in pieces(sound, splits)]
    joined = np.concatenate(parts)
    assert len(joined) == len(sound)
    assert rms((joined - whole.astype(float)) / 32_768) < rms((whole - sound.astype(float)) / 32_768) / 4


def test_little_is_kept_back() -> None:
    """At a rate that Opus knows, a piece takes all but 25 ms at most of what was fed, from the first packet on."""
    encoder = OpusPieces(RATE_HZ, 32_000)
    sound = babble(2.0, RATE_HZ)
    assert encoder.feed(sound[:400]) == OpusPiece(b"", 0)
    fed = 400
    left = 0
    for count in (480, 1, 700, 5_000, 481):
        left += encoder.feed(sound[fed : fed + count]).taken
        fed += count
        assert fed - 0.025 * RATE_HZ <= left <= fed


def test_an_end_with_nothing_left_is_refused() -> None:
    """A file of no samples cannot be decoded, so none is made."""
    with pytest.raises(AudioError, match="at least one sample"):
        OpusPieces(RATE_HZ, 32_000, before=babble(0.2, RATE_HZ)).end(np.zeros(0, np.int16))
