"""RealtimeTTS on the scripted replies, in a process and an environment of its own (docs/performance.md says how to make
one). `python -m bench.realtime_tts MODEL`: a line of standard input is a reply's tokens, a JSON list that comes all at
once; the answer's line is the seconds from the first token to the first sound.

Its defaults, but for what needs the network or a sound card: sentences by its own rules instead of a downloaded
tokeniser, and nothing played. The engine is Piper in its process, as in the plain loop.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, TextIO

import pyaudio  # type: ignore[import-not-found]
from piper import PiperVoice
from RealtimeTTS import BaseEngine, TextToAudioStream  # type: ignore[import-not-found]

TOKENIZER = "rule-based"


class Piper(BaseEngine):  # type: ignore[misc]
    """Puts what Piper makes of each text into the queue that RealtimeTTS plays."""

    def __init__(self, model: str) -> None:
        self._voice = PiperVoice.load(model)
        self._clip("One, two.")  # the first inference is slow

    def get_stream_info(self) -> tuple[int, int, int]:
        return pyaudio.paInt16, 1, self._voice.config.sample_rate

    def synthesize(self, text: str, sentence_count: int = 0) -> bool:
        super().synthesize(text, sentence_count)
        for part in self._clip(text):
            self.queue.put(part)
        return True

    def _clip(self, text: str) -> list[bytes]:
        return [part.audio_int16_bytes for part in self._voice.synthesize(text)]


def first_sound_s(engine: Piper, tokens: Sequence[str]) -> float:
    """Speak a reply to its end; seconds from its first token to its first sound."""
    times_s: list[float] = []

    def source() -> Iterator[str]:
        times_s.append(perf_counter())
        yield from tokens

    stream = TextToAudioStream(engine, muted=True, tokenizer=TOKENIZER)
    stream.feed(source())
    stream.play(muted=True, tokenizer=TOKENIZER, on_audio_chunk=lambda _: times_s.append(perf_counter()))
    return times_s[1] - times_s[0]


def take_over_output() -> TextIO:
    """Keep standard output for ourselves; what libraries print goes to standard error."""
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return private


def main(model: str) -> None:
    output = take_over_output()
    engine = Piper(model)
    for line in sys.stdin:
        tokens: list[Any] = json.loads(line)
        print(json.dumps(first_sound_s(engine, tokens)), file=output, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
