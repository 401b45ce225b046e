"""Makes an XTTS model of random weights, small enough for a test: what it speaks is noise of an even length.

Run by the Python of `.venv-xtts`: `tiny_model.py FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
from TTS.tts.models.xtts import Xtts

SPEAKERS = ("Claribel Dervla", "Uta Obando", "Lidiya O'Brien")
CHANNELS, CODES, STEPS = 64, 64, 40
"""Of the language model: its width, its alphabet of sounds, and how many it says: 1.8 s of sound."""


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    torch.manual_seed(1)
    config = XttsConfig()
    write_vocabulary(config, folder / "vocab.json")
    shrink(config, folder / "vocab.json")
    write_model(config, folder)
    speakers = {
        name: {"gpt_cond_latent": torch.randn(1, 32, CHANNELS), "speaker_embedding": torch.randn(1, 512, 1)}
        for name in SPEAKERS
    }
    torch.save(speakers, folder / "speakers_xtts.pth")
    config.save_json(folder / "config.json")
    write_voices(folder / "voices")


def write_vocabulary(config: XttsConfig, path: Path) -> None:
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", *(f"[{language}]" for language in config.languages)]
    tokens = [*special, *"abcdefghijklmnopqrstuvwxyz0123456789.,!?'-:;"]
    tokenizer = Tokenizer(
        BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=[], unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(path))


def shrink(config: XttsConfig, vocabulary: Path) -> None:
    sizes = config.model_args
    sizes.gpt_layers, sizes.gpt_n_model_channels, sizes.gpt_n_heads, sizes.decoder_input_dim = 2, CHANNELS, 2, CHANNELS
    sizes.gpt_use_perceiver_resampler = True
    sizes.gpt_num_audio_tokens, sizes.gpt_start_audio_token, sizes.gpt_stop_audio_token = CODES + 2, CODES, CODES + 1
    sizes.gpt_max_audio_tokens = STEPS
    sizes.tokenizer_file = str(vocabulary)


def write_model(config: XttsConfig, folder: Path) -> None:
    model = Xtts(config)
    model.tokenizer = VoiceBpeTokenizer(vocab_file=folder / "vocab.json")
    model.init_models()
    with torch.no_grad():
        model.gpt.mel_head.bias[CODES + 1] = -1e4  # it never stops by itself: every sentence has all its steps
    torch.save({"model": model.state_dict()}, folder / "model.pth")


def write_voices(folder: Path) -> None:
    """What an xtts-api-server clones its speakers from."""
    folder.mkdir()
    times_s = np.arange(4 * 24_000) / 24_000
    for name, pitch_hz in (("butler", 110), ("maid", 220)):
        soundfile.write(folder / f"{name}.wav", 0.3 * np.sin(2 * np.pi * pitch_hz * times_s), 24_000)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
