"""An engine of one's own, made in code, with the configured engines as its fallback; two replies at once.

python two_at_once.py prints who spoke each sentence. The beeper knows no long words: a reply that has one is spoken by
the next engine from its first sentence on, or from that sentence on where the beeper was heard already.
"""

import asyncio
from collections.abc import Sequence

import numpy as np

from unavoce import EngineError, Narrator, load_settings
from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Emit, Engine, EngineContext, EngineOptions, Voice

RATE_HZ = 24_000
LONGEST_WORD = 12


class Beeper(Engine):
    """A tone for each word."""

    name = "beeper"
    max_concurrency = 2

    def voices(self) -> Sequence[Voice]:
        return [Voice(self.name, "beep", "en", model="1")]

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        for word in spoken.split():
            if len(word) > LONGEST_WORD:
                raise EngineError("a word is too long to be beeped")
            count = round(0.06 * len(word) / voice.speed * RATE_HZ)
            tone = 8_000 * np.hanning(count) * np.sin(2 * np.pi * 440 * np.arange(count) / RATE_HZ)
            emit(Pcm(tone.astype(np.int16), RATE_HZ))


def beeper(context: EngineContext) -> Engine:
    return Beeper(EngineOptions(), context)


async def speak(narrator: Narrator, title: str, text: str) -> None:
    async for chunk in narrator.speak(text):
        if chunk.text:
            print(f"{title}: {chunk.engine} says {chunk.text!r}")


async def main() -> None:
    async with Narrator.from_settings(load_settings(), own_engines=[beeper]) as narrator:
        await narrator.ready()
        await asyncio.gather(
            speak(narrator, "one", "Dinner is served. The car waits outside."),
            speak(narrator, "two", "Good evening, sir. There is correspondence for you. It can wait."),
        )


if __name__ == "__main__":
    asyncio.run(main())
