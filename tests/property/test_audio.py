"""What holds of sound however it is cut, however loud it is and whatever its rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unavoce.audio.edges import LOUD, MAX_HELD_S, Edges
from unavoce.audio.leveller import Leveller
from unavoce.audio.limiter import CEILING, Limiter
from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.resample import Floats, Resampler, to_int16
from unavoce.audio.shaper import SoundShaper
from unavoce.audio.wav import WavReader, wav_bytes
from unavoce.errors import AudioError

Cut = TypeVar("Cut", Samples, bytes)
RATES = st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
relaxed = settings(deadline=None, max_examples=60)


@st.composite
def clips(draw: st.DrawFn, longest: int = 12_000) -> Samples:
    """Stretches of noise, tone, offset, square wave and silence, at any level, one after another."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = [np.empty(0)]
    for _ in range(draw(st.integers(0, 5))):
        size, level = draw(st.integers(0, longest // 5)), draw(st.sampled_from([0, 3, 90, 110, 2_000, 15_000, 32_768]))
        shapes: list[Callable[[], np.ndarray]] = [
            lambda n=size: rng.uniform(-1, 1, n),
            lambda n=size: np.sin(np.arange(n) / 7),
            lambda n=size: np.ones(n),
            lambda n=size: np.where(np.arange(n) // 20 % 2, 1.0, -1.0),
        ]
        parts.append(level * draw(st.sampled_from(shapes))())
    return to_int16(np.concatenate(parts))


@st.composite
def cuts(draw: st.DrawFn) -> list[float]:
    """Places to cut at, as shares of the length; equal ones make empty pieces."""
    return sorted(draw(st.lists(st.floats(0, 1), max_size=12)))


def pieces(whole: Cut, places: Sequence[float]) -> Iterator[Cut]:
    bounds = [0, *(round(place * len(whole)) for place in places), len(whole)]
    return (whole[start:stop] for start, stop in pairwise(bounds))


def shaped(parts: Iterator[Samples], from_hz: int, to_hz: int, gain: float) -> Samples:
    shaper = SoundShaper(to_hz, gain)
    return np.concatenate([*(shaper.feed(Pcm(part, from_hz)) for part in parts), shaper.end(0.1)])


def staged(stage: Limiter | Leveller, parts: Iterator[Samples]) -> Floats:
    return np.concatenate([*(stage.feed(part.astype(np.float32)) for part in parts), stage.end()])


def edged(parts: Iterator[Samples], rate_hz: int = 24_000) -> Samples:
    edges = Edges(rate_hz)
    return np.concatenate([*(edges.feed(part) for part in parts), edges.end()])


@relaxed
@given(clips(), cuts(), RATES, RATES, st.sampled_from([0.3, 1.0, 6.0]))
def test_any_split_gives_the_same_sound(
    clip: Samples, places: list[float], from_hz: int, to_hz: int, gain: float
) -> None:
    """However an engine's sound is cut into pieces, what leaves is the same to the last bit."""
    whole = shaped(iter([clip]), from_hz, to_hz, gain)
    assert np.array_equal(whole, shaped(pieces(clip, places), from_hz, to_hz, gain))


@relaxed
@given(clips(), RATES, RATES)
def test_a_sentence_never_gets_longer_and_ends_in_its_pause(clip: Samples, from_hz: int, to_hz: int) -> None:
    """The shaper adds nothing but the pause, which is silent and of the length asked for."""
    out, pause = shaped(iter([clip]), from_hz, to_hz, 1.0), round(0.1 * to_hz)
    assert pause <= len(out) <= len(clip) * to_hz / from_hz + 1 + pause
    assert not out[len(out) - pause :].any()


@relaxed
@given(clips(), cuts(), RATES, RATES)
def test_resampling_keeps_the_length(clip: Samples, places: list[float], from_hz: int, to_hz: int) -> None:
    """A resampled stream has the scaled number of samples, within one, whatever its pieces."""
    resampler = Resampler(from_hz, to_hz)
    count = sum(len(resampler.feed(part)) for part in pieces(clip, places)) + len(resampler.end())
    assert abs(count - len(clip) * to_hz / from_hz) <= 1


@relaxed
@given(clips(), cuts(), RATES, st.sampled_from([Limiter, Leveller]))
def test_a_gain_stage_loses_no_sample_and_knows_no_split(
    clip: Samples, places: list[float], rate_hz: int, kind: type[Limiter | Leveller]
) -> None:
    """Limiter and leveller give one sample for each they take, the same for any split."""
    whole = staged(kind(rate_hz), iter([clip]))
    assert len(whole) == len(clip)
    assert np.array_equal(whole, staged(kind(rate_hz), pieces(clip, places)))


@relaxed
@given(st.integers(1, 5_000), st.floats(0.03, 8), st.sampled_from([Limiter, Leveller]))
def test_pieces_of_one_size_show_no_seam(size: int, level: float, kind: type[Limiter | Leveller]) -> None:
    """Swelling noise, where every step counts, passes a stage in pieces of any size as it does in one."""
    at = np.arange(30_000)
    sound = np.random.default_rng(size).normal(0, 8_000 * level, len(at)) * (0.5 + 0.4 * np.sin(at / 900))
    sound = sound.astype(np.float32)
    stage, whole = kind(24_000), kind(24_000)
    parts = [*(stage.feed(sound[start : start + size]) for start in range(0, len(at), size)), stage.end()]
    assert np.array_equal(np.concatenate(parts), np.concatenate([whole.feed(sound), whole.end()]))


@relaxed
@given(clips(), RATES, st.floats(0.1, 10))
def test_nothing_passes_the_ceiling(clip: Samples, rate_hz: int, gain: float) -> None:
    """After the limiter no sample is above -1 dBFS, and what is left at rest keeps its sign."""
    sound = clip.astype(np.float32) * np.float32(gain)
    limiter = Limiter(rate_hz)
    limited = np.concatenate([limiter.feed(sound), limiter.end()])
    assert np.abs(limited).max(initial=0.0) <= CEILING * (1 + 1e-6)
    assert np.all(limited * sound >= 0)


@relaxed
@given(clips(), RATES)
def test_the_limiter_leaves_quiet_sound_alone(clip: Samples, rate_hz: int) -> None:
    """Sound below the ceiling comes out as it went in, bit for bit."""
    quiet = (clip * 0.89).astype(np.int16)
    assert np.array_equal(staged(Limiter(rate_hz), iter([quiet])), quiet.astype(np.float32))


@relaxed
@given(clips(), cuts())
def test_trimming_keeps_all_speech_and_its_margins(clip: Samples, places: list[float]) -> None:
    """From 30 ms before the first loud sample to 40 ms after the last all is kept, only the outer 4 ms faded."""
    out = edged(pieces(clip, places))
    loud = np.flatnonzero(np.abs(clip.astype(int)) > LOUD)
    if len(loud) == 0:
        assert len(out) == 0
        return
    kept = clip[max(0, loud[0] - 720) : loud[-1] + 1 + 960]
    assert len(out) == len(kept)
    assert np.array_equal(out[96:-96], kept[96:-96])
    assert np.all(np.abs(out.astype(int)) <= np.abs(kept.astype(int)))


@relaxed
@given(clips(), clips())
def test_a_seam_has_no_step(before: Samples, after: Samples) -> None:
    """Where two sentences meet, the first and last samples are next to nothing: the fades end in silence."""
    for clip in (before, after):
        out = edged(iter([clip]))
        if len(out) > 192:
            assert max(abs(int(out[0])), abs(int(out[-1]))) <= 32_768 * 0.0001 + 1


@relaxed
@given(clips(), cuts(), RATES, st.sampled_from([None, 0, 36, 0xFFFFFFFF]))
def test_wav_comes_back_however_it_is_read(clip: Samples, places: list[float], rate_hz: int, size: int | None) -> None:
    """A WAV, of known or unknown length, gives the samples that were written, however its bytes fall."""
    data = wav_bytes(clip, rate_hz)
    if size is not None and size != len(clip) * 2:
        data = data[:40] + size.to_bytes(4, "little") + data[44:]
    reader = WavReader()
    read = [reader.feed(part) for part in pieces(data, places)]
    reader.end()
    assert np.array_equal(np.concatenate(read), clip)
    assert reader.rate_hz == rate_hz


@relaxed
@given(st.binary(max_size=200), st.booleans(), cuts())
def test_bytes_that_are_no_wav_are_refused(noise: bytes, headed: bool, places: list[float]) -> None:
    """Whatever bytes come, the reader gives sound or an AudioError, whole and in pieces alike."""
    data = wav_bytes(np.zeros(3, np.int16), 8_000)[:12] + noise if headed else noise
    assert _outcome(iter([data])) == _outcome(pieces(data, places))


def _outcome(parts: Iterator[bytes]) -> list[int] | None:
    """The samples, or None where an AudioError says there are none."""
    reader = WavReader()
    try:
        read = [reader.feed(part) for part in parts]
        reader.end()
    except AudioError:
        return None
    return [int(sample) for part in read for sample in part]


def test_a_long_pause_is_not_held_for_ever() -> None:
    """Silence in mid-sentence leaves after two seconds at most, at its full length, and memory stays bounded."""
    edges, loud = Edges(24_000), np.full(2_400, 9_000, np.int16)
    silence = np.zeros(24_000, np.int16)
    out = [edges.feed(loud)]
    for _ in range(10):
        out.append(edges.feed(silence))
        assert 2_400 + 24_000 * len(out[1:]) - sum(map(len, out)) <= MAX_HELD_S * 24_000
    out += [edges.feed(loud), edges.end()]
    assert np.array_equal(np.concatenate(out)[96:-96], np.concatenate([loud, *[silence] * 10, loud])[96:-96])


@pytest.mark.parametrize("size", [0, 1, 50_000])
def test_silence_gives_only_the_pause(size: int) -> None:
    """A clip without a sound, of any length, comes out as its pause."""
    assert not shaped(iter([np.zeros(size, np.int16)]), 22_050, 24_000, 3.0).any()
    assert len(shaped(iter([np.zeros(size, np.int16)]), 22_050, 24_000, 3.0)) == 2_400
