"""A sentence that leaves as Opus while it is made: which pieces leave when, and what a failed encode costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import numpy as np
import pytest
from tests.support.listening import Ear
from tests.support.opus import by_libav, by_libsndfile, rms
from tests.support.virtual_time import run_virtually

from unavoce.audio.opus import OpusPiece, OpusPieces
from unavoce.audio.pcm import Samples
from unavoce.audio.wav import parse_wav
from unavoce.chain.chain import Chain
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.errors import AudioError
from unavoce.narration import encoder
from unavoce.narration.encoder import LEAST_OPUS_S, OPUS_TYPE, WAV_TYPE, Encoded, Encoder, Encoding, Format
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.playback import PlaybackClock
from unavoce.narration.speaker import IN_HAND_S
from unavoce.narration.stage import Stage

SENTENCE = "The kettle is on, the lights are low, and dinner will be served at eight by the window, sir."
TWO = f"{SENTENCE} Then there will be tea in the library, and after that a little music by the fire. "
RATE_HZ = 24_000


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual clock would not wait for a thread."""

    async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


def said(text: str, *, format: Format = "opus", **options: Any) -> tuple[Ear, ReplyNarrator]:
    """The reply as it was heard, by an engine with these options."""

    async def tokens() -> AsyncGenerator[str, None]:
        yield text

    async def work() -> tuple[Ear, ReplyNarrator]:
        one = FakeEngine(FakeOptions(rate_hz=RATE_HZ, **options))
        async with Stage(Chain([one]), rehearse=False) as stage:
            await asyncio.sleep(0)
            stage.levels.learn(one.voices()[0], one.tone(SENTENCE, one.voices()[0]))
            ear, chain = Ear(), stage.chain
            plan = Plan(chain.casting(chain.find_voice(None)), Encoder(format), rate_hz=RATE_HZ)
            narrator = ReplyNarrator(stage, plan, ear)
            await narrator.run(tokens())
            return ear, narrator

    return run_virtually(work())


def heard(ear: Ear) -> Samples:
    return np.concatenate([chunk.samples for _, chunk in ear.chunks])


# -- which pieces leave


def test_small_pieces_of_a_quick_engine_are_joined() -> None:
    """The reply's first piece leaves as it comes; of all others none is shorter than half a second, though the engine's
    are shorter, and nothing is missing."""
    quick, _ = said(TWO, pieces=16, real_time_factor=0.1, delay_s=0.05)
    durations = [chunk.duration_s for _, chunk in quick.chunks]
    assert durations[0] < 0.3
    assert min(durations[1:]) >= LEAST_OPUS_S
    wav, _ = said(TWO, format="wav", pieces=16, real_time_factor=0.1, delay_s=0.05)
    assert len(wav.chunks) > 1.5 * len(quick.chunks)
    assert np.array_equal(heard(quick), heard(wav))


@pytest.mark.parametrize("pace", [0.6, 0.98])
def test_a_piece_leaves_smaller_before_its_listener_runs_dry(pace: float) -> None:
    """An engine hardly faster than its listener: a piece waits only while the listener has 0.1 s in hand, and
    nobody hears more silence than with WAV but for the 25 ms that Opus keeps back."""
    options: dict[str, Any] = {"pieces": 40, "real_time_factor": pace, "delay_s": 0.3}
    slow, _ = said(SENTENCE, **options)
    wav, _ = said(SENTENCE, format="wav", **options)
    assert any(chunk.duration_s < LEAST_OPUS_S for _, chunk in slow.chunks[1:-1])
    assert slow.silence_s <= wav.silence_s + 0.025
    clock = PlaybackClock()
    for at_s, chunk in slow.chunks:
        assert chunk.duration_s >= LEAST_OPUS_S or chunk.last or clock.ahead_s(at_s) <= IN_HAND_S + 1e-6
        clock.sent(at_s, chunk.duration_s)
    assert np.array_equal(heard(slow), heard(wav))


# -- what is sent is what is said to be sent


def test_each_chunk_holds_the_samples_it_names() -> None:
    """Two decoders find in each chunk as many samples as it names, and joined they are the sentence's sound."""
    ear, _ = said(TWO, pieces=20)
    assert len(ear.chunks) > 4
    for _, chunk in ear.chunks:
        assert chunk.content_type == OPUS_TYPE
        assert len(by_libav(chunk.audio)) == 2 * len(chunk.samples)
        assert len(by_libsndfile(chunk.audio)[0]) == len(chunk.samples)
    joined = np.concatenate([by_libav(chunk.audio)[::2] for _, chunk in ear.chunks])
    assert rms(joined - heard(ear) / 32_768) < 0.1 * rms(heard(ear) / 32_768)


# -- a failed encode


