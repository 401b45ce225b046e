"""Kokoro with its real model: what it says is understood, it stops when told, and it leads a chain with Piper."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.hearing import word_error_rate
from tests.support.kokoro import data_dir_with_kokoro

from unavoce import Narrator
from unavoce.audio.pcm import Pcm
from unavoce.cores import Cores
from unavoce.engines import kokoro_onnx
from unavoce.engines.base import EngineContext, Voice
from unavoce.engines.kokoro import KokoroEngine, KokoroOptions
from unavoce.engines.kokoro_onnx import LoadedKokoro, Manner, Piece
from unavoce.engines.kokoro_phonemes import MAX_TOKENS
from unavoce.engines.onnx_runs import Run, Stopped
from unavoce.errors import EngineRefused, EngineUnavailable
from unavoce.narration.events import Chunk
from unavoce.settings import Settings

LIMIT = 0.15
SENTENCE = "The kettle is on, and dinner will be ready in a quarter of an hour."
SENTENCES = ("Good morning, sir, I trust you slept well.", "The kitchen light has been turned off.")
CLAUSES = (
    "When the rain had stopped, the children went down to the river, where the old boat lay, and rowed to the island."
)


@pytest.fixture(scope="module")
def installed() -> Path:
    """A data directory with Kokoro in it."""
    return data_dir_with_kokoro()


@pytest.fixture(scope="module")
def engine(installed: Path) -> Iterator[KokoroEngine]:
    """Loaded once for all tests, in one session."""
    engine = KokoroEngine(KokoroOptions(threads=2), EngineContext(installed, Cores(2)))
    asyncio.run(engine.start())
    yield engine
    asyncio.run(engine.close())


def named(engine: KokoroEngine, name: str) -> Voice:
    return next(voice for voice in engine.voices() if voice.name == name)


async def said(engine: KokoroEngine, text: str, voice: Voice | None = None) -> list[Pcm]:
    pieces: list[Pcm] = []
    await engine.synthesise(text, voice or engine.voices()[0], pieces.append)
    return pieces


def joined(pieces: list[Pcm]) -> Pcm:
    return Pcm(np.concatenate([piece.samples for piece in pieces]), pieces[0].rate_hz)


@pytest.mark.parametrize("name", ["bm_george", "af_heart"])
async def test_is_understood(engine: KokoroEngine, name: str) -> None:
    """A British man and an American woman are understood, at 24 kHz, at a natural level."""
    clip = joined(await said(engine, SENTENCE, named(engine, name)))
    assert clip.rate_hz == 24_000
    assert 3000 < int(np.abs(clip.samples.astype(np.int32)).max()) < 32_767
    assert word_error_rate(SENTENCE, clip.samples, clip.rate_hz) <= LIMIT


async def test_a_long_sentence_comes_in_pieces_that_join(engine: KokoroEngine) -> None:
    """Its first clause is emitted before the rest is computed; joined they are understood and pause as at a comma."""
    pieces = await said(engine, CLAUSES)
    assert len(pieces) > 1
    clip = joined(pieces)
    assert word_error_rate(CLAUSES, clip.samples, clip.rate_hz) <= LIMIT
    seam = len(pieces[0].samples)
    half_a_second = clip.rate_hz // 2
    around = np.abs(clip.samples[seam - half_a_second : seam + half_a_second].astype(np.int32))
    quiet = np.flatnonzero(around > 100)
    assert np.diff(quiet).max() < 0.35 * clip.rate_hz


async def test_speed_shortens(engine: KokoroEngine) -> None:
    """The voice's pace is the model's: half as much again is about two thirds of the sound."""
    voice = engine.voices()[0]
    natural = joined(await said(engine, "Good morning, sir.", voice))
    fast = joined(await said(engine, "Good morning, sir.", replace(voice, speed=1.5)))
    assert 0.5 < fast.duration_s / natural.duration_s < 0.9


async def test_a_cancelled_call_has_stopped_when_it_returns(
    engine: KokoroEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation stops the computation itself; the call returns after that, and the engine speaks again."""
    begun, ends = threading.Event(), list[str]()
    speak = LoadedKokoro.speak

    def watched(loaded: LoadedKokoro, piece: Piece, manner: Manner, run: Run) -> Pcm:
        begun.set()
        try:
            pcm = speak(loaded, piece, manner, run)
        except Stopped:
            ends.append("stopped")
            raise
        ends.append("whole")
        return pcm

    monkeypatch.setattr(LoadedKokoro, "speak", watched)
    emitted: list[Pcm] = []
    call = asyncio.create_task(engine.synthesise(SENTENCE, engine.voices()[0], emitted.append))
    await asyncio.to_thread(begun.wait)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (ends, engine.running, emitted) == (["stopped"], 0, [])
    assert joined(await said(engine, "Good morning.")).duration_s > 0.7


