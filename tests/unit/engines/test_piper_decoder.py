"""Windows of a sentence: stopped and done again, side by side, asked for wrongly, and without a flow of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.piper_model import HifiGan, Maker, piper_model, text, written

from unavoce.engines.onnx_runs import Run, Sound, Stopped, infer, session
from unavoce.engines.piper_decoder import Decoder, Latent, encode
from unavoce.engines.piper_halves import halves
from unavoce.engines.piper_parts import Halves
from unavoce.engines.piper_spans import Level, flow_step, spans

TINY = HifiGan("2", (3,), ((1,),), ((2, 4), (2, 4)), width=4)
LONG = [number % 64 for number in range(60)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Halves:
    folder = tmp_path_factory.mktemp("voice")
    return halves(written(piper_model(TINY), folder / "voice.onnx"), "ab" * 32, folder / "piper")


@pytest.fixture(scope="module")
def decoder(made: Halves) -> Decoder:
    assert made.flow
    return Decoder(session(made.decoder, 1), made, session(made.flow.model, 1))


@pytest.fixture
def latent(made: Halves) -> Latent:
    return encode(session(made.encoder, 1), made, text(LONG), Run())


def in_tens(decoder: Decoder, latent: Latent) -> Sound:
    ends = [*range(0, latent.frames, 10), latent.frames]
    return np.concatenate([decoder.decode(latent, *window, Run()) for window in pairwise(ends)])


def test_the_flow_makes_no_more_than_is_waited_for(decoder: Decoder, latent: Latent) -> None:
    """Before the first window only its own columns are made, and those around it that its samples depend on."""
    assert latent.columns.shape == (1, 4, 0)
    decoder.decode(latent, 0, 10, Run())
    assert 10 < latent.columns.shape[2] < 20
    in_tens(decoder, latent)
    assert latent.columns.shape[2] == latent.frames


def test_what_was_stopped_can_be_done_again(decoder: Decoder, latent: Latent) -> None:
    """A run that is stopped changes nothing: the same window then has the same samples."""
    whole = in_tens(decoder, replace(latent))
    stopped = Run()
    stopped.stop()
    for start in range(0, latent.frames, 10):
        with pytest.raises(Stopped):
            decoder.decode(latent, start, start + 10, stopped)
        sound = decoder.decode(latent, start, start + 10, Run())
        assert np.array_equal(sound, whole[start * 4 : (start + 10) * 4])


def test_sentences_side_by_side_do_not_disturb_each_other(made: Halves, decoder: Decoder) -> None:
    """Several threads over one session each have the samples of their own sentence."""
    encoder = session(made.encoder, 1)
    latents = [encode(encoder, made, text(LONG[number:]), Run()) for number in range(8)]
    alone = [in_tens(decoder, replace(latent)) for latent in latents[::2]]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda latent: in_tens(decoder, latent), latents[::2]))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.parametrize("window", [(-1, 3), (3, 3), (5, 3), (0, 10_000)])
def test_there_are_no_windows_beyond_a_sentence(decoder: Decoder, latent: Latent, window: tuple[int, int]) -> None:
    """A window lies within its sentence, and holds a frame at least."""
    with pytest.raises(ValueError, match="no window"):
        decoder.decode(latent, *window, Run())


def test_where_the_flow_cannot_stand_apart_the_encoder_keeps_it(tmp_path: Path) -> None:
    """A voice whose flow looks over all of the text is cut at its decoder alone."""
    maker = Maker()
    spread = maker.node("Softmax", [maker.encoder(4)], axis=2)
    maker.decoder(spread, 4, TINY)
    files = written(maker.model(), tmp_path / "voice.onnx")
    made = halves(files, "ab" * 32, tmp_path / "piper")
    assert made.flow is None
    assert sorted(path.name for path in made.encoder.parent.iterdir()) == ["decoder.onnx", "encoder.onnx", "facts.json"]
    latent = encode(session(made.encoder, 1), made, text(LONG), Run())
    whole = infer(session(files.model, 1), text(LONG), Run())
    assert np.abs(in_tens(Decoder(session(made.decoder, 1), made), latent) - whole).max() < 1e-4


levels = st.lists(st.tuples(st.integers(2, 5), st.integers(0, 30)), max_size=3)


@given(frames=st.integers(1, 100), context=st.integers(0, 20), finer=levels, data=st.data())
def test_each_cut_lies_in_what_the_one_before_left(
    frames: int, context: int, finer: list[tuple[int, int]], data: st.DataObject
) -> None:
    """No cut goes beyond what is held there, and at last exactly the window's samples are left."""
    start = data.draw(st.integers(0, frames - 1))
    stop = data.draw(st.integers(start + 1, frames))
    found, per_frame = [Level(1, context)], 1
    for times, more in finer:
        per_frame *= times
        found.append(Level(per_frame, more))
    held, before = frames, 1
    for (first, last), level in zip(spans(frames, (start, stop), found, per_frame), [*found, found[-1]], strict=True):
        held, before = held * level.per_frame // before, level.per_frame
        assert 0 <= first < last <= held
        held = last - first
    assert held == (stop - start) * per_frame


@given(frames=st.integers(1, 500), context=st.integers(0, 40), data=st.data())
def test_a_flow_comes_to_its_end(frames: int, context: int, data: st.DataObject) -> None:
    """Each step makes what is wanted, never beyond the sentence, and few steps make all of it."""
    known, steps = 0, 0
    while known < frames:
        wanted = data.draw(st.integers(known + 1, frames))
        stop, (first, last) = flow_step(known, wanted, frames, context)
        assert wanted <= stop <= frames
        assert (first, last) == (max(0, known - context), min(frames, stop + context))
        known, steps = stop, steps + 1
    assert steps <= 6