class FailsAt:
    """Lets the encoders of a process fail at the `number`-th thing they are asked (from 0), whoever asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        self.asked = 0
        for name in ("feed", "end"):
            self._wrap(monkeypatch, name, number)

    def _wrap(self, monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
        real = getattr(OpusPieces, name)

        def wrapped(pieces: OpusPieces, samples: Samples) -> OpusPiece:
            self.asked += 1
            if self.asked == number + 1:
                raise AudioError("as scripted")
            made: OpusPiece = real(pieces, samples)
            return made

        monkeypatch.setattr(OpusPieces, name, wrapped)


@pytest.mark.parametrize("number", range(5))
def test_a_failure_in_mid_sentence_costs_one_chunk(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Whichever encode fails: that chunk alone leaves as WAV and is counted, all samples are there, and the next is
    Opus again and goes on from what was heard, as near to the sound as any other."""
    whole, _ = said(SENTENCE, pieces=10)
    FailsAt(monkeypatch, number)
    ear, narrator = said(SENTENCE, pieces=10)
    types = [chunk.content_type for _, chunk in ear.chunks]
    assert types == [WAV_TYPE if index == number else OPUS_TYPE for index in range(len(types))]
    assert len(types) > 5
    assert sum(sentence.encode_failures for sentence in narrator.trace.sentences) == 1
    assert np.array_equal(heard(ear), heard(whole))
    assert np.array_equal(parse_wav(ear.chunks[number][1].audio).samples, ear.chunks[number][1].samples)
    joined = np.concatenate([sound_of(chunk.content_type, chunk.audio) for _, chunk in ear.chunks])
    seam = sum(len(chunk.samples) for _, chunk in ear.chunks[: number + 1])
    error = joined - heard(ear) / 32_768
    assert rms(error[seam : seam + RATE_HZ // 50]) < 0.1 * rms(heard(ear) / 32_768)


def sound_of(content_type: str, audio: bytes) -> np.ndarray:
    return parse_wav(audio).samples / 32_768 if content_type == WAV_TYPE else by_libav(audio)[::2]


# -- one sound on its way out


async def leaving(encoding: Encoding, parts: list[Samples]) -> list[Encoded]:
    for part in parts[:-1]:
        encoding.add(part)
        await encoding.piece()
    await encoding.rest(parts[-1])
    return encoding.left


def test_what_left_is_remembered_in_order() -> None:
    """Everything that was added leaves once, in order, in both formats; only Opus keeps a little back meanwhile."""
    parts = [np.arange(start, start + 3_000, dtype=np.int16) for start in range(0, 15_000, 3_000)]
    for format, kept_s in (("wav", 0.0), ("opus", 0.025)):
        encoding = Encoder(format).begin(RATE_HZ)  # type: ignore[arg-type]
        encoding.add(parts[0])
        assert encoding.waiting_s == 0.125
        asyncio.run(encoding.piece())
        assert encoding.waiting_s <= kept_s
        left = asyncio.run(leaving(encoding, parts[1:]))
        assert encoding.waiting_s == 0
        assert np.array_equal(np.concatenate([sound.samples for sound in left]), np.concatenate(parts))


def test_a_piece_of_less_than_a_packet_waits() -> None:
    """Nothing leaves as Opus until a packet is full; the end takes it along."""
    encoding = Encoder("opus").begin(RATE_HZ)
    encoding.add(np.zeros(200, np.int16))
    assert asyncio.run(encoding.piece()) is None
    assert len(asyncio.run(encoding.rest(np.zeros(10, np.int16))).samples) == 210


# -- the first of all


def test_a_reply_in_opus_loads_it_before_its_first_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first Opus of a process waits for is loaded while the sentence is made; for WAV nothing is."""
    loaded: list[int] = []
    monkeypatch.setattr(encoder, "opus_is_loaded", lambda: bool(loaded))
    monkeypatch.setattr(encoder, "load_opus", lambda: loaded.append(1))
    said(SENTENCE, format="wav")
    assert not loaded
    first, _ = said(SENTENCE)
    assert loaded == [1]
    said(SENTENCE)
    assert loaded == [1]
    assert first.chunks[0][1].content_type == OPUS_TYPE


def test_where_it_cannot_be_loaded_the_reply_is_heard_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the codec each chunk leaves as WAV and is counted; loading it ahead is no failure of the reply."""

    def missing(*_: object) -> None:
        raise AudioError("no codec here")

    monkeypatch.setattr(encoder, "opus_is_loaded", lambda: False)
    monkeypatch.setattr(encoder, "load_opus", missing)
    monkeypatch.setattr(OpusPieces, "__init__", missing)
    ear, narrator = said(SENTENCE, pieces=4)
    assert {chunk.content_type for _, chunk in ear.chunks} == {WAV_TYPE}
    assert ear.end.reason == "complete"
    assert sum(sentence.encode_failures for sentence in narrator.trace.sentences) == len(ear.chunks)