async def test_refuses_what_it_cannot_say(engine: KokoroEngine) -> None:
    """Nothing to pronounce, an unknown voice and too long a text are refused before anything is computed."""
    for text in ("", "...", "?!", "—", "\x00\ud800"):
        with pytest.raises(EngineRefused, match="nothing to pronounce"):
            await said(engine, text)
    with pytest.raises(EngineRefused, match="no voice 'nobody'"):
        await said(engine, SENTENCE, Voice("kokoro", "nobody", "en"))
    with pytest.raises(EngineRefused, match="401 characters"):
        await said(engine, "a" * 401)


@pytest.fixture
def silent(installed: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedKokoro:
    """All of Kokoro but its model."""
    monkeypatch.setattr(kokoro_onnx, "session", lambda _model, _threads: None)
    return LoadedKokoro(installed / "kokoro", 1)


def test_no_text_is_control_syntax(silent: LoadedKokoro) -> None:
    """espeak's brackets are read as any others, and control characters as blanks."""
    manner = Manner("bm_george")
    assert silent.pieces("Good [[h@l'oU]] sir.", manner) == silent.pieces("Good [h@l'oU] sir.", manner)
    assert silent.pieces("Good\x07morning.", manner) == silent.pieces("Good morning.", manner)


def test_what_exceeds_the_model_is_split(silent: LoadedKokoro) -> None:
    """Digits that are read at great length become several pieces, each within the model's limit, none lost."""
    pieces = silent.pieces("7" * 12 + " 7" * 190, Manner("af_heart"))
    assert len(pieces) > 1
    assert all(0 < len(piece.ids) <= MAX_TOKENS for piece in pieces)
    assert [piece.first for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]


@pytest.fixture
def narrator(installed: Path, data_dir: Path) -> Narrator:
    """Of a chain of two engines that moves for failures only, however busy the machine. Reading Piper's small config
    files is the start-up's business, not a reply's."""
    (data_dir / "kokoro").symlink_to(installed / "kokoro")
    patience = Settings(primary_timeout_s=120, pace_check=False, hedge=False, recovery_interval_s=3600)
    return Narrator.from_settings(patience.model_copy(update={"data_dir": data_dir, "engines": ("kokoro", "piper")}))


async def test_leads_a_chain_with_piper(narrator: Narrator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kokoro speaks until it breaks, the rest of the reply is Piper's, and so is the next one from its first word."""
    first_is_heard = threading.Event()
    pieces = LoadedKokoro.pieces

    def breaking(loaded: LoadedKokoro, spoken: str, manner: Manner) -> list[Piece]:
        if spoken == SENTENCES[1]:
            first_is_heard.wait(60)
            raise EngineUnavailable("out of order")
        return pieces(loaded, spoken, manner)

    monkeypatch.setattr(LoadedKokoro, "pieces", breaking)
    heard: list[Chunk] = []
    async with narrator:
        async for chunk in narrator.speak(" ".join(SENTENCES)):
            heard.append(chunk)
            first_is_heard.set()
        following = [chunk async for chunk in narrator.speak("The rain has stopped.")]
    assert list(dict.fromkeys((chunk.sentence, chunk.engine, chunk.voice) for chunk in heard)) == [
        (0, "kokoro", "bm_george"),
        (1, "piper", "en_US-joe-medium"),
    ]
    assert {chunk.engine for chunk in following} == {"piper"}
    for number, sentence in enumerate(SENTENCES):
        samples = np.concatenate([chunk.samples for chunk in heard if chunk.sentence == number])
        assert word_error_rate(sentence, samples, heard[0].rate_hz) <= LIMIT
