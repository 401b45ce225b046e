"""Speaks a language model's answer while it is being written (pip install openai):

OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_API_KEY=none python model_to_sound.py llama3.2 "Why is the sky blue?" \
    | aplay -f S16_LE -r 24000
"""

import asyncio
import sys
from collections.abc import AsyncIterator

from openai import AsyncOpenAI

from unavoce import Narrator, load_settings


async def answer(model: str, question: str) -> AsyncIterator[str]:
    """The model's tokens, as they are written."""
    async with AsyncOpenAI() as client:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": question}], stream=True
        )
        async for event in stream:
            if event.choices and (token := event.choices[0].delta.content):
                yield token


async def main(model: str, question: str) -> None:
    async with Narrator.from_settings(load_settings()) as narrator:
        await narrator.ready()
        async for chunk in narrator.speak(answer(model, question)):
            print(chunk.text, end=" " if chunk.text else "", file=sys.stderr, flush=True)
            await asyncio.to_thread(_play, chunk.samples.tobytes())  # returns when the player wants more


def _play(pcm: bytes) -> None:
    sys.stdout.buffer.write(pcm)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
