"""The packaged Piper voice in two halves: window by window it says exactly what it says whole."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unavoce.audio.pcm import Samples
from unavoce.engines.onnx_runs import Run, infer, int16, session
from unavoce.engines.piper_decoder import Decoder, Latent, encode
from unavoce.engines.piper_halves import halves
from unavoce.engines.piper_parts import Halves
from unavoce.engines.piper_voices import packaged_voice

IDS = [1, 0, 20, 0, 18, 0, 24, 0, 24, 0, 100, 0, 10, 0, 3, 0, 33, 0, 120, 0, 62, 0, 24, 0, 17, 0, 4, 0, 2] * 3
SILENT_NOISE = np.array([0.0, 1.0, 0.0], dtype=np.float32)


@dataclass(frozen=True)
class Spoken:
    """One sentence, without noise: whole, and as a latent with its decoder."""

    whole: Samples
    latent: Latent
    decoder: Decoder
    halves: Halves

    def in_windows(self, borders: Sequence[int]) -> Samples:
        ends = [0, *borders, self.latent.frames]
        latent = replace(self.latent)  # of which the flow has made nothing yet
        parts = [self.decoder.decode(latent, *window, Run()) for window in itertools.pairwise(ends)]
        return int16(np.concatenate(parts))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    files = packaged_voice()
    assert files
    made = halves(files, "ab" * 32, tmp_path_factory.mktemp("piper"))
    assert made.flow
    text = {"input": np.array([IDS]), "input_lengths": np.array([len(IDS)]), "scales": SILENT_NOISE}
    latent = encode(session(made.encoder, 1), made, text, Run())
    whole = int16(infer(session(files.model, 1), text, Run()))
    return Spoken(whole, latent, Decoder(session(made.decoder, 1), made, session(made.flow.model, 1)), made)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_windows_give_the_samples_of_the_whole(spoken: Spoken, data: st.DataObject) -> None:
    """However a sentence is parted, every sample is that of the whole sentence, to one step of 16 bits."""
    places = st.sets(st.integers(1, spoken.latent.frames - 1), max_size=8)
    sound = spoken.in_windows(sorted(data.draw(places)))
    assert len(sound) == len(spoken.whole)
    assert np.abs(sound.astype(int) - spoken.whole).max() <= 1


def test_the_voice_has_the_numbers_of_its_kind(spoken: Spoken) -> None:
    """A `medium` voice makes 256 samples of a frame, its decoder looks eleven frames around, and its flow 32."""
    assert (spoken.halves.samples_per_frame, spoken.halves.context) == (256, 11)
    assert spoken.halves.flow
    assert spoken.halves.flow.context == 32
    assert spoken.latent.frames > 150
    assert spoken.halves.extra_inputs == ()
