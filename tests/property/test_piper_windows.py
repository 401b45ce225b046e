"""Made voices of every quality, cut in two: any window plan gives the samples of the whole."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx.utils import Extractor
from tests.support.piper_model import HIGH, LOW, HifiGan, Maker, piper_model, text, without_names, written

from unavoce.engines.onnx_runs import Run, Sound, infer, int16, session
from unavoce.engines.piper_decoder import Decoder, Latent, encode
from unavoce.engines.piper_flow import find_flow
from unavoce.engines.piper_graph import find_cut
from unavoce.engines.piper_halves import halves
from unavoce.engines.piper_parts import Halves

QUALITIES = {"low": LOW, "high": HIGH}
KINDS = list(itertools.product(QUALITIES, [1, 3], ["named", "bare"]))
SYMBOLS = st.lists(st.integers(0, 63), min_size=1, max_size=40)


@dataclass(frozen=True)
class Voice:
    """A voice whole and in halves."""

    whole: Any
    encoder: Any
    decoder: Decoder
    halves: Halves

    def sound(self, given: dict[str, NDArray[Any]]) -> Sound:
        return infer(self.whole, given, Run())

    def latent(self, given: dict[str, NDArray[Any]]) -> Latent:
        return encode(self.encoder, self.halves, given, Run())

    def in_windows(self, latent: Latent, borders: list[int]) -> Sound:
        ends = [0, *borders, latent.frames]
        return np.concatenate([self.decoder.decode(latent, *window, Run()) for window in itertools.pairwise(ends)])


def voice_of(model: onnx.ModelProto, folder: Path) -> Voice:
    files = written(model, folder / "voice.onnx")
    made = halves(files, "ab" * 32, folder / "piper")
    assert made.flow
    decoder = Decoder(session(made.decoder, 1), made, session(made.flow.model, 1))
    return Voice(session(files.model, 1), session(made.encoder, 1), decoder, made)


def borders(frames: int) -> st.SearchStrategy[list[int]]:
    """Where windows meet, anywhere within so many frames."""
    return st.sets(st.integers(1, frames - 1), max_size=6).map(sorted)


def assert_same(windows: Sound, whole: Sound) -> None:
    assert len(windows) == len(whole)
    assert np.abs(int16(windows).astype(int) - int16(whole)).max() <= 1


@pytest.fixture(scope="module", params=KINDS, ids=str)
def voice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Voice:
    """Of one quality, for one speaker or several, with the names of Piper's own exports or without."""
    quality, speakers, names = request.param
    model = piper_model(QUALITIES[quality], speakers)
    return voice_of(model if names == "named" else without_names(model), tmp_path_factory.mktemp("voice"))


@settings(max_examples=15, deadline=None)
@given(data=st.data(), symbols=SYMBOLS)
def test_any_windows_give_the_samples_of_the_whole(voice: Voice, symbols: list[int], data: st.DataObject) -> None:
    """However a sentence is parted, every sample is that of the whole voice, to one step of 16 bits."""
    speaker = data.draw(st.integers(0, 2)) if voice.halves.extra_inputs else None
    given = text(symbols, speaker)
    latent = voice.latent(given)
    assert_same(voice.in_windows(latent, data.draw(borders(latent.frames))), voice.sound(given))


@st.composite
def hifi_gans(draw: st.DrawFn) -> HifiGan:
    """Decoders of other sizes than Piper's: what is said of a window follows from the graph alone."""
    kernels = draw(st.lists(st.integers(1, 6), min_size=1, max_size=2))
    dilations = [tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))) for _ in kernels]
    strides = draw(st.lists(st.integers(2, 5), min_size=1, max_size=3))
    upsampling = [(stride, stride + draw(st.integers(0, 6))) for stride in strides]
    resblock = draw(st.sampled_from("12"))
    return HifiGan(resblock, tuple(kernels), tuple(dilations), tuple(upsampling), draw(st.integers(1, 4)))


@settings(max_examples=40, deadline=None)
@given(made=hifi_gans(), symbols=SYMBOLS, data=st.data())
def test_a_decoder_of_any_sizes_is_followed(made: HifiGan, symbols: list[int], data: st.DataObject) -> None:
    """Whatever kernels, dilations and strides a decoder has, its windows are those of the whole."""
    with TemporaryDirectory() as folder:
        voice = voice_of(piper_model(made, channels=2), Path(folder))
    latent = voice.latent(text(symbols))
    assert_same(voice.in_windows(latent, data.draw(borders(latent.frames))), voice.sound(text(symbols)))


@settings(max_examples=40, deadline=None)
@given(made=hifi_gans() | st.sampled_from([LOW, HIGH]))
def test_a_context_is_no_longer_than_it_must_be(made: HifiGan) -> None:
    """What lies at the end of a context is heard in the window, at every level where a window is cut."""
    maker = Maker(positive=True)
    maker.decoder(maker.encoder(1), 1, made)
    model = maker.model()
    cut = find_cut(model)
    for tensor, level in zip(cut.tensors, cut.levels, strict=True):
        assert _heard_around(model, [tensor], "output", cut.samples_per_frame // level.per_frame) == level.context


@settings(max_examples=10, deadline=None)
@given(channels=st.sampled_from([2, 4, 6]), seed=st.integers(0, 2**16))
def test_the_context_of_a_flow_is_no_longer_than_it_must_be(channels: int, seed: int) -> None:
    """What lies at the end of a flow's context is heard in its window."""
    model = piper_model(LOW, channels=channels, seed=seed)
    latent = find_cut(model).latent
    flow = find_flow(model.graph, latent)
    assert _heard_around(model, [flow.source, *flow.extra], latent, 1) == flow.context == 8


def _heard_around(model: onnx.ModelProto, tensors: list[str], output: str, samples_each: int) -> int:
    """How many elements of the first of `tensors` away an impulse in one of them is heard; the others are masks."""
    middle, elements = 150, 301
    inferred = onnx.shape_inference.infer_shapes(model)
    rest = Extractor(inferred).extract_model(tensors, [output])
    given = {name: np.ones((1, 1, elements), dtype=np.float32) for name in tensors[1:]}
    channels = rest.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    given[tensors[0]] = impulse = np.zeros((1, channels, elements), dtype=np.float32)
    impulse[:, :, middle] = 1.0
    part = onnxruntime.InferenceSession(rest.SerializeToString(), providers=["CPUExecutionProvider"])
    sound = part.run(None, given)[0].reshape(-1, elements, samples_each)
    heard = np.flatnonzero(np.abs(sound).max(axis=(0, 2)))
    return int(max(middle - heard.min(), heard.max() - middle))
