"""Speaks a text to a WAV file: python text_to_file.py "Good evening, sir." evening.wav"""

import asyncio
import sys
import wave

from unavoce import Narrator, load_settings


async def speak_to_file(narrator: Narrator, text: str, path: str) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        async for chunk in narrator.speak(text):
            if chunk.index == 0:
                file.setframerate(chunk.rate_hz)
            file.writeframes(chunk.samples.tobytes())


async def main(text: str, path: str) -> None:
    async with Narrator.from_settings(load_settings()) as narrator:
        await narrator.ready()  # else the next engine of the chain speaks while the first one still loads
        await speak_to_file(narrator, text, path)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
